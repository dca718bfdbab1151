"""The paper of a record, and the page behind its code: genuine, newest, superseded, voided, unknown."""

import io
from typing import Any

import pypdfium2
import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import delete, func, select

from core.db import Database
from core.prints.models import Print
from tests.drawn_papers import codes, pages, scanned, words
from tests.inspection.test_annexes import KINDS, record
from tests.newcomers import at_once
from tests.parties import upload
from tests.people import Person, new_id, production, sales, spot_check
from tests.records import Json, save, submit

TITLES = {
    "onsite_sales": "天宁区工业产品企业现场检查记录销售经营者",
    "onsite_production": "天宁区工业产品企业现场检查记录生产企业",
    "ccc_production": "2026年强制性产品认证生产企业监督检查表",
}

pytestmark = pytest.mark.usefixtures("clock")  # 2026-11-21


def paper(person: Person, record_id: str, noun: str = "inspections") -> bytes:
    answer = person.get(f"/{noun}/{record_id}/record.pdf")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.mimetype == "application/pdf" and answer.headers["Cache-Control"] == "private, no-store"
    return bytes(answer.data)


def picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (300, 120), "white").save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_a_paper_has_the_words_of_its_form_the_answers_and_a_code_that_says_genuine(
    county_inspector: Person, client: FlaskClient, kind: str
) -> None:
    sent = submit(county_inspector, record(kind, escort="王某某"))
    pdf = paper(county_inspector, sent["id"])
    said = words(pdf)
    for word in (sent["org_name"], "2026-11-20", "甲", "乙", "第1页", f"共{pages(pdf)}页"):
        assert word in said, word
    assert {"onsite_sales": "销售经营者", "onsite_production": "生产企业", "ccc_production": "2026年强制性产品认证"}[
        kind
    ] in said
    status, page = scanned(client, pdf)
    assert status == 200 and "打印件真实，内容是最新的" in page
    for word in (sent["org_name"], "2026-11-20", "JC20261120-"):
        assert word in page, word
    assert "王某某" not in page and "甲" not in page  # no more than that without a sign-in


@pytest.mark.parametrize(
    ("noun", "body"), [("inspections", production()), ("inspections", sales()), ("spot-checks", spot_check())]
)
def test_every_other_record_has_a_paper_too(county_inspector: Person, noun: str, body: Json) -> None:
    sent = submit(county_inspector, body, noun=noun)
    said = words(paper(county_inspector, sent["id"], noun))
    for word in (body["org_name"], *(body.get("inspectors") or body["samplers"])):
        assert word in said


def test_the_same_paper_printed_again_has_the_same_code_also_when_two_print_at_once(
    application: Any, county_inspector: Person, database: Database
) -> None:
    sent = submit(county_inspector, record("onsite_sales"))

    def one() -> Any:
        person = Person("county_inspector", application.test_client(), county_inspector.token)
        return person.get(f"/inspections/{sent['id']}/record.pdf")

    found = {frozenset(codes(answer.data)) for answer in at_once(one, one)}
    assert len(found) == 1
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Print)) == 1


def test_after_a_correction_the_old_paper_says_so_and_the_new_one_is_the_newest(
    county_inspector: Person, client: FlaskClient
) -> None:
    sent = submit(county_inspector, record("onsite_sales"))
    old = paper(county_inspector, sent["id"])
    body = record("onsite_sales", org_address="常州市天宁区另一条路2号", version=sent["version"], reason="地址写错")
    corrected = county_inspector.put(f"/inspections/{sent['id']}/correction", body)
    assert corrected.status_code == 200, corrected.get_data(as_text=True)
    assert "内容已更新" in scanned(client, old)[1]
    new = paper(county_inspector, sent["id"])
    assert "内容是最新的" in scanned(client, new)[1] and codes(new) != codes(old)


def test_the_paper_of_a_voided_record_says_so_on_its_page_and_across(
    county_inspector: Person, city_reviewer: Person, client: FlaskClient
) -> None:
    sent = submit(county_inspector, record("onsite_sales"))
    old = paper(county_inspector, sent["id"])
    done = county_inspector.post(f"/inspections/{sent['id']}/void", {"version": sent["version"], "reason": "重复填报"})
    assert done.status_code == 200, done.get_data(as_text=True)
    assert "记录已作废" in scanned(client, old)[1]
    again = paper(county_inspector, sent["id"])
    assert "作废" in words(again) and codes(again) == set()


def test_a_draft_says_so_across_and_has_no_code(county_inspector: Person, database: Database) -> None:
    draft = save(county_inspector, record("onsite_sales"))
    pdf = paper(county_inspector, draft["id"])
    assert "草稿" in words(pdf) and codes(pdf) == set()
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Print)) == 0


def test_a_drawn_signature_stands_on_the_paper(county_inspector: Person) -> None:
    without = paper(county_inspector, submit(county_inspector, record("onsite_sales"))["id"])
    signature = upload(county_inspector, picture(), "签名.png", "signature")
    body = record("onsite_sales", signatures=[signature], confirm_duplicate=True)
    drawn = paper(county_inspector, submit(county_inspector, body)["id"])

    def pictures(pdf: bytes) -> int:
        kind = pypdfium2.raw.FPDF_PAGEOBJ_IMAGE
        return sum(1 for page in pypdfium2.PdfDocument(pdf) for _ in page.get_objects([kind]))

    assert (pictures(without), pictures(drawn)) == (0, 1)


def test_a_long_text_goes_over_pages_with_the_head_row_on_each(county_inspector: Person) -> None:
    words_of_it = "质量管理制度不完善，进货查验记录缺失。" * 210
    body = record("onsite_sales", answers={"2": "no", "2.problem": words_of_it[:4000]})
    pdf = paper(county_inspector, submit(county_inspector, body)["id"])
    assert pages(pdf) >= 3 and words(pdf).count("存在问题") == pages(pdf)


def test_a_character_that_no_font_has_is_named(county_inspector: Person) -> None:
    sent = submit(county_inspector, record("onsite_sales", org_name="常州\U00030729五金店"))
    refused = county_inspector.get(f"/inspections/{sent['id']}/record.pdf")
    assert refused.status_code == 422 and "U+30729" in refused.json["errors"][0]["message"]


def test_who_may_not_read_the_record_may_not_print_it(
    county_inspector: Person, neighbour_inspector: Person, client: FlaskClient
) -> None:
    sent = submit(county_inspector, record("onsite_sales"))
    for path in (f"/inspections/{sent['id']}", f"/inspections/{new_id()}", f"/spot-checks/{sent['id']}"):
        assert neighbour_inspector.get(f"{path}/record.pdf").status_code == 404
    assert client.get(f"/api/v1/inspections/{sent['id']}/record.pdf").status_code == 401


@pytest.mark.parametrize("code", ["x", "A" * 22, "../../x", "%00", "码" * 40])
def test_a_guessed_code_is_of_no_print(client: FlaskClient, code: str) -> None:
    assert client.get(f"/v/{code}").status_code == 404


def test_the_print_of_a_record_that_is_gone_is_no_print(
    county_inspector: Person, client: FlaskClient, database: Database
) -> None:
    pdf = paper(county_inspector, submit(county_inspector, record("onsite_sales"))["id"])
    with database.write() as session:
        session.execute(delete(Print))
    status, page = scanned(client, pdf)
    assert status == 404 and "没有这份打印件" in page
