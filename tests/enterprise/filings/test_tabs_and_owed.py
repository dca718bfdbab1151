"""A filing whose form has tabs and papers that may be owed (容缺), over HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import paperwork
from tests.enterprise.filings.desk import Desk
from tests.enterprise.filings.invented import invented
from tests.parties import Parties, act, upload
from tests.people import new_id

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "tests" / "vectors" / "forms" / "tabs-and-owed.json"
FORM: dict[str, Any] = json.loads(VECTORS.read_text(encoding="utf-8"))["forms"]["application"]

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def declared(desk: Desk) -> Desk:
    desk.engine.forms.publish(FORM)
    desk.declare(invented(form_code="application"))
    return desk


@pytest.mark.usefixtures("declared")
def test_what_would_be_refused_names_its_tab_before_and_when_it_is_sent(parties: Parties) -> None:
    data = {"mode": "general", "staff": [{}], "answers": {"1.1": True}}
    filing = parties.enterprise.put(f"/filings/{new_id()}", {"kind": "invented", "data": data}).json
    expected = [
        ("/data/licence", "required", "基本信息"), ("/data/audit", "required", "基本信息"),
        ("/data/staff/0/insurance", "required", "技术人员"), ("/data/staff/0/contract", "required", "技术人员"),
    ]  # fmt: skip
    checked = parties.enterprise.get(f"/filings/{filing['id']}/check").json
    assert [(one["path"], one["code"], one["tab"]) for one in checked["errors"]] == expected
    assert checked["owed"] == []
    sent = act(parties.enterprise, filing, "submit")
    assert [(one["path"], one["code"], one["tab"]) for one in sent.json["errors"]] == expected


@pytest.mark.usefixtures("declared")
def test_what_is_owed_is_named_and_keeps_nothing_back(parties: Parties) -> None:
    licence = upload(parties.enterprise, paperwork.pdf(new_id()), "营业执照.pdf", "licence_document")
    data = {"mode": "deficient", "licence": licence, "staff": [{}], "answers": {"1.1": True}}
    filing = parties.enterprise.put(f"/filings/{new_id()}", {"kind": "invented", "data": data}).json
    checked = parties.enterprise.get(f"/filings/{filing['id']}/check").json
    assert checked == {
        "errors": [],
        "owed": [
            {"path": "/data/audit", "text": "审计报告"},
            {"path": "/data/staff/0/insurance", "text": "社保证明"},
            {"path": "/data/staff/0/contract", "text": "劳动合同"},
        ],
    }
    assert act(parties.enterprise, filing, "submit").status_code == 200
