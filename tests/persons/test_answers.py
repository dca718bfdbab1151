"""What answers say of a person follows from the form's definition; numbers are found however they were typed."""

from typing import Any

import pytest

from core import privacy
from core.forms.form import Form
from core.forms.sealing import opened, sealed
from core.persons import answers
from core.persons.person import GONE, Person, person_of
from tests.conftest import DATA_KEY

MOBILE, RESIDENT_ID = "13912345678", "11010519491231002X"
PLACE = "records.data:1"

FORM: dict[str, Any] = {
    "code": "a-form-of-a-bureau", "version": 1, "title": "某局自拟表单", "kind": "own",
    "sections": [{"code": "one", "title": "一", "items": [
        {"field": "org_name", "text": "企业名称", "type": "text", "default_from": "enterprise.name"},
        {"field": "guard_id", "text": "值班员身份证号", "type": "resident_id"},
        {"field": "contact_name", "text": "联系人", "type": "text"},
        {"field": "contact_mobile", "text": "联系人手机", "type": "mobile"},
        {"field": "contact_email", "text": "联系人邮箱", "type": "email", "sensitive": True},
        {"field": "contact_signature", "text": "联系人签名", "type": "signature"},
        {"field": "escort", "text": "陪同人员", "type": "text"},
        {"field": "inspectors", "text": "检查人员", "type": "text", "suggest": True, "repeat": True},
        {"field": "remark", "text": "备注", "type": "text", "multiline": True},
        {"field": "staff", "text": "人员", "type": "group",
         "items": [{"field": "said", "text": "说明", "type": "text"}]},
        {"no": "1.1", "text": "是否", "type": "choice", "options": [{"value": "yes", "label": "是"}]},
    ]}],
}  # fmt: skip

