from uuid import UUID

import pytest
import time_machine
from stdnum.cn import ric

from core.identifiers import (
    as_uuid,
    is_email,
    is_landline,
    is_mobile,
    is_org_code,
    is_postcode,
    is_resident_id,
    make_uscc,
    normalise_mobile,
    normalise_org_code,
    normalise_resident_id,
    normalise_uscc,
    sent_mobile,
    uscc_fault,
    uscc_warnings,
    widen_resident_id,
)

VALID_USCC = [
    "91350100M000100Y43",
    "91110000600037341L",
    "91320400MA1TEX0012",
    "91500105MA5TEX017C",
    "91110000MA0TEX0267",
    "91310115MA1TEX036Q",
    "11500000MB0TEX046A",
    "N2341203MF2TEX0520",
]


def resident_id(body17: str) -> str:
    return body17 + ric.calc_check_digit(body17 + "0")


@pytest.mark.parametrize("code", VALID_USCC)
def test_a_valid_credit_code_is_accepted(code: str) -> None:
    assert uscc_fault(code) is None


@pytest.mark.parametrize("code", VALID_USCC)
def test_a_credit_code_with_another_last_character_is_refused(code: str) -> None:
    for character in "0123456789ABCDEFGHJKLMNPQRTUWXY":
        if character != code[-1]:
            fault = uscc_fault(code[:-1] + character)
            assert fault is not None and "校验位" in fault


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("91350100I000100Y43", "I、O、S、V、Z"),
        ("9135010OM000100Y43", "I、O、S、V、Z"),
        ("913501A0M000100Y43", "第3至8位"),
        ("91350100M000100Y4", "现为17位"),
        ("91350100M000100Y433", "现为19位"),
        ("٩١350100M000100Y43", "不正确"),
        ("  ", "请填写"),
    ],
)
def test_the_fault_of_a_credit_code_says_what_is_wrong(text: str, told: str) -> None:
    fault = uscc_fault(text)
    assert fault is not None and told in fault


@pytest.mark.parametrize(
    "typed",
    [
        "91350100m000100y43",
        " 9135 0100 M000-100Y-43\n",
        "９１３５０１００Ｍ０００１００Ｙ４３",
        "91350100M000100Y\u201343",
        "\ufeff91350100M000100Y43\u200b",
        "91350100\u3000M000100Y43",
    ],
)
def test_a_typed_credit_code_is_normalised(typed: str) -> None:
    assert normalise_uscc(typed) == "91350100M000100Y43"
    assert uscc_fault(typed) is None


@pytest.mark.parametrize("code", VALID_USCC)
def test_the_check_character_is_computed(code: str) -> None:
    assert make_uscc(code[:17]) == code


@pytest.mark.parametrize("body", ["91350100M000100Y", "91350100M000100Y43", "91350100I000100Y4"])
def test_a_body_that_cannot_begin_a_credit_code_is_an_error(body: str) -> None:
    with pytest.raises(ValueError):
        make_uscc(body)


def test_a_doubtful_organisation_code_inside_a_credit_code_is_only_a_warning() -> None:
    assert uscc_warnings("91350100M000100Y43") == []
    doubtful = make_uscc("91350100M000100Y5")
    assert uscc_fault(doubtful) is None
    assert len(uscc_warnings(doubtful)) == 1


@pytest.mark.parametrize(
    "code", ["12345678-8", "D2143569-X", "M000100Y-4", "123456788", "d2143569x", "Ｄ２１４３５６９－Ｘ"]
)
def test_a_valid_organisation_code_is_accepted(code: str) -> None:
    assert is_org_code(code)


@pytest.mark.parametrize("code", ["12345678-9", "D2143569-1", "12345678", "1234567-88A", "", "D2143569-Y"])
def test_a_wrong_organisation_code_is_refused(code: str) -> None:
    assert not is_org_code(code)


def test_an_organisation_code_is_normalised_to_its_printed_form() -> None:
    assert normalise_org_code("d2143569x") == "D2143569-X"
    assert normalise_org_code("D2143569－X") == "D2143569-X"


@pytest.mark.parametrize(
    "number",
    [
        "110101199003070011",
        "320401198506120026",
        "500105197801010039",
        "11010519491231002X",
        "11010519491231002x",
        "１１０１０１１９９００３０７００１１",
        "110101 19900307 0011",
    ],
)
def test_a_valid_resident_id_is_accepted(number: str) -> None:
    assert is_resident_id(number)


