"""Law enforcement papers with as much in them as their forms take: no word is lost, on paper and in Word."""

import io
from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest
from apiflask import APIFlask
from docx import Document

from accounts.verbs import Role
from miniapp_api.http.wiring import KEY
from tests.drawn_papers import pages, words
from tests.inspection.test_annexes import KINDS, record
from tests.inspection.test_enforcement_papers import APPROVAL, ORDER, RECEIPT, SITE, publish_papers, saved, step, taken
from tests.newcomers import make_user
from tests.people import Person
from tests.records import submit

pytestmark = pytest.mark.usefixtures("clock")  # 2026-11-21

Json = dict[str, Any]
NAME = "甲" * 30
TEN = [{"name": NAME, "certificate_no": "3" * 40}] * 10


@pytest.fixture(autouse=True)
def _forms(application: APIFlask) -> None:
    publish_papers(application)


@pytest.fixture
def approver(application: APIFlask, sign_in: Callable[[str], Person], county_inspector: Person) -> Person:
    make_user(application.extensions[KEY].database, "320402", "county_head", Role.INSPECTION_APPROVER)
    return sign_in("county_head")


def long(count: int, end: str) -> str:
    return ("某某检查情况及有关说明。" * (count // 12 + 1))[: count - len(end)] + end


def all_of(person: Person, path: str) -> tuple[bytes, str]:
    """The PDF, and the words of the Word file without blanks."""
    pdf, word = (person.get(f"{path}.{ending}") for ending in ("pdf", "docx"))
    assert pdf.status_code == word.status_code == 200
    body = Document(io.BytesIO(word.data)).element.body
    return pdf.data, "".join("".join(node.text or "" for node in body.iter() if node.tag.endswith("}t")).split())


def stands_within(pdf: bytes) -> bool:
    """Whether every character stands on its page, and what is not the foot, in its small type, above the foot."""
    for page in pypdfium2.PdfDocument(pdf):
        text, (width, _) = page.get_textpage(), page.get_size()
        for at in range(text.count_chars()):
            left, bottom, right, _ = text.get_charbox(at)
            small = pypdfium2.raw.FPDFText_GetFontSize(text.raw, at) < 8
            if left < 0 or right > width or bottom < (0 if small else FOOT):
                return False
    return True


FOOT = 80
"""Points of the lower margin, less what hangs below a line."""
FULL: dict[str, Json] = {
    "inspection_approval": {
        **APPROVAL, "org_name": "厂" * 60, "org_address": long(200, "住所完"), "basis": long(2000, "依据完"),
        "content": long(2000, "内容完"), "frequency": long(200, "次数完"), "urgent": True,
        "urgent_reason": long(500, "紧急完"), "inspectors": TEN, "assistants": long(200, "协助完"),
    },
    "site_record": {
        **SITE, "org_name": "厂" * 60, "facts": long(4000, "情况完"), "statement": long(2000, "申辩完"),
        "refused_to_sign": True, "refusal_reason": long(500, "理由完"), "witness": NAME, "inspectors": TEN,
    },
    "correction_order": {
        **ORDER, "org_name": "厂" * 60, "facts": long(2000, "事实完"), "violated": long(1000, "违反完"),
        "basis": long(1000, "依据完"), "demand": long(2000, "要求完"), "inspectors": TEN,
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", FULL)
def test_a_paper_as_long_as_its_form_takes_loses_no_word(county_inspector: Person, approver: Person, kind: str) -> None:
    draft = saved(county_inspector, kind, FULL[kind])
    done = taken(county_inspector, draft, "submit" if kind == "inspection_approval" else "issue")
    if kind == "inspection_approval":
        done = taken(approver, done, "approve", comment=long(1000, "意见完"))
    pdf, word = all_of(county_inspector, f"/enforcement-papers/{done['id']}/record")
    ends = [value[-3:] for value in FULL[kind].values() if isinstance(value, str) and value.endswith("完")]
    printed = words(pdf)
    assert pages(pdf) >= 3 and stands_within(pdf)
    for end in ends:
        assert end in printed and end in word, end
    assert "厂" * 60 in word and NAME in printed


def test_a_receipt_as_long_as_its_form_takes_loses_no_word(county_inspector: Person) -> None:
    receipt = {
        **RECEIPT, "recipient": "厂" * 60, "place": long(200, "地点完"), "received_by": "收" * 50, "servers": TEN,
        "refused_to_sign": True, "refusal_reason": long(500, "理由完"), "witness": NAME, "remark": long(500, "备注完"),
    }  # fmt: skip
    issued = taken(county_inspector, saved(county_inspector, "correction_order", ORDER), "issue")
    served = taken(county_inspector, issued, "serve", data=receipt)
    pdf, word = all_of(county_inspector, f"/enforcement-papers/{served['id']}/receipt")
    assert stands_within(pdf)
    for end in ("地点完", "理由完", "备注完"):
        assert end in words(pdf) and end in word


@pytest.mark.parametrize("kind", KINDS)
def test_words_of_4000_characters_about_a_point_stand_on_three_pages_and_in_word(
    county_inspector: Person, kind: str
) -> None:
    no = "2.1" if kind == "ccc_production" else "2"
    told = {f"{no}.problem": long(4000, "说明完"), no: "bad" if kind == "ccc_production" else "no"}
    if kind == "onsite_production":
        told[no] = "yes"
    sent = submit(county_inspector, record(kind, org_name="厂" * 60, answers=told))
    pdf, word = all_of(county_inspector, f"/inspections/{sent['id']}/record")
    assert pages(pdf) >= 3 and stands_within(pdf)
    assert "说明完" in words(pdf) and "说明完" in word


def test_a_character_that_no_font_has_is_named_on_a_law_enforcement_paper_too(county_inspector: Person) -> None:
    draft = saved(county_inspector, "site_record", {**SITE, "facts": "见\U00016800字"})
    answer = county_inspector.get(f"/enforcement-papers/{draft['id']}/record.pdf")
    assert answer.status_code == 422 and "U+16800" in answer.get_data(as_text=True)
    assert step(county_inspector, draft, "issue").status_code == 200
