"""Every screen of the desk × every role: nothing is offered that the API refuses, nothing allowed is missing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect

from accounts import offices, operations
from accounts.models import Region
from accounts.sign_in import passwords
from accounts.verbs import FILING_VERBS, VERBS, Role
from bundle import client_build
from core.db import Database
from core.keys import stored as keys
from tests.browser.app import Bureau
from tests.browser.desks import sat_down
from tests.demo_folder import demo_folder
from tests.people import PASSWORD
from tests.servers import running_server

SCREENS: list[dict[str, Any]] = json.loads(
    Path(client_build.CLIENT, "desk", "src", "screens.json").read_text(encoding="utf-8")
)
"""What the app offers, and by which verbs."""
ROLES = [role for role in Role if role is not Role.ENTERPRISE]


def opens(screen: dict[str, Any], role: Role) -> bool:
    held = {verb.value for verb in VERBS[role]}
    if held & {verb.value for verb in FILING_VERBS}:
        held.add("filings")
    return not screen["verbs"] or bool(held & set(screen["verbs"]))


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: str(screen["path"]))
def test_each_screen_names_verbs_that_there_are(screen: dict[str, Any]) -> None:
    known = {verb.value for verbs in VERBS.values() for verb in verbs} | {"filings"}
    assert set(screen["verbs"]) <= known
    assert any(opens(screen, role) for role in ROLES)


@pytest.fixture(scope="module")
def office(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """The demo, and one more user for each role."""
    client_build.build("desk", if_stale=True)
    data_dir = demo_folder(tmp_path_factory, "all-roles")
    with running_server(data_dir, DEMO="1", ENTERPRISE_CAPTCHA="after_failure") as base:
        database = Database(f"sqlite:///{data_dir / 'gongpin.sqlite3'}")
        keys.open_keys(database.engine, (data_dir / "data.key").read_text(encoding="ascii").strip())
        password_hash = passwords.hash_password(PASSWORD)
        with database.write() as session:
            bureau = offices.bureau_of(session, session.get_one(Region, "320402"))
            for role in ROLES:
                operations.create_user(
                    session, bureau, f"role_{role.value}", password_hash, [role], must_change_password=False
                )
        database.dispose()
        yield Bureau(base, data_dir)


@pytest.mark.only_in_rounds
@pytest.mark.parametrize("role", ROLES, ids=lambda role: str(role.value))
def test_a_role_is_offered_all_that_it_may_open_and_nothing_that_is_refused(
    office: Bureau, chromium: Browser, role: Role
) -> None:
    body = {"username": f"role_{role.value}", "password": PASSWORD, "operator_name": "某某"}
    answer = requests.post(f"{office.base}/api/v1/sessions", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    signed_in = answer.json()
    headers = {"Authorization": f"Bearer {signed_in['token']}"}
    stored = json.dumps({"token": signed_in["token"], "me": signed_in["user"]})
    with sat_down(chromium) as page:
        page.add_init_script(
            f"localStorage.getItem('gongpin-desk') || localStorage.setItem('gongpin-desk', {stored!r})"
        )
        refused: list[str] = []
        page.on("response", lambda one: refused.append(one.url) if one.status in (401, 403, 404) else None)
        page.goto(f"{office.base}/desk/todos")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        offered = set(page.get_by_role("navigation", name="功能").get_by_role("link").all_inner_texts())
        menus = {screen["menu"] for screen in SCREENS if screen["menu"] and opens(screen, role)}
        assert offered == menus
        for screen in SCREENS:
            read = requests.get(f"{office.base}/api/v1{screen['reads']}", headers=headers, timeout=30)
            page.goto(f"{office.base}/desk{screen['path']}")
            title = page.get_by_role("heading", level=1)
            if opens(screen, role):
                assert read.status_code == 200, (screen["path"], read.status_code)
                expect(title).not_to_have_text("没有这个页面")
                page.wait_for_load_state("networkidle")
                assert page.get_by_role("alert").count() == 0, screen["path"]
                links = {link.get_attribute("href") or "" for link in page.get_by_role("link").all()}
                known = {f"/desk{one['path']}": one for one in SCREENS}
                wrong = [href for href in links if (one := known.get(href.split("?")[0])) and not opens(one, role)]
                assert wrong == [], screen["path"]
            else:
                expect(title).to_have_text("没有这个页面")
                # The same list with other filters may be open to more (the texts that wait are ratings).
                same = [one for one in SCREENS if one["reads"] == screen["reads"] and opens(one, role)]
                assert read.status_code in (403, 404) or same, (screen["path"], read.status_code)
        assert refused == []