@pytest.mark.parametrize(
    "number",
    [
        "110101199003070012",
        "110101199002300019",
        resident_id("11010119900230001"),
        resident_id("91010119900307001"),
        resident_id("11010118991231001"),
        "11010119900307001",
        "1101011990030700110",
        "1101011990O3070011",
        "",
    ],
)
def test_a_wrong_resident_id_is_refused(number: str) -> None:
    assert not is_resident_id(number)


@pytest.mark.parametrize("prefix", ["810000", "820000", "830000"])
def test_the_number_of_a_residence_permit_is_accepted(prefix: str) -> None:
    assert is_resident_id(resident_id(prefix + "19900307001"))


def test_a_birth_today_in_local_time_is_accepted_and_one_tomorrow_is_not() -> None:
    with time_machine.travel("2026-11-19T16:30:00Z", tick=False):  # 20 November in Shanghai
        assert is_resident_id(resident_id("11010120261120001"))
        assert not is_resident_id(resident_id("11010120261121001"))


def test_the_first_of_january_1900_is_the_oldest_birth() -> None:
    assert is_resident_id(resident_id("11010119000101001"))
    assert not is_resident_id(resident_id("11010118991231001"))


def test_an_old_resident_id_is_accepted_only_where_it_is_allowed() -> None:
    assert not is_resident_id("110101900307001")
    assert is_resident_id("110101900307001", allow_15=True)
    assert not is_resident_id("110101900230001", allow_15=True)
    assert is_resident_id("110101199003070011", allow_15=True)


def test_an_old_resident_id_is_widened_to_eighteen_places() -> None:
    assert widen_resident_id("110101900307001") == "110101199003070011"
    assert widen_resident_id("11010519491231002x") == "11010519491231002X"


def test_a_resident_id_is_normalised() -> None:
    assert normalise_resident_id(" 110105-19491231-002ｘ") == "11010519491231002X"


@pytest.mark.parametrize(
    "typed",
    ["13800000001", "138 0000 0001", "138-0000-0001", "+8613800000001", "86 13800000001", "+86-138-0000-0001",
     "008613800000001", "１３８０００００００１", "\u202d138 0000 0001\u202c", "138.0000.0001", "(+86)138 0000 0001"],
)  # fmt: skip
def test_a_typed_mobile_number_is_normalised(typed: str) -> None:
    assert normalise_mobile(typed) == sent_mobile(typed) == "13800000001"
    assert is_mobile(typed)


@pytest.mark.parametrize("typed", ["12800000001", "1380000000", "138000000011", "051988888888", "", "1380000000a"])
def test_what_is_no_mobile_number_is_refused(typed: str) -> None:
    assert not is_mobile(typed)
    assert sent_mobile(typed) is None


@pytest.mark.parametrize("sent", [None, 13800000001, ["13800000001"], "13800000001".center(41)])
def test_what_is_no_text_or_longer_than_any_way_of_writing_is_no_mobile_number(sent: object) -> None:
    assert sent_mobile(sent) is None


@pytest.mark.parametrize("typed", ["88888888", "0519-88888888", "010-12345678-123", "02312345678", "0519－8888888"])
def test_a_landline_number_is_accepted(typed: str) -> None:
    assert is_landline(typed)


@pytest.mark.parametrize("typed", ["888888", "13800000001", "0519-888888889", "88888888-1234567", ""])
def test_what_is_no_landline_number_is_refused(typed: str) -> None:
    assert not is_landline(typed)


def test_an_email_has_one_at_sign_and_a_dot_in_its_domain() -> None:
    assert is_email("a.b+c@example.com")
    for wrong in (
        "a@b",
        "a@@example.com",
        "a b@example.com",
        "a@example.com\nBcc: x@example.com",
        "@example.com",
        "a@example.",
        "甲＠example.com",
        "a" * 89 + "@example.com",
    ):
        assert not is_email(wrong), wrong
    assert is_email("a" * 88 + "@example.com")


def test_a_postcode_has_six_digits() -> None:
    assert is_postcode("213000")
    assert not is_postcode("21300")
    assert not is_postcode("2130001")
    assert not is_postcode("21300a")


@pytest.mark.parametrize("value", ["", "5a2f6f0e", "no id", None, 5, ["5a2f6f0e-6c8e-4d0a-9f0b-6a1f0c3d2b71"]])
def test_what_is_no_id_is_none(value: object) -> None:
    assert as_uuid(value) is None


def test_a_text_that_writes_an_id_is_that_id() -> None:
    assert as_uuid("5A2F6F0E-6c8e-4d0a-9f0b-6a1f0c3d2b71") == UUID("5a2f6f0e-6c8e-4d0a-9f0b-6a1f0c3d2b71")
