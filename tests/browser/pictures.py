"""`python -m tests.browser.pictures`: photographs the phone's app on a server with the demo, into `docs/pictures/`.

Server, browser and demo stand at one moment, so that a picture changes only where its screen does.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import time_machine
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.app import Bureau
from tests.browser.checks import SALES, at_home, begin, visited
from tests.browser.inspector import COUNTY, Inspector, shop
from tests.browser.waiting import Shelf, scope_of
from tests.people import production, uscc
from tests.servers import ROOT, server_process

FOLDER = ROOT / "docs" / "pictures"
MOMENT = datetime(2026, 11, 27, 2, 40, tzinfo=UTC)
"""10:40 of a working day in China."""
COLOURS, FEWER = 24, 14
GAP = 16
PHONE, TABLET = (375, 812), (768, 1024)
CITY = "demo_changzhou"
SETTINGS = {"DEMO": "1", "ENTERPRISE_CAPTCHA": "after_failure"}


@dataclass(frozen=True)
class Look:
    """How a screen is looked at; `scale` is that of its sheet."""

    size: tuple[int, int] = PHONE
    dark: bool = False
    care: bool = False
    scale: float = 1.0


LIGHT = Look()
_ON = {True: "on", False: "off"}
SHEETS = {"dark": Look(dark=True), "care": Look(care=True), "tablet": Look(size=TABLET, scale=0.5)}


class Camera:
    """Takes pictures of screens, and keeps those that are shown side by side."""

    def __init__(self, browser: Browser, bureau: Bureau) -> None:
        self.browser, self.bureau = browser, bureau
        self.sheets: dict[str, list[Image.Image]] = {name: [] for name in ("inspector", *SHEETS)}

    def phone(self, **options: str) -> Page:
        """A new phone at the moment of the pictures."""
        context = self.browser.new_context(
            viewport={"width": PHONE[0], "height": PHONE[1]}, has_touch=True, is_mobile=True, locale="zh-CN",
            timezone_id="Asia/Shanghai", reduced_motion="reduce", **options,
        )  # fmt: skip
        context.set_default_timeout(30_000)
        context.clock.set_fixed_time(MOMENT)
        return context.new_page()

    def take(self, page: Page, name: str) -> Image.Image:
        """The screen as it is now, into a file of this name."""
        picture = self._shot(page)
        write(picture, name)
        return picture

    def take_in_all_looks(self, page: Page, name: str, ready: Callable[[], None]) -> None:
        """The screen in its file, and once more for each sheet; `ready` waits after each reload."""
        ready()
        light = self.take(page, name)
        if name != "statistics":
            self.sheets["inspector"].append(light)
        for sheet, look in SHEETS.items():
            self._look(page, look)
            ready()
            picture = self._shot(page)
            size = (round(picture.width * look.scale), round(picture.height * look.scale))
            self.sheets[sheet].append(picture.resize(size, Image.Resampling.LANCZOS))
        self._look(page, LIGHT)
        ready()

    def _look(self, page: Page, look: Look) -> None:
        page.set_viewport_size({"width": look.size[0], "height": look.size[1]})
        page.emulate_media(color_scheme="dark" if look.dark else "light")
        page.evaluate("data => localStorage.setItem('care', JSON.stringify({type: 'string', data}))", _ON[look.care])
        page.reload()

    def _shot(self, page: Page) -> Image.Image:
        page.wait_for_load_state("networkidle")
        expect(page.locator(".skeleton")).to_have_count(0)
        page.wait_for_timeout(400)
        return Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB")

    def write_sheets(self) -> None:
        """The pictures that stand side by side."""
        for name, pictures in self.sheets.items():
            width = sum(one.width for one in pictures) + GAP * (len(pictures) - 1)
            sheet = Image.new("RGB", (width, max(one.height for one in pictures)), "#888E96")
            at = 0
            for one in pictures:
                sheet.paste(one, (at, 0))
                at += one.width + GAP
            write(sheet, name, FEWER)


def write(picture: Image.Image, name: str, colours: int = COLOURS) -> None:
    """A small PNG in the folder of the documents: its commonest colours as they are, between them as few as will do."""
    counted = picture.getcolors(picture.width * picture.height)
    assert counted is not None
    commonest = [colour for _count, colour in sorted(counted, reverse=True)[:colours]]
    few = Image.new("P", (1, 1))
    between = picture.quantize(colours, method=Image.Quantize.MAXCOVERAGE).getpalette() or []
    few.putpalette([*(part for colour in commonest for part in colour), *between])
    path = FOLDER / f"phone-{name}.png"
    picture.quantize(palette=few, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} kB", flush=True)


def inspector(camera: Camera) -> None:
    """An inspector's check: home, start, form with a problem, review; then what they sent."""
    bureau, page = camera.bureau, camera.phone()
    bureau.open(page, None, "/pages/sign-in/index")
    expect(page.get_by_role("button", name="登录", exact=True)).to_be_visible()
    camera.take(page, "sign-in")
    page = camera.phone()
    known = shop(bureau, 0)
    visited(bureau, "sales", known, ["李敏", "王强"])
    person = at_home(bureau, page)
    card = page.get_by_role("link", name="销售企业检查")
    camera.take_in_all_looks(page, "home", lambda: expect(card).to_be_visible())
    person.press(card)
    page.get_by_role("textbox").first.fill("某某")
    page.wait_for_timeout(600)
    camera.take(page, "start")
    page.get_by_role("button", name="返回").or_(page.get_by_role("link", name="返回")).first.click()
    begin(person, "销售企业检查", known)
    answer_with_a_problem(person)
    problem = page.locator("#at-answers-1_2e3")

    def form() -> None:
        expect(page.locator(".entry-saved")).to_be_visible()
        problem.scroll_into_view_if_needed()

    camera.take_in_all_looks(page, "form", form)
    person.button("去核对")
    camera.take_in_all_looks(page, "review", lambda: expect(page.locator(".app-main")).to_contain_text("可以提交"))
    person.button("提交")
    expect(page.get_by_role("heading", name="已提交")).to_be_visible()


