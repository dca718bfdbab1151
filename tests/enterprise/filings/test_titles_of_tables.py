"""The self-check tables (自查表) are headed by the region whose office set or handles them, never by another's."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from sqlalchemy import select

from accounts.models import Region
from core.db import Database
from enterprise.filings.many import campaigns
from enterprise.filings.operations import follow_enterprise
from enterprise.models import Enterprise
from miniapp_api.http.wiring import KEY
from tests.parties import WORKS, Parties
from tests.people import Person, new_id

ROOT = Path(__file__).resolve().parents[3]
SALES = "工业产品质量安全隐患自查表（销售经营者填报）"


def heading(person: Person, filing_id: str) -> str:
    shown = person.get(f"/filings/{filing_id}").json
    return str(shown["form"]["title"])


def test_a_table_that_an_enterprise_opens_is_headed_by_the_region_of_its_office(parties: Parties) -> None:
    row = parties.enterprise.put(f"/filings/{new_id()}", {"kind": "self_check_sales", "data": {}}).json
    assert row["form"] == {"code": "self-check-sales", "version": 2, "title": f"天宁区{SALES}"}
    assert row["title"] == SALES


def test_a_table_that_a_campaign_set_is_headed_by_the_region_of_the_campaign_or_as_ordered(
    parties: Parties, application: APIFlask, database: Database
) -> None:
    engine = application.extensions[KEY].filings
    for title, region, named, expected in (
        ("区里的", "320402", None, "天宁区"), ("市里的", "320400", None, "常州市"),
        ("自定的", "320400", "两湖创新区", "两湖创新区"),
    ):  # fmt: skip
        with database.read() as session:
            ordered = campaigns.campaign(session, engine, "self_check_sales", region, title=title, title_region=named)
        campaigns.run(database, engine, ordered, dry=False, progress=lambda *_: None)
        (row,) = (one for one in parties.enterprise.get("/filings").json["items"] if one["title"] == title)
        assert heading(parties.enterprise, row["id"]) == f"{expected}{SALES}"


def test_an_unsent_table_of_its_own_follows_the_enterprise_and_one_of_a_campaign_does_not(
    parties: Parties, application: APIFlask, database: Database, sign_in: Callable[[str], Any]
) -> None:
    own = parties.enterprise.put(f"/filings/{new_id()}", {"kind": "self_check_sales", "data": {}}).json
    engine = application.extensions[KEY].filings
    with database.read() as session:
        ordered = campaigns.campaign(session, engine, "self_check_sales", "320402", title="区里的")
    campaigns.run(database, engine, ordered, dry=False, progress=lambda *_: None)
    with database.write() as session:
        enterprise = session.scalars(select(Enterprise).where(Enterprise.uscc == WORKS)).one()
        place = session.get_one(Region, "320404")
        moved = {"area1": place.area1, "area2": place.area2, "area3": place.area3}
        follow_enterprise(session, {"id": enterprise.id, "name": enterprise.name, **moved})
    headings = {
        row["id"]: heading(parties.enterprise, row["id"]) for row in parties.enterprise.get("/filings").json["items"]
    }
    assert headings.pop(own["id"]) == f"钟楼区{SALES}"
    assert f"天宁区{SALES}" in headings.values()


def test_no_form_names_a_place() -> None:
    with_places = [
        path.name
        for folder in ("enterprise/production/forms", "inspection/forms")
        for path in (ROOT / folder).glob("*.json")
        if "区" in (definition := json.loads(path.read_text()))["title"] and definition["version"] > 1
    ]
    assert with_places == []