VALUES: dict[str, Any] = {
    "org_name": "张伟民五金店", "guard_id": RESIDENT_ID, "contact_name": "张伟民", "contact_mobile": MOBILE,
    "contact_email": "zhang@example.com", "contact_signature": ["0b9a6a2e-6b7c-4d39-9a5e-0f6c2f9a1d11"],
    "escort": "张伟民", "inspectors": ["张伟民", "乙"], "remark": "张伟民（１３９ 1234 5678）在场，另有 13800000001",
    "staff": [{"said": "请打139-1234-5678"}, {"said": "无"}], "answers": {"1.1": "yes"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _keys() -> None:
    privacy.install(DATA_KEY)


@pytest.fixture
def form() -> Form:
    return Form.compile(FORM)


def test_the_number_and_what_is_asked_beside_it_go_and_findings_and_others_stay(form: Form) -> None:
    stored, person = sealed(form, VALUES, PLACE), person_of(mobile="+86 139 1234 5678")
    said = answers.said_of(form, stored, PLACE, person)
    assert said.own == {"contact_mobile", "contact_name", "contact_email", "contact_signature"}
    assert said.names == {"张伟民"} and said.files == set(VALUES["contact_signature"])
    new = answers.without(form, stored, PLACE, person, said.names)
    assert new is not None
    assert opened(new, PLACE) == {
        **VALUES, "contact_name": GONE, "contact_mobile": GONE, "contact_email": GONE, "contact_signature": [],
        "escort": GONE, "remark": f"{GONE}（{GONE}）在场，另有 13800000001",
        "staff": [{"said": f"请打{GONE}"}, {"said": "无"}],
    }  # fmt: skip
    assert new["guard_id"] == stored["guard_id"] and answers.without(form, new, PLACE, person, ()) is None


def test_a_resident_id_is_found_by_the_type_of_its_item(form: Form) -> None:
    stored, person = sealed(form, VALUES, PLACE), person_of(resident_id="11010519491231002x")
    assert answers.said_of(form, stored, PLACE, person).own == {"guard_id"}
    new = answers.without(form, stored, PLACE, person, ())
    assert new is not None and opened(new, PLACE) == {**VALUES, "guard_id": GONE}


def test_the_person_reads_the_own_answers_and_no_number_of_another(form: Form) -> None:
    shown = answers.shown(form, sealed(form, VALUES, PLACE), PLACE, person_of(mobile=MOBILE))
    assert shown["联系人手机"] == MOBILE and shown["联系人"] == "张伟民"
    assert "13800000001" not in str(shown) and RESIDENT_ID not in str(shown) and "陪同人员" not in shown


@pytest.mark.parametrize("text", [
    "13912345678", "请打139 1234 5678。", "电话：139-1234-5678", "＋86 13912345678", "１３９１２３４５６７８",
    "+8613912345678，急", "tel13912345678x", "00 86 13912345678",
])  # fmt: skip
def test_a_number_is_found_however_it_was_typed(text: str) -> None:
    person = person_of(mobile=MOBILE)
    by_receipt = Person.of_receipt(person.kept(()))
    for one in (person, by_receipt):
        assert one.is_named_in(text)
        assert not one.is_named_in(one.without(text)) and GONE in one.without(text)


@pytest.mark.parametrize("text", ["139123456789", "213912345678", "1391234567", "13912345679", "", "编号1391234567800"])
def test_what_is_another_number_is_left_alone(text: str) -> None:
    person = person_of(mobile=MOBILE)
    assert not person.is_named_in(text) and person.without(text) == text


def test_a_name_of_one_character_is_not_looked_for_in_words() -> None:
    person = person_of(mobile=MOBILE)
    assert person.without("王某在王府井", {"王"}) == "王某在王府井"


def test_a_receipt_keeps_no_number() -> None:
    person = person_of(mobile=MOBILE)
    kept = person.kept(["freed number"])
    assert MOBILE not in str(kept) and MOBILE[-4:] not in str(kept)
    assert Person.of_receipt(kept).hash_for("freed number") == person.hash_for("freed number")


IN_ROWS: dict[str, Any] = {
    "code": "staff", "version": 1, "title": "人员", "kind": "own",
    "sections": [{"code": "one", "title": "一", "items": [
        {"field": "staff", "text": "人员", "type": "group", "items": [
            {"field": "name", "text": "姓名", "type": "text", "sensitive": True},
            {"field": "id_no", "text": "身份证号", "type": "resident_id"},
            {"field": "proofs", "text": "证书", "type": "photos"},
            {"field": "grade", "text": "等级", "type": "text"},
            {"field": "jobs", "text": "经历", "type": "group", "items": [
                {"field": "content", "text": "内容", "type": "text"},
                {"field": "witness_name", "text": "证明人", "type": "text", "sensitive": True},
                {"field": "witness_tel", "text": "证明人电话", "type": "mobile"}]}]},
        {"field": "remark", "text": "备注", "type": "text"}]}],
}  # fmt: skip
PROOF = "0b9a6a2e-6b7c-4d39-9a5e-0f6c2f9a1d11"
STAFF: dict[str, Any] = {
    "staff": [
        {"name": "张伟民", "id_no": RESIDENT_ID, "proofs": [PROOF], "grade": "高级",
         "jobs": [{"content": "带班", "witness_name": "王五", "witness_tel": MOBILE}]},
        {"name": "李四", "grade": "中级", "jobs": [{"content": f"见张伟民，{RESIDENT_ID}"}]},
    ],
    "remark": "张伟民已离职",
}  # fmt: skip


def test_a_person_of_a_row_goes_with_name_and_files_and_the_other_rows_stay() -> None:
    form, person = Form.compile(IN_ROWS), person_of(resident_id=RESIDENT_ID)
    stored = sealed(form, STAFF, PLACE)
    said = answers.said_of(form, stored, PLACE, person)
    assert said.own == {"staff/0/name", "staff/0/id_no", "staff/0/proofs"}
    assert (said.names, said.files, said.mentioned) == ({"张伟民"}, {PROOF}, True)
    new = answers.without(form, stored, PLACE, person, said.names)
    assert new is not None
    assert opened(new, PLACE) == {
        "staff": [
            {"name": GONE, "id_no": GONE, "proofs": [], "grade": "高级", "jobs": STAFF["staff"][0]["jobs"]},
            {"name": "李四", "grade": "中级", "jobs": [{"content": f"见{GONE}，{GONE}"}]},
        ],
        "remark": f"{GONE}已离职",
    }
    assert answers.without(form, new, PLACE, person, ()) is None


def test_a_witness_in_a_row_of_a_row_is_found_and_reads_the_own_answers_only() -> None:
    form, person = Form.compile(IN_ROWS), person_of(mobile=MOBILE)
    stored = sealed(form, STAFF, PLACE)
    assert answers.said_of(form, stored, PLACE, person).own == {
        "staff/0/jobs/0/witness_name", "staff/0/jobs/0/witness_tel",
    }  # fmt: skip
    assert answers.shown(form, stored, PLACE, person) == {
        "人员": [{"经历": [{"证明人": "王五", "证明人电话": MOBILE}]}]
    }
    new = answers.without(form, stored, PLACE, person, {"王五"})
    assert new is not None and opened(new, PLACE)["staff"][0] == {
        **STAFF["staff"][0], "jobs": [{"content": "带班", "witness_name": GONE, "witness_tel": GONE}],
    }  # fmt: skip
