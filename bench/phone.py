"""The phone's app (H5) in Chromium on a slow phone: size, first and second visit, a tap in a long form, a long list.

Slow means a CPU of a quarter of this machine's speed, 400 kbit/s and 400 ms, all by Chromium's own throttling.
"""

import gzip
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import quote

import requests
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from bench import phone_scripts
from bench.databases import place
from bench.server import product
from bench.tables import print_table, spread
from miniapp_api.phone_app import APP

SLOWER = 4
LATENCY = 400
"""Milliseconds added to each request."""
BYTES_A_SECOND = 400_000 // 8
KB = 1024
"""Bytes; the limits of `tests/browser/first_load.py` count the same way."""

ITEMS = 60
WAITING = 2_000
FORM = "gpc-sales"
COUNTY = "demo_tianning"


@dataclass(frozen=True, slots=True)
class Bureau:
    """A server with the demo; `inspector` is a session of the county's inspector."""

    base: str
    inspector: dict[str, Any]

    def get(self, path: str) -> Any:
        """An answer of the API in the inspector's name."""
        headers = {"Authorization": f"Bearer {self.inspector['token']}"}
        answer = requests.get(f"{self.base}/api/v1{path}", headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()


def report(dialects: Sequence[str], *, quick: bool) -> None:
    """Print the tables; the database makes no difference here, so that one run is enough."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None or not APP.is_built():
        print("The phone's app: skipped, for there is " + ("no build (make client)" if path else "no Chromium"))
        return
    rounds = 1 if quick else 5
    with _bureau() as bureau, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        rows = _visits(browser, bureau, rounds)
        rows += _home(browser, bureau, rounds)
        rows.append(_taps(browser, bureau, 10 if quick else 30))
        rows.append(_scrolling(browser, bureau, 300 if quick else WAITING))
        browser.close()
    head = ["", "measured", "goal"]
    print_table(f"H5 in Chromium: CPU {SLOWER}× slower, 400 kbit/s, {LATENCY} ms; median (min-max)", head, rows)


@contextmanager
def _bureau() -> Iterator[Bureau]:
    with place("sqlite") as where, product(where, DEMO="1") as server:
        accounts = json.loads((where.folder / "demo-accounts.json").read_text(encoding="utf-8"))
        account = next(one for one in accounts if one["username"] == COUNTY)
        body = {"username": COUNTY, "password": account["password"], "operator_name": "李敏"}
        base = f"http://127.0.0.1:{server.port}"
        answer = requests.post(f"{base}/api/v1/sessions", json=body, timeout=30)
        answer.raise_for_status()
        yield Bureau(base, answer.json())


def _phone(browser: Browser, **options: Any) -> BrowserContext:
    return browser.new_context(
        viewport={"width": 375, "height": 812}, device_scale_factor=2, has_touch=True, is_mobile=True, locale="zh-CN",
        **options,
    )  # fmt: skip


def _slow(page: Page, *, network: bool = True) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    if network:
        session.send("Network.enable")
        conditions = {"downloadThroughput": BYTES_A_SECOND, "uploadThroughput": BYTES_A_SECOND, "latency": LATENCY}
        session.send("Network.emulateNetworkConditions", {"offline": False, **conditions})


def asked_for(page: Page, base: str) -> set[str]:
    """From now on: the files of the app that the page asks for."""
    names: set[str] = set()
    prefix = f"{base}/app/"
    page.on("request", lambda one: names.add(one.url.split("#")[0].removeprefix(prefix)) if prefix in one.url else None)
    return names


def sizes_of(names: set[str]) -> dict[str, int]:
    """Of each of these files the bytes that the server sends as gzip."""
    files = {name or "index.html" for name in names}
    return {name: len(gzip.compress((APP.built / name).read_bytes(), 9)) for name in sorted(files)}


def _kilobytes(names: set[str]) -> float:
    return sum(sizes_of(names).values()) / KB


def _visits(browser: Browser, bureau: Bureau, rounds: int) -> list[list[str]]:
    """Opening the app as nobody, until the sign-in can be used; then once more on the same phone."""
    size, times = 0.0, {"first": list[float](), "second": list[float](), "second, not kept by the app": list[float]()}
    for _ in range(rounds):
        for kept in ("allow", "block"):
            phone = _phone(browser, service_workers=kept)
            page = phone.new_page()
            names = asked_for(page, bureau.base)
            first = _until_usable(page, bureau)
            if kept == "block":
                size = _kilobytes(names)
                times["first"].append(first)
            else:
                page.wait_for_function("() => navigator.serviceWorker.ready.then(() => true)")
            page.close()
            second = _until_usable(phone.new_page(), bureau)
            times["second" if kept == "allow" else "second, not kept by the app"].append(second)
            phone.close()
    return [
        ["sign-in: files, gzip", f"{size:.0f} KB", "100 KB"],
        ["sign-in usable, first visit", f"{spread(times['first'])} s", "5 s"],
        ["sign-in usable, second visit", f"{spread(times['second'])} s", "1.5 s"],
        ["… with the browser's cache alone", f"{spread(times['second, not kept by the app'])} s", "1.5 s"],
    ]


def _until_usable(page: Page, bureau: Bureau) -> float:
    """Seconds from the address to a sign-in that takes letters."""
    page.add_init_script(phone_scripts.USABLE)
    _slow(page)
    page.goto(f"{bureau.base}/app/", wait_until="commit")
    page.wait_for_function("() => window.usable", timeout=60_000)
    return float(page.evaluate("() => window.usable")) / 1000


def _signed_in(phone: BrowserContext, bureau: Bureau) -> Page:
    kept = {
        "token": bureau.inspector["token"], "me": bureau.inspector["user"], "mustChangePassword": False,
        "expired": False, "product": {"code": "06", "name": "电线电缆"},
    }  # fmt: skip
    page = phone.new_page()
    stored = json.dumps({"type": "object", "data": kept})
    page.add_init_script(f"localStorage.getItem('session') || localStorage.setItem('session', {stored!r})")
    return page


def _home(browser: Browser, bureau: Bureau, rounds: int) -> list[list[str]]:
    """The first load of somebody who is signed in: everything that home asks for."""
    seconds, size = [], 0.0
    for _ in range(rounds):
        phone = _phone(browser, service_workers="block")
        page = _signed_in(phone, bureau)
        names = asked_for(page, bureau.base)
        _slow(page)
        page.goto(f"{bureau.base}/app/", wait_until="commit")
        page.get_by_role("link", name="销售企业检查").wait_for(timeout=60_000)
        seconds.append(float(page.evaluate("() => performance.now()")) / 1000)
        page.wait_for_load_state("networkidle")
        size = _kilobytes(names)
        phone.close()
    return [
        ["home: files, gzip", f"{size:.0f} KB", "150 KB"],
        ["home of an inspector, first visit", f"{spread(seconds)} s", "-"],
    ]


def _taps(browser: Browser, bureau: Bureau, count: int) -> list[str]:
    """Answers in a form of `ITEMS` questions."""
    phone = _phone(browser)
    page = _signed_in(phone, bureau)
    page.add_init_script(phone_scripts.TAPS)

    def long_form(route: Route) -> None:
        route.fulfill(status=200, content_type="application/json", body=json.dumps(_long_form()))

    page.route(f"**/api/v1/forms/{FORM}*", long_form)
    shop = bureau.get("/enterprises?product_code=06&page_size=1")["items"][0]
    page.goto(f"{bureau.base}/app/#/pages/entry/basics?form={FORM}&uscc={shop['uscc']}")
    page.get_by_role("button", name="核对无误，继续").tap()
    page.locator(".form-item").nth(ITEMS - 1).wait_for(state="attached")
    _slow(page, network=False)
    page.evaluate("() => window.taps.clear()")
    for number in range(count):
        choice = page.locator(".form-item").nth(number * 2).get_by_role("radio").nth(number % 3 // 2)
        choice.scroll_into_view_if_needed()
        page.wait_for_timeout(600)
        choice.tap()
    page.wait_for_timeout(600)
    durations = page.evaluate("() => [...window.taps.values()]")
    phone.close()
    return [
        f"a tap on an answer, {ITEMS} items, to the next frame",
        f"{median(durations):.0f} ({min(durations):.0f}-{max(durations):.0f}) ms",
        "100 ms",
    ]


def _long_form() -> dict[str, Any]:
    """Shaped like the server's own form, with more questions."""
    options = [{"value": "yes", "label": "是"}, {"value": "no", "label": "否"}]
    head = [
        {"field": "uscc", "text": "统一社会信用代码", "type": "uscc"},
        {"field": "org_name", "text": "企业名称", "type": "text", "required": True},
    ]
    sections = [
        {"code": str(part), "title": f"第{part}部分", "items": [
            {"no": f"{part}.{one}", "text": f"第 {part}.{one} 问是否符合要求", "type": "choice", "required": True,
             "problem_when": ["no"], "options": options}
            for one in range(1, 11)
        ]}
        for part in range(1, ITEMS // 10 + 1)
    ]  # fmt: skip
    enterprise = {"code": "enterprise", "title": "企业", "items": head}
    return {"code": FORM, "version": 2, "title": "很长的检查表", "kind": "sales", "sections": [enterprise, *sections]}


def _scrolling(browser: Browser, bureau: Bureau, count: int) -> list[str]:
    """待发送 with this many records, without a network, all of them shown."""
    phone = _phone(browser, service_workers="block")
    page = _signed_in(phone, bureau)
    page.route("**/api/v1/**", lambda route: route.abort())
    page.goto(f"{bureau.base}/app/#/pages/outbox/index")
    page.wait_for_timeout(2_000)
    user = bureau.inspector["user"]
    page.evaluate(phone_scripts.SEED, [_scope(user), count, {"kind": "sales", "product_code": "06"}])
    page.reload()
    more = page.get_by_role("button", name="更多")
    page.locator(".waiting-row").first.wait_for()
    while more.count():
        more.first.tap()
    shown = page.locator(".waiting-row").count()
    _slow(page, network=False)
    page.evaluate(phone_scripts.FRAMES)
    session = phone.new_cdp_session(page)
    distance = page.evaluate("() => document.documentElement.scrollHeight")
    for _ in range(3):
        gesture = {"x": 180, "y": 500, "yDistance": -min(distance, 12_000), "speed": 4_000}
        session.send("Input.synthesizeScrollGesture", {**gesture, "gestureSourceType": "touch"})
    longest = max(page.evaluate("() => { cancelAnimationFrame(window.counting); return window.gaps }"))
    phone.close()
    return [f"待发送 of {count} records ({shown} shown) scrolled: longest frame", f"{longest:.0f} ms", "100 ms"]


def _scope(user: dict[str, Any]) -> str:
    """Where the app keeps what belongs to this person (`scopeOf` of the core)."""
    return f"u/{user['id']}~{quote(user['operator_name'])}/"
