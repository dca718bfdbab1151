"""`python -m tests.paper_samples`: fills in the papers of the notice's district and prints them into `docs/samples/`.

Records are submitted, approved and served over HTTP in an installation of their own, whose chance is drawn from a
fixed seed: the same papers have the same numbers, codes and bytes each time. Names of people and enterprises are made
up.
"""

import io
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import time_machine
from apiflask import APIFlask
from PIL import Image, ImageDraw
from pydantic import SecretStr
from sqlalchemy import select

from accounts import operations
from accounts.verbs import Role
from app import create_app
from cli.preparation import prepare
from core.config import Settings
from core.db import Database
from core.keys import stored
from enterprise.handover import office_of
from enterprise.models import Enterprise
from miniapp_api.http.wiring import KEY
from tests.inspection.test_annexes import BLOCK, record
from tests.inspection.test_enforcement_papers import APPROVAL, ORDER, RECEIPT, SITE, step
from tests.newcomers import make_user, password_hash
from tests.parties import sign_in_enterprise, upload
from tests.people import PASSWORD, Person, new_id, production, sales, spot_check, uscc
from tests.records import items_of, save, submit
from tests.register import put_enterprises
from tests.servers import ROOT

FOLDER = ROOT / "docs" / "samples"
MOMENT = "2022-05-12T02:00:00Z"
REGION, WORKS = "500105", "91500105MA5TEX017C"
NAME, ADDRESS = "重庆江北某某电缆有限公司", "重庆市江北区某某路1号"
ORG: dict[str, Any] = {"uscc": WORKS, "org_name": NAME, "org_address": ADDRESS, "check_date": "2022-05-11"}
PEOPLE: dict[str, Any] = {"inspectors": ["陈某", "刘某"], "escort": "赵某某"}
TWO = [{"name": "陈某", "certificate_no": "50010522001"}, {"name": "刘某", "certificate_no": "50010522002"}]


def main() -> int:
    """Make all samples."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.*"):
        if old.suffix in (".pdf", ".docx"):
            old.unlink()
    with same_chance(), time_machine.travel(MOMENT, tick=False), tempfile.TemporaryDirectory() as folder:
        application = _installed(Path(folder))
        inspector = _signed_in(application, "jiangbei", "陈某")
        head = _signed_in(application, "jiangbei_head", "周某某")
        enterprise = sign_in_enterprise(application, WORKS)
        for name, content in {**_checks(inspector), **_self_checks(enterprise), **_papers(inspector, head)}.items():
            (FOLDER / name).write_bytes(content)
            print(f"docs/samples/{name}  {len(content) // 1024} KB")
        application.extensions[KEY].database.dispose()
    return 0


@contextmanager
def same_chance() -> Iterator[None]:
    """Ids, keys and codes come from a seed. Never where anybody's secrets are made."""
    drawn = random.Random(1)
    with mock.patch.object(os, "urandom", drawn.randbytes), mock.patch.object(random, "_urandom", drawn.randbytes):
        yield


def _installed(folder: Path) -> APIFlask:
    settings = Settings(
        data_dir=folder, data_key=SecretStr("k" * 40), log_level="ERROR", demo=False, enterprise_captcha="always",
        public_url="https://demo.example.gov.cn",
    )  # fmt: skip
    database = Database(settings.resolved_database_url)
    prepare(settings, database)
    stored.open_keys(database.engine, settings.secret)
    make_user(database, REGION, "jiangbei", Role.INSPECTOR)
    make_user(database, REGION, "jiangbei_head", Role.INSPECTION_APPROVER)
    with database.write() as session:
        put_enterprises(session, {"uscc": WORKS, "name": NAME, "region_code": REGION, "product_codes": ["06"]})
    _account_of_enterprise(database)
    database.dispose()
    return create_app(settings)


def _account_of_enterprise(database: Database) -> None:
    with database.write() as session:
        enterprise = session.scalars(select(Enterprise).where(Enterprise.uscc == WORKS)).one()
        operations.create_user(
            session, office_of(session, enterprise), WORKS, password_hash(), [Role.ENTERPRISE],
            must_change_password=False,
        )  # fmt: skip


def _signed_in(application: APIFlask, username: str, operator_name: str) -> Person:
    client = application.test_client()
    body = {"username": username, "password": PASSWORD, "operator_name": operator_name}
    answer = client.post("/api/v1/sessions", json=body)
    assert answer.status_code == 201 and answer.json is not None, answer.get_data(as_text=True)
    return Person(username, client, answer.json["token"])


