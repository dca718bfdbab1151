"""Checks on the phone, as an inspector makes them: shops that were visited, home, the start of a check, its end."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from playwright.sync_api import Page, expect

from core import clock
from tests.browser.app import Bureau
from tests.browser.inspector import COUNTY, Inspector, product
from tests.browser.waiting import keys_kept

HOME = "/pages/home/index"
SALES = {
    "1.1": "是",
    "1.2": "是",
    "1.3": "是",
    "2.1": "是",
    "2.2": "是",
    "2.3": "否",
    "3.1": "否",
    "3.2": "是",
    "3.3": "否",
}
PRODUCTION_NO = ("1.2", "1.3", "1.4", "3.2")


def visited(bureau: Bureau, kind: str, enterprise: dict[str, Any], inspectors: list[str]) -> None:
    """The shop was checked yesterday without a problem."""
    definition = bureau.call(COUNTY, "GET", f"/forms/gpc-{kind}")
    questions = [item for section in definition["sections"] for item in section["items"] if item.get("required")]
    answers: dict[str, Any] = {
        item["no"]: next(one["value"] for one in item["options"] if one["value"] not in item["problem_when"])
        for item in questions
        if "no" in item and item["type"] == "choice"
    }
    if kind == "production":
        answers["4.1.methods"] = ["self"]
    body = {
        "kind": kind, "product_code": "06", "form_version": definition["version"], "uscc": enterprise["uscc"],
        "org_name": enterprise["name"], "org_address": enterprise["address"] or "某路1号", "unable": False,
        "regulation_types": ["licence"], "products": [product(bureau)], "inspectors": inspectors,
        "check_date": (clock.today() - timedelta(days=1)).isoformat(), "answers": answers,
        f"{'business' if kind == 'sales' else 'production'}_address": "某路1号",
        "confirm_duplicate": True,  # the demo may have visited it on that day
    }  # fmt: skip
    record_id = str(uuid4())
    bureau.call(COUNTY, "PUT", f"/inspections/{record_id}/submission", body)
    wait_until(lambda: record_id in visits_in_register(bureau, enterprise["uscc"]))


def visits_in_register(bureau: Bureau, uscc: str) -> list[str]:
    """Ids of the last visits that the register tells a phone."""
    after, more = "", True
    while more:
        page = bureau.call(COUNTY, "GET", f"/enterprises/changes{after}")
        for one in page["items"]:
            if one["uscc"] == uscc:
                return [visit["record_id"] for visit in one["visits"]]
        after, more = f"?after={page['next_after']}", page["more"]
    return []


def wait_until(holds: Callable[[], bool]) -> None:
    """Ask again until it holds; fails after a minute."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def records(bureau: Bureau, enterprise: dict[str, Any]) -> list[dict[str, Any]]:
    """Today's submitted checks of an enterprise, as the office reads them."""
    day = clock.today().isoformat()
    address = f"/inspections?status=submitted&q={enterprise['name']}&from={day}&to={day}"
    found = bureau.call(COUNTY, "GET", address)["items"]
    return [one for one in found if one["uscc"] == enterprise["uscc"]]


def at_home(bureau: Bureau, page: Page) -> Inspector:
    inspector = Inspector(bureau, page)
    inspector.open(HOME)
    # The register comes to the phone by itself; a check in a cellar must not wait for it, a test of presses may.
    wait_until(lambda: register_and_forms_kept(page))
    return inspector


def register_and_forms_kept(page: Page) -> bool:
    """Whether the phone keeps its register up to a mark, and the forms of checks."""
    keys = keys_kept(page)
    return any(one.endswith("register/mark") for one in keys) and any("/forms/gpc" in one for one in keys)


def begin(inspector: Inspector, title: str, enterprise: dict[str, Any]) -> None:
    """Home, scan, 核对无误，继续."""
    inspector.press(inspector.page.get_by_role("link", name=title))
    inspector.scan(enterprise["uscc"])
    inspector.button("核对无误，继续")


def submit(inspector: Inspector) -> None:
    inspector.button("提交")
    expect(inspector.page.get_by_role("heading", name="已提交")).to_be_visible()
