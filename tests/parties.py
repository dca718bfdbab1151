"""The two sides of a filing: a bureau's licence reviewer and an enterprise, signed in."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from sqlalchemy import select

from accounts import offices, operations
from accounts.models import Region
from accounts.sign_in import captchas, passwords
from accounts.verbs import Role
from core import clock
from core.db import Database
from core.forms.library import FormLibrary
from enterprise.handover import office_of
from enterprise.models import Enterprise
from enterprise.production.models import Licence
from enterprise.production.operations import LicenceFacts, put_licence
from miniapp_api.http.wiring import KEY
from tests import paperwork, signing_in
from tests.people import PASSWORD, Person, new_id, uscc
from tests.register import put_enterprises

ROOT = Path(__file__).resolve().parent.parent
WORKS, OTHER_WORKS, FAR_WORKS = uscc(101), uscc(102), uscc(103)

DECLARATION: dict[str, Any] = {
    "org_name": "常州某某电缆有限公司",
    "uscc": WORKS,
    "legal_representative": "钱某",
    "registered_address": "常州市天宁区某路1号",
    "production_address": "常州市天宁区某路1号",
    "contact_name": "孙某",
    "contact_mobile": "13800000007",
    "licence_no": "(苏)XK06-001-00001",
    "licence_valid_to": "2028-12-31",
    "product_detail": "塑料绝缘控制电缆",
    "is_producing": "normal",
}


@dataclass
class Parties:
    """Who takes part, and the licence that the first enterprise holds."""

    reviewer: Person
    enterprise: Person
    other_enterprise: Person
    far_reviewer: Person
    licence_id: str


def prepare(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    """Enterprises, a licence, a reviewer in 天宁区 and one in another city; taken as they are from a database that has
    them (`sqlite_with_parties` in tests/conftest.py)."""
    database: Database = application.extensions[KEY].database
    with database.read() as session:
        found = session.scalar(select(Licence.id).where(Licence.uscc == WORKS))
    licence_id = str(found) if found else fill(application)
    return Parties(
        sign_in("licence_reviewer"),
        sign_in_enterprise(application, WORKS),
        sign_in_enterprise(application, OTHER_WORKS),
        sign_in("far_reviewer"),
        licence_id,
    )


def fill(application: APIFlask) -> str:
    """Whom `prepare` signs in, and the licence, whose id is returned."""
    services = application.extensions[KEY]
    database: Database = services.database
    publish_forms(services.forms)
    password_hash = passwords.hash_password(PASSWORD)
    with database.write() as session:
        for code, name, region in (
            (WORKS, "常州某某电缆有限公司", "320402"),
            (OTHER_WORKS, "常州另一电线厂", "320402"),
            (FAR_WORKS, "南京某某电缆厂", "320102"),
        ):
            put_enterprises(session, {"uscc": code, "name": name, "region_code": region, "product_codes": ["06"]})
        licence, _ = put_licence(
            session,
            services.filings,
            LicenceFacts("(苏)XK06-001-00001", WORKS, "电线电缆", "塑料绝缘控制电缆", valid_to=date(2028, 12, 31)),
        )
        licence_id = str(licence.id)
        for username, code in (("licence_reviewer", "320402"), ("far_reviewer", "320102")):
            office_id = offices.bureau_of(session, session.get_one(Region, code))
            operations.create_user(
                session, office_id, username, password_hash, [Role.LICENCE_REVIEWER], must_change_password=False
            )
        for code in (WORKS, OTHER_WORKS):
            enterprise = session.scalars(select(Enterprise).where(Enterprise.uscc == code)).one()
            operations.create_user(
                session, office_of(session, enterprise), code, password_hash, [Role.ENTERPRISE],
                must_change_password=False,
            )  # fmt: skip
    return licence_id


def publish_forms(library: FormLibrary) -> None:
    for path in sorted((ROOT / "enterprise" / "production" / "forms").glob("*.json")):
        library.publish(json.loads(path.read_text()))


def sign_in_enterprise(application: APIFlask, username: str, password: str = PASSWORD) -> Person:
    """Sign an enterprise in; the captcha's text is known because the test makes it."""
    client = application.test_client()
    token = signing_in.token_of(application, username, password)
    if token is not None:
        return Person(username, client, token)
    with application.extensions[KEY].database.write() as session:
        captcha_id, text = captchas.issue(session)
    answer = client.post(
        "/api/v1/sessions",
        json={"username": username, "password": password, "captcha_id": str(captcha_id), "captcha": text.lower()},
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert answer.json is not None
    return Person(username, client, answer.json["token"])


def upload(person: Person, content: bytes, name: str, purpose: str) -> str:
    """Upload a file; its id."""
    answer = person.call(
        "POST",
        "/files",
        data={"file": (BytesIO(content), name), "purpose": purpose},
        content_type="multipart/form-data",
    )
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    assert answer.json is not None
    return str(answer.json["id"])


def open_declaration(parties: Parties) -> dict[str, Any]:
    """The row 更新申报 that stands open for the licence."""
    listed = parties.enterprise.get("/filings?kind=data_declaration").json["items"]
    return dict(next(row for row in listed if row["status"] == "update"))


def act(person: Person, filing: dict[str, Any], action: str, **body: Any) -> Any:
    """Take a step with the version that the filing was read with."""
    return person.post(f"/filings/{filing['id']}/actions/{action}", {"version": filing["version"], **body})


def send_report(parties: Parties, topic_id: str) -> Any:
    """The enterprise saves a self-check report of today and sends it; the last answer."""
    file_id = upload(parties.enterprise, paperwork.pdf(new_id()), "自查报告.pdf", "self_check_report")
    body = {
        "kind": "self_check_report",
        "subject": {"type": "self_check_topic", "id": topic_id},
        "data": {"check_date": clock.today().isoformat()},
        "documents": [{"category": "self_check_report", "file_id": file_id}],
    }
    opened = parties.enterprise.put(f"/filings/{new_id()}", body)
    return act(parties.enterprise, opened.json, "submit") if opened.status_code == 201 else opened