def _checks(person: Person) -> dict[str, bytes]:
    signatures = [
        upload(person, _signature(shift), f"签名-{name}.png", "signature")
        for shift, name in enumerate(("陈某", "刘某", "赵某某"))
    ]
    photos = [upload(person, _photo(number), f"现场{number}.jpg", "photo") for number in range(1, 7)]
    blocks = [{**BLOCK, "product_model": model} for model in ("BV 2.5", "RVV 3×1.5", "YJV 4×25")]
    seller = {**ORG, **PEOPLE, "org_name": "重庆江北某某五金经营部", "uscc": uscc(901)}
    made = {
        "annex-4-onsite-sales": record(
            "onsite_sales", **seller, answers={"2": "no", "2.problem": "未建立进货验收制度，部分进货没有票据"}
        ),
        "annex-5-onsite-production": record("onsite_production", **ORG, **PEOPLE),
        "annex-6-ccc-production": record(
            "ccc_production", **ORG, **PEOPLE, leader="陈某", samples=blocks, overall="", photos=photos,
            signatures=signatures,
            answers={"2.1": "bad", "2.1.problem": "营业执照地址与证书不一致，未向认证机构备案", "4.8": "na"},
        ),
    }  # fmt: skip
    found = {}
    for name, body in made.items():
        found |= _printed(person, submit(person, body)["id"], "inspections", name)
    made_of = items_of(person, "06")
    producer = production(**ORG, **PEOPLE, production_address=ADDRESS,
                          products=[made_of("塑料绝缘控制电缆")], confirm_duplicate=True)  # fmt: skip
    found |= _printed(person, submit(person, producer)["id"], "inspections", "check-production")
    seller_check = sales(**ORG, **PEOPLE, business_address=ADDRESS,
                         products=[made_of("塑料绝缘控制电缆")], confirm_duplicate=True)  # fmt: skip
    found |= _printed(person, submit(person, seller_check)["id"], "inspections", "check-sales")
    sampled = {name: ORG[name] for name in ("uscc", "org_name", "org_address")}
    days = {"sampled_on": "2022-05-11", "production_date": "2022-04-01", "report_date": "2022-05-12"}
    sheet = spot_check(**sampled, **days, samplers=PEOPLE["inspectors"])
    found |= _printed(person, submit(person, sheet, noun="spot-checks")["id"], "spot-checks", "spot-check")
    draft = save(person, record("onsite_sales", **seller))
    return found | {"draft.pdf": _get(person, f"/inspections/{draft['id']}/record.pdf")}


def _self_checks(enterprise: Person) -> dict[str, bytes]:
    found = {}
    yes = {str(number): "yes" for number in range(1, 11)}
    licence = {"1.licence": WORKS}
    head = {"org_name": NAME, "filled_by": "赵某某", "check_date": "2022-05-10"}
    for kind, name, data in (
        ("self_check_sales", "annex-2-self-check-sales",
         {**head, "answers": {"1": "yes", **licence, "2": "no", "2.problem": "部分进货没有索取发票", "3": "yes",
                              "4": "yes", "5": "yes", "5.failed": "none"}}),
        ("self_check_production", "annex-3-self-check-production",
         {**head, "legal_representative": "王某某",
          "answers": {**yes, **licence, "2": "no", "6.methods": ["self"], "7.detail": "ok", "8.detail": "ok"}}),
    ):  # fmt: skip
        filing_id = new_id()
        answer = enterprise.put(f"/filings/{filing_id}", {"kind": kind, "data": data})
        assert answer.status_code == 201, answer.get_data(as_text=True)
        found |= _printed(enterprise, filing_id, "filings", name)
    return found


