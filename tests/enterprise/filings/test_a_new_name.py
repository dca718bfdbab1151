"""What becomes of filings when an enterprise has another name: declared and approved, or imported."""

from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask

from core.config import Settings
from core.db import Database
from enterprise.production.operations import LicenceFacts, put_licence
from miniapp_api.http.wiring import KEY
from tests.command_line import command_line
from tests.parties import DECLARATION, WORKS, Parties, act, open_declaration
from tests.people import Person, new_id

Json = dict[str, Any]
OLD, NEW = "常州某某电缆有限公司", "常州改名线缆股份有限公司"
SECOND = "(苏)XK06-001-00009"


@pytest.fixture
def second_licence(application: APIFlask, parties: Parties) -> str:
    """Another licence of the same enterprise, whose row 更新申报 nobody has touched."""
    services = application.extensions[KEY]
    with services.database.write() as session:
        put_licence(session, services.filings, LicenceFacts(SECOND, WORKS, "电线电缆", "架空绝缘电缆"))
    return SECOND


def approved(parties: Parties, **changes: Any) -> Json:
    rows = parties.enterprise.get("/filings?kind=data_declaration").json["items"]
    row = next(row for row in rows if row["summary"]["licence_no"] == DECLARATION["licence_no"])
    body = {"data": {**DECLARATION, **changes}, "version": row["version"]}
    row = parties.enterprise.put(f"/filings/{row['id']}", body).json
    row = act(parties.enterprise, row, "submit").json
    answer = act(parties.reviewer, row, "approve")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.json)


def found(person: Person, path: str, q: str) -> list[str]:
    items = person.get(f"{path}?q={q}").json["items"]
    return [item.get("name") or item["org_name"] for item in items]


def test_a_name_that_was_declared_and_approved_stands_in_the_register_and_is_found(parties: Parties) -> None:
    filing = approved(parties, org_name=NEW)
    mine = parties.enterprise.get("/me/enterprise").json
    assert (mine["name"], mine["declared"]["data"]["org_name"]) == (NEW, NEW)
    assert parties.enterprise.get("/me").json["enterprise"]["name"] == NEW
    assert found(parties.reviewer, "/enterprises", "线缆股份") == [NEW]
    assert found(parties.reviewer, "/enterprises", "某某电缆") == []
    row = open_declaration(parties)
    assert row["org_name"] == NEW
    shown = parties.enterprise.get(f"/filings/{row['id']}").json
    assert shown["data"]["org_name"] == NEW
    assert parties.reviewer.get(f"/filings/{filing['id']}").json["data"]["org_name"] == NEW


def test_other_facts_of_the_register_stay_when_a_declaration_is_adopted(parties: Parties) -> None:
    before = parties.enterprise.get("/me/enterprise").json
    approved(parties, org_name=NEW, registered_address="常州市天宁区新路2号")
    after = parties.enterprise.get("/me/enterprise").json
    assert after["address"] == "常州市天宁区新路2号"
    assert after["legal_representative"] == DECLARATION["legal_representative"]
    for name in ("uscc", "region_code", "product_codes"):
        assert after[name] == before[name]
    assert found(parties.reviewer, "/enterprises", "线缆股份&product_code=06") == [NEW]


@pytest.mark.usefixtures("second_licence")
def test_a_declaration_not_yet_begun_follows_what_another_one_changed(parties: Parties) -> None:
    approved(parties, org_name=NEW, registered_address="常州市天宁区新路2号")
    rows = parties.enterprise.get("/filings?kind=data_declaration&status=update").json["items"]
    (other,) = (row for row in rows if row["summary"]["licence_no"] == SECOND)
    data = parties.enterprise.get(f"/filings/{other['id']}").json["data"]
    assert (other["org_name"], data["org_name"], data["registered_address"]) == (NEW, NEW, "常州市天宁区新路2号")


def test_an_import_that_renames_an_enterprise_renames_what_it_has_not_sent(
    parties: Parties, settings: Settings, database: Database, tmp_path: Path
) -> None:
    draft = parties.enterprise.put(f"/filings/{new_id()}", {"kind": "self_check_sales", "data": {}}).json
    sent = open_declaration(parties)
    sent = parties.enterprise.put(f"/filings/{sent['id']}", {"data": DECLARATION, "version": sent["version"]}).json
    sent = act(parties.enterprise, sent, "submit").json
    path = tmp_path / "名录.csv"
    path.write_text(f"统一社会信用代码,企业名称,行政区划代码\n{WORKS},{NEW},320402\n", encoding="utf-8")
    with command_line(settings) as run:
        assert "更新1" in run("enterprises", "import", path, "--yes").stdout
    names = {row["id"]: row["org_name"] for row in parties.enterprise.get("/filings").json["items"]}
    assert names == {draft["id"]: NEW, sent["id"]: OLD}
    assert parties.reviewer.get(f"/filings/{sent['id']}").json["data"]["org_name"] == OLD


def test_an_import_that_renames_an_enterprise_renames_it_in_a_declaration_not_yet_begun(
    parties: Parties, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "名录.csv"
    path.write_text(f"统一社会信用代码,企业名称,行政区划代码\n{WORKS},{NEW},320402\n", encoding="utf-8")
    with command_line(settings) as run:
        run("enterprises", "import", path, "--yes")
    row = open_declaration(parties)
    assert parties.enterprise.get(f"/filings/{row['id']}").json["data"]["org_name"] == NEW


def test_the_same_register_imported_again_leaves_what_was_declared(
    parties: Parties, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "名录.csv"

    def profile(name: str, address: str) -> tuple[str, str]:
        """After such an import."""
        text = f"统一社会信用代码,企业名称,行政区划代码,住所\n{WORKS},{name},320402,{address}\n"
        path.write_text(text, encoding="utf-8")
        run("enterprises", "import", path, "--yes")
        shown = parties.enterprise.get("/me/enterprise").json
        return shown["name"], shown["address"]

    with command_line(settings) as run:
        assert profile(OLD, "旧址") == (OLD, "旧址")
        approved(parties, org_name=NEW, registered_address="申报的地址")
        assert profile(OLD, "旧址") == (NEW, "申报的地址")
        # What the register corrected comes in, and does not drag the rest along.
        assert profile(OLD, "新址") == (NEW, "新址")
        assert profile("第三个名字电缆厂", "新址") == ("第三个名字电缆厂", "新址")