def waiting(camera: Camera) -> None:
    """A record of an inspector that waits because there is no network."""
    bureau, page = camera.bureau, camera.phone()
    shelf = Shelf(scope_of(bureau, COUNTY))
    bureau.open(page, COUNTY, "/pages/outbox/index")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("caches.keys().then((names) => names.length > 0)")
    page.reload()
    page.context.set_offline(True)
    shelf.waiting(production(uscc=uscc(7001), org_name="天宁某某线缆有限公司", form_version=2), photos=2)
    shelf.write(page)
    page.reload()
    expect(page.get_by_role("heading", name="等待发送 1")).to_be_visible()
    camera.take(page, "outbox")


def records(camera: Camera) -> None:
    """What the office has, and a record with a problem."""
    page = camera.phone()
    camera.bureau.open(page, COUNTY, "/pages/records/index")
    expect(page.locator(".record-card").first).to_be_visible()
    camera.take(page, "records")
    found = camera.bureau.call(COUNTY, "GET", "/inspections?disposal=in_progress&product_code=06")["items"]
    page = camera.phone()
    camera.bureau.open(page, COUNTY, f"/pages/record/index?type=inspections&id={found[-1]['id']}")
    expect(page.get_by_role("heading", name="发现的问题")).to_be_visible()
    camera.take(page, "record")


def city(camera: Camera) -> None:
    """What a city sees: figures, and who asks for an account."""
    for name, number in (("陈某甲", 1001), ("陈某乙", 1002)):
        camera.bureau.apply(name, number)
    page = camera.phone()
    camera.bureau.open(page, CITY, "/pages/statistics/index")
    camera.take_in_all_looks(page, "statistics", lambda: expect(page.locator(".tile").first).to_be_visible())
    page = camera.phone()
    camera.bureau.open(page, CITY, "/pages/accounts/index")
    expect(page.get_by_role("heading", name="陈某甲")).to_be_visible()
    camera.take(page, "accounts")


def enterprise(camera: Camera) -> None:
    """An enterprise: what it has to do, and a filing."""
    page = camera.phone()
    camera.bureau.open(page, "enterprise", "/pages/home/index")
    to_do = page.get_by_role("link", name="待上传整改报告")
    expect(to_do).to_be_visible()
    camera.take(page, "enterprise")
    to_do.click()
    expect(page.get_by_role("button", name="上传整改报告", exact=True)).to_be_visible()
    camera.take(page, "filing")


def answer_with_a_problem(person: Inspector) -> None:
    """All is answered, one question with a problem."""
    for no, word in SALES.items():
        person.answer(no, "否" if no == "1.3" else word)
    person.page.locator("#at-answers-1_2e3_2eproblem textarea").fill("近三个月无进货记录")
    person.answer("4.1", "办理中", "disposals")
    person.answer("4.2", "不适用", "disposals")


@contextmanager
def _prepared(folder: Path, standing: str) -> Iterator[None]:
    """The demo, made before the server starts: a server has it made by a process whose clock runs."""
    program = f"{standing}\nfrom cli.commands import main\nmain()"
    subprocess.run(
        [sys.executable, "-c", program, "prepare"], cwd=ROOT, check=True, timeout=600, stdout=subprocess.DEVNULL,
        env={**os.environ, "DATA_DIR": str(folder), **SETTINGS},
    )  # fmt: skip
    yield


def _with_type(folder: Path, type_folder: Path) -> Path:
    """Fonts of the machine and ours: without Chinese type each character would be an empty box."""
    written = folder / "fonts.conf"
    written.write_text(
        "<fontconfig><include ignore_missing='yes'>/etc/fonts/fonts.conf</include>"
        f"<dir>{type_folder}</dir></fontconfig>"
    )
    return written


def main() -> int:
    """Entry point; its exit status."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        print("Chromium is needed: apt-get install chromium", file=sys.stderr)
        return 1
    type_folder = Path(sys.prefix, "share", "fonts")
    if not any(type_folder.glob("*")):
        print("Chinese type is needed: python -m assets.paper.fetch_fonts", file=sys.stderr)
        return 1
    standing = f"import time_machine; time_machine.travel({MOMENT.isoformat()!r}, tick=False).start()"
    with (
        tempfile.TemporaryDirectory() as folder,
        time_machine.travel(MOMENT, tick=False),
        _prepared(Path(folder), standing),
        server_process(Path(folder), constants=standing, **SETTINGS) as (base, _process),
        sync_playwright() as playwright,
    ):
        environment = {**os.environ, "FONTCONFIG_FILE": str(_with_type(Path(folder), type_folder))}
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"], env=environment)
        camera = Camera(browser, Bureau(base, Path(folder)))
        inspector(camera)
        waiting(camera)
        records(camera)
        city(camera)
        enterprise(camera)
        camera.write_sheets()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