def _papers(person: Person, head: Person) -> dict[str, bytes]:
    found = {}
    org = {"org_name": NAME, "org_address": ADDRESS, "uscc": WORKS}
    approval = {**APPROVAL, **org, "basis": "《中华人民共和国产品质量法》第十八条", "check_date": "2022-05-13",
                "content": "生产许可证、强制性产品认证、出厂检验、关键原材料", "inspectors": TWO,
                "frequency": "本年度第1次"}  # fmt: skip
    notice = {
        **org, "approval_no": "江北区市监检审〔2022〕1号", "basis": "《中华人民共和国产品质量法》第十八条",
        "content": "生产许可证、强制性产品认证、出厂检验、关键原材料", "check_date": "2022-05-13",
        "place": "你单位生产现场", "materials": "营业执照、生产许可证、近三个月出厂检验记录", "inspectors": TWO,
        "contact_name": "陈某", "contact_tel": "023-67000000",
    }  # fmt: skip
    met = {"escort": "赵某某", "escort_post": "质量负责人", "witness": "社区工作人员钱某"}
    refusal = {"refused_to_sign": True, "refusal_reason": "称须请示总公司"}
    seen = (
        "检查人员在生产车间和成品库抽查BV 2.5聚氯乙烯绝缘电缆出厂检验记录30份（2022年1月至4月），其中6份没有导体电阻"
        "检验数据；现场未见该批产品的原材料进货验收记录。现场拍摄照片6张，复印出厂检验记录6份。"
    )
    site = {**SITE, **org, **met, **refusal, "check_date": "2022-05-11", "inspectors": TWO, "facts": seen,
            "statement": "称原材料验收记录保存在仓库，十日内补齐。"}  # fmt: skip
    order = {**ORDER, **org, "due_on": "2022-05-31", "inspectors": TWO, "contact_name": "陈某",
             "contact_tel": "023-67000000",
             "facts": "2022年1月至4月生产的BV 2.5聚氯乙烯绝缘电缆，有6批没有导体电阻出厂检验数据",
             "violated": "《中华人民共和国产品质量法》第十二条", "basis": "《中华人民共和国产品质量法》的有关规定",
             "demand": "补齐出厂检验项目，对未检验的批次重新检验；检验合格前不得出厂销售"}  # fmt: skip
    for kind, data in (
        ("inspection_approval", approval), ("inspection_notice", notice), ("site_record", site),
        ("correction_order", order),
    ):  # fmt: skip
        answer = person.put(f"/enforcement-papers/{new_id()}", {"kind": kind, "data": data})
        assert answer.status_code == 201, answer.get_data(as_text=True)
        paper = _taken(person, answer.json, "submit" if kind == "inspection_approval" else "issue")
        if kind == "inspection_approval":
            paper = _taken(head, paper, "approve", comment="同意")
        found |= _law(person, paper["id"], "record", f"law-{kind.replace('_', '-')}")
        if kind == "correction_order":
            receipt = {**RECEIPT, "recipient": NAME, "served_on": "2022-05-12", "servers": TWO}
            served = _taken(person, paper, "serve", data=receipt)
            found |= _law(person, served["id"], "receipt", "law-service-receipt")
    return found


def _law(person: Person, paper_id: str, which: str, name: str) -> dict[str, bytes]:
    base = f"/enforcement-papers/{paper_id}/{which}"
    return {f"{name}.{ending}": _get(person, f"{base}.{ending}") for ending in ("pdf", "docx")}


def _taken(person: Person, paper: Any, action: str, **body: Any) -> Any:
    answer = step(person, paper, action, **body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def _printed(person: Person, record_id: str, noun: str, name: str) -> dict[str, bytes]:
    return {f"{name}.{ending}": _get(person, f"/{noun}/{record_id}/record.{ending}") for ending in ("pdf", "docx")}


def _get(person: Person, path: str) -> bytes:
    answer = person.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return bytes(answer.data)


def _signature(shift: int) -> bytes:
    picture = Image.new("RGBA", (600, 240), (255, 255, 255, 0))
    points = [(30, 170), (130, 60 + 20 * shift), (230, 190), (330, 70), (430, 170 - 30 * shift), (560, 110)]
    ImageDraw.Draw(picture).line(points, fill="black", width=8, joint="curve")
    return _bytes(picture, "PNG")


def _photo(number: int) -> bytes:
    """A drawing that stands for a photo of the site: shelves with drums of cable."""
    upright = number % 3 == 0
    picture = Image.new("RGB", (900, 1200) if upright else (1200, 900), (206, 214, 222))
    draw = ImageDraw.Draw(picture)
    for row in range(3):
        top = 120 + row * (picture.height - 160) // 3
        draw.rectangle((60, top + 170, picture.width - 60, top + 190), fill=(110, 95, 80))
        for drum in range(picture.width // 220):
            left, shade = 90 + drum * 210, 90 + (number * 17 + row * 31 + drum * 23) % 120
            draw.ellipse((left, top, left + 170, top + 170), fill=(shade, 70, 40))
            draw.ellipse((left + 60, top + 60, left + 110, top + 110), fill=(206, 214, 222))
    return _bytes(picture, "JPEG")


def _bytes(picture: Image.Image, form: str) -> bytes:
    target = io.BytesIO()
    picture.save(target, form)
    return target.getvalue()


if __name__ == "__main__":
    sys.exit(main())
