"""The papers as editable Word: same order and words as printed, offices' types, no code; LibreOffice can open them."""

import io
import zipfile
from pathlib import Path

import pytest
from docx import Document

from assets.paper import law_templates
from assets.paper.word_templates import ROOT, TEMPLATES
from tests.inspection.test_annexes import BLOCK, KINDS, form, items_of, record
from tests.inspection.test_record_papers import paper, picture
from tests.parties import upload
from tests.people import Person, spot_check
from tests.records import save, submit

pytestmark = pytest.mark.usefixtures("clock")


def word(person: Person, record_id: str, noun: str = "inspections") -> bytes:
    answer = person.get(f"/{noun}/{record_id}/record.docx")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return bytes(answer.data)


def said(content: bytes) -> str:
    """All texts in their order, cells that are joined once."""
    document = Document(io.BytesIO(content))
    texts = [node.text or "" for node in document.element.body.iter() if node.tag.endswith("}t")]
    return "".join("".join(texts).split())


@pytest.mark.parametrize("kind", KINDS)
def test_word_has_the_words_of_the_paper_in_its_order_and_says_that_it_proves_nothing(
    county_inspector: Person, kind: str
) -> None:
    hazards = {"2.1": "bad", "2.1.problem": "地址 <不> 一致 & {{ 7 * 7 }}"} if kind == "ccc_production" else {}
    sent = submit(county_inspector, record(kind, escort="王某某", answers=hazards))
    content = word(county_inspector, sent["id"])
    text = said(content)
    at = 0
    for one in items_of(form(kind.replace("_", "-"))):
        if "no" in one and one["type"] == "choice" and not one["no"].endswith(("detail", "failed")):
            at = text.index("".join(one["text"].split()), at)
    assert sent["org_name"] in text and "☑" in text and "{{" not in text.replace("{{7*7}}", "")
    if hazards:
        assert "地址<不>一致&{{7*7}}" in text
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".xml")).decode()
    assert "方正小标宋简体" in parts and "仿宋_GB2312" in parts and "不作核验凭证" in parts


def test_drawn_signatures_and_every_sample_block_stand_in_word_and_a_draft_says_so(county_inspector: Person) -> None:
    signature = upload(county_inspector, picture(), "签名-甲.png", "signature")
    blocks = [{**BLOCK, "product_model": f"BV {n}"} for n in "123"]
    body = record("ccc_production", signatures=[signature], samples=blocks)
    content = word(county_inspector, submit(county_inspector, body)["id"])
    assert all(f"BV{n}" in said(content) for n in "123")
    assert len(Document(io.BytesIO(content)).inline_shapes) == 1
    draft = word(county_inspector, save(county_inspector, record("onsite_sales"))["id"])
    assert "草稿" in Document(io.BytesIO(draft)).sections[0].header.paragraphs[0].text
    sheet = word(county_inspector, submit(county_inspector, spot_check(), noun="spot-checks")["id"], "spot-checks")
    assert "检验项目：" in said(sheet)


def test_a_bureaus_own_word_template_is_used_and_a_broken_one_is_not(county_inspector: Person, tmp_path: Path) -> None:
    sent = submit(county_inspector, record("onsite_sales"))
    own = tmp_path / "papers" / "onsite-sales.docx"
    own.parent.mkdir(parents=True)
    document = Document()
    document.add_paragraph("本局样式：{{ fields.org_name }}")
    document.save(str(own))
    assert said(word(county_inspector, sent["id"])).startswith(f"本局样式：{sent['org_name']}")
    own.write_bytes(b"no document")
    assert "检查内容" in said(word(county_inspector, sent["id"])) and paper(county_inspector, sent["id"])


def test_the_templates_are_what_their_source_makes(tmp_path: Path) -> None:
    for path, made in (TEMPLATES | law_templates.TEMPLATES).items():
        made().save(tmp_path / "made.docx")
        texts = [
            [node.text for node in Document(str(one)).element.body.iter() if node.tag.endswith("}t")]
            for one in (tmp_path / "made.docx", ROOT / path)
        ]
        assert texts[0] == texts[1], f"{path}: run python -m assets.paper.word_templates"
