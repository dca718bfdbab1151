"""A server that carries the kinds of `tests/kinds` and takes registrations.

`declare` runs in the server's own process before it starts, `people` in one of its own; both by `proof_server`.
"""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from accounts import offices, operations
from accounts.models import OfficeKind, Region
from accounts.sign_in import passwords
from accounts.verbs import Role
from app import create_app
from assets.files.purposes import Category
from core.forms.publishing import publish_definition
from enterprise import systems
from enterprise.filings.declaring.declarations import APPLICANT, DECLARATION_ATTACHMENT, Document, Post, Status, Step
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.steps.routing import by_place
from enterprise.registrations.declarations import Registration
from miniapp_api.http.wiring import KEY
from tests.browser.app import Bureau, build_if_stale
from tests.demo_folder import demo_folder
from tests.kinds import power_new, transport_evaluation
from tests.kinds.forms import form, item, options
from tests.people import PASSWORD
from tests.servers import ROOT, server_process

AUTHORITY, AGENCY, UNIT = "常州市交通运输局", "甲评价机构", "常州市交通运输综合服务中心"
BRANCH = "江苏能源监管办"
PEOPLE = {
    "authority": (AUTHORITY, Role.TRANSPORT_AUTHORITY),
    "agency": (AGENCY, Role.TRANSPORT_AGENCY),
    **{f"reviewer_{n}": (AGENCY, Role.TRANSPORT_REVIEWER) for n in "123"},
    "acceptance": (BRANCH, Role.POWER_ACCEPTANCE),
}
_OFFICES = {
    AUTHORITY: (OfficeKind.TRANSPORT_AUTHORITY, "320400"),
    AGENCY: (OfficeKind.EVALUATION_AGENCY, "320400"),
    BRANCH: (OfficeKind.ENERGY_BRANCH, "320000"),
    UNIT: (OfficeKind.MAINTENANCE_UNIT, "320400"),
}
DECIDING = Post(
    "transport_agencies", "评价机构审核", "transport.supervise", delegable_to=(OfficeKind.MAINTENANCE_UNIT.value,)
)
_GOODS = form("proof-agency", "评价机构报名")
_GOODS["tabs"] = [{"code": "unit", "title": "单位情况"}, {"code": "work", "title": "业务情况"}]
_GOODS["sections"] = [
    {"code": "basic", "title": "基本情况", "tab": "unit", "items": [
        item("area", "备案地", "region", required=True),
        item("mode", "办理方式", "choice", required=True, options=options(general="一般", deficient="容缺")),
        item("leader", "负责人", "text", required=True, max_length=30),
    ]},
    {"code": "goods", "title": "设备", "tab": "work", "items": [
        item("hs", "进口设备HS编码", "choice", options_from="hs_codes", search=True),
        item("staff", "评审员", "group", max_items=50, items=[
            item("name", "姓名", "text", required=True), item("kind", "专业", "text"),
        ]),
        item("permit", "场地证明", "file", required=True, owed_when={"item": "mode", "in": ["deficient"]}),
    ]},
]  # fmt: skip
STATEMENT = Document(Category("statement", "承诺书", frozenset({DECLARATION_ATTACHMENT})), required="never")


def agency_kind() -> FilingKind:
    """What an agency opens that registers without an account; a correction locks its area."""
    return FilingKind(
        code="proof_agency",
        title="评价机构报名",
        form_code="proof-agency",
        statuses=[
            Status("draft", "填报中", APPLICANT, edits=APPLICANT),
            Status("sent", "待审核", DECIDING, todo="评价机构报名待审核"),
            Status("returned", "补正", APPLICANT, edits=APPLICANT, locks=["area"], todo="报名须补正"),
            Status("listed", "已公布", end=True),
        ],
        steps=[
            Step("open", "报名", None, "draft", APPLICANT),
            Step("submit", "提交", "draft", "sent", APPLICANT, sends=True),
            Step("return", "退回补正", "sent", "returned", DECIDING, comment=True),
            Step("submit", "补正提交", "returned", "sent", APPLICANT, sends=True),
            Step("list", "公布", "sent", "listed", DECIDING, many=True),
        ],
        documents=[STATEMENT],
        matter="mode",
        route=by_place("area", OfficeKind.TRANSPORT_AUTHORITY.value),
    )


FORMS = (*power_new.FORMS, *transport_evaluation.FORMS, _GOODS)


def declare() -> None:
    """Give the process that is about to serve these kinds and the registration."""
    kinds = (power_new.power_new(), transport_evaluation.transport_evaluation(), agency_kind())
    systems.KINDS = (*systems.KINDS, *kinds)
    systems.form_definitions().update({one["code"]: one for one in FORMS})
    hint = "请准备负责人信息和场地证明"
    systems.REGISTRATIONS = (Registration("transport", "proof_agency", "评价机构报名", "organisation", hint),)


def people() -> None:
    """Publish the forms, and make offices and their users, in the installation of the environment."""
    application = create_app()
    services = application.extensions[KEY]
    for definition in FORMS:
        outcome = publish_definition(services.forms, definition, definition["code"])
        assert not outcome.faults, outcome
    password_hash = passwords.hash_password(PASSWORD)
    with services.database.write() as session:
        ids = {
            name: offices.create_office(session, name, kind.value, session.scalars(_region(code)).one(), None)
            for name, (kind, code) in _OFFICES.items()
        }
        for username, (office, role) in PEOPLE.items():
            operations.create_user(session, ids[office], username, password_hash, [role], must_change_password=False)
    folder = services.settings.data_dir
    (folder / "proof-offices.json").write_text(json.dumps({name: str(found) for name, found in ids.items()}))
    services.database.dispose()


def _region(code: str) -> Any:
    return select(Region).where(Region.code == code)


class Proof(Bureau):
    """The demo with these kinds; who is no demo account signs in with the tests' password."""

    def account(self, username: str) -> dict[str, Any]:
        if username in PEOPLE:
            return {"username": username, "password": PASSWORD}
        return super().account(username)

    def office(self, name: str) -> str:
        """The id of an office of these kinds."""
        return str(json.loads((self.data_dir / "proof-offices.json").read_text(encoding="utf-8"))[name])


def _import_codes(data_dir: Path, environment: dict[str, str]) -> None:
    file = data_dir / "hs.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as written:
        csv.writer(written).writerows(
            [["代码", "名称", "计量单位"], *[[f"85371{n:05d}", f"电力控制装置{n}", "台"] for n in range(30)]]
        )
    load = [sys.executable, "cli/__main__.py", "catalogues", "hs_codes", "import", str(file)]
    subprocess.run(load, cwd=ROOT, env=environment, check=True, timeout=120, capture_output=True)


@contextmanager
def proof_server(data_dir: Path) -> Iterator[Proof]:
    """The server of a data folder in which the demo is loaded."""
    environment = {**os.environ, "DATA_DIR": str(data_dir), "DATABASE_URL": "", "DEMO": "1"}
    make = [sys.executable, "-c", "from tests.browser import proof; proof.people()"]
    subprocess.run(make, cwd=ROOT, env=environment, check=True, timeout=300)
    _import_codes(data_dir, environment)
    declared = "from tests.browser import proof; proof.declare()"
    with server_process(data_dir, constants=declared, DEMO="1", ENTERPRISE_CAPTCHA="after_failure") as (base, _):
        yield Proof(base, data_dir)


@pytest.fixture(scope="module")
def proof(chromium: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    """One for the tests of a module."""
    build_if_stale()
    with proof_server(demo_folder(tmp_path_factory, "proof")) as server:
        yield server
