"""A filing whose form searches a catalogue and takes rows from one, over HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest

from assets.tables.writing import write_csv
from enterprise.catalogues.declared import CATALOGUES
from enterprise.catalogues.importing import open_catalogue
from tests.enterprise.filings.desk import Desk
from tests.enterprise.filings.invented import invented
from tests.parties import Parties, act
from tests.people import new_id

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "tests" / "vectors" / "forms" / "words.json"
FORM: dict[str, Any] = json.loads(VECTORS.read_text(encoding="utf-8"))["forms"]["goods"]

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def declared(desk: Desk, tmp_path: Path) -> Desk:
    for code, headings, rows in (
        (
            "hs_codes",
            ["编码", "名称", "计量单位"],
            [["8415101000", "空气调节器", "台"], ["8301100000", "挂锁", "千克"]],
        ),
        ("hs_features", ["代码", "名称", "上级代码", "必填"], [["use", "用途", "8415101000", "是"]]),
    ):
        path = tmp_path / f"{code}.csv"
        path.write_bytes(b"".join(write_csv(headings, rows)))
        assert open_catalogue(desk.database, path, CATALOGUES[code]).apply().refused == 0
    desk.engine.forms.publish(FORM)
    desk.declare(invented(form_code="goods"))
    return desk


@pytest.mark.usefixtures("declared")
def test_an_entry_is_searched_by_code_and_name(parties: Parties) -> None:
    answer = parties.enterprise.get("/catalogues/hs_codes?q=84").json
    assert answer == {
        "items": [{"code": "8415101000", "name": "空气调节器", "detail": {"unit": "台"}, "valid_to": None}],
        "next_after": None,
    }
    named = parties.reviewer.get("/catalogues/hs_codes?q=挂锁").json["items"]
    assert [one["code"] for one in named] == ["8301100000"]
    rows = parties.enterprise.get("/catalogues/hs_features/rows?of=8415101000").json["items"]
    assert [(one["code"], one["detail"]) for one in rows] == [("use", {"required": True})]
    some = parties.enterprise.get("/catalogues/hs_codes/entries?codes=8301100000,1").json["items"]
    assert [one["name"] for one in some] == ["挂锁"]
    assert parties.enterprise.get("/catalogues/nowhere?q=84").status_code == 404
    assert parties.enterprise.get("/catalogues/hs_codes?q=锁").json["errors"][0]["code"] == "too_short"


@pytest.mark.usefixtures("declared")
def test_what_the_catalogue_says_is_filled_in_when_it_is_saved_and_demanded_when_it_is_sent(parties: Parties) -> None:
    body = {"kind": "invented", "data": {"products": [{"hs_code": "8415101000", "hs_name": "手写"}]}}
    filing = parties.enterprise.put(f"/filings/{new_id()}", body).json
    product = {
        "hs_code": "8415101000", "hs_name": "空气调节器", "hs_unit": "台",
        "features": [{"feature": "use", "question": "用途"}],
    }  # fmt: skip
    assert filing["data"]["products"] == [product]
    sent = act(parties.enterprise, filing, "submit")
    assert [(one["path"], one["code"]) for one in sent.json["errors"]] == [
        ("/data/products/0/features/0/answer", "required")
    ]
    product["features"] = [{"feature": "use", "answer": "办公"}]
    version = {"version": filing["version"]}
    filing = parties.enterprise.put(f"/filings/{filing['id']}", {"data": {"products": [product]}, **version}).json
    assert act(parties.enterprise, filing, "submit").status_code == 200


@pytest.mark.usefixtures("declared")
def test_a_code_that_no_catalogue_has_is_kept_in_a_draft_and_refused_when_it_is_sent(parties: Parties) -> None:
    body = {"kind": "invented", "data": {"products": [{"hs_code": "9999999999"}]}}
    filing = parties.enterprise.put(f"/filings/{new_id()}", body)
    assert filing.status_code == 201
    sent = act(parties.enterprise, filing.json, "submit")
    assert [(one["path"], one["code"]) for one in sent.json["errors"]] == [
        ("/data/products/0/hs_code", "unknown_option")
    ]
