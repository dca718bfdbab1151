"""An inspector with a phone: what they press is counted."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.app import Bureau

COUNTY = "demo_tianning"
FIELD = "answers"

SCANNER = """
window.BarcodeDetector = class {
  async detect() { return [{ rawValue: window.scanned }] }
}
"""
"""A browser on a phone reads codes by itself; the one of the tests is told what it read."""

PICTURE = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)
FILE: Any = {"name": "photo.png", "mimeType": "image/png", "buffer": PICTURE}


@dataclass
class Inspector:
    """Works on one page of the app."""

    bureau: Bureau
    page: Page
    username: str = COUNTY
    presses: int = 0
    done: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Open a page of the app, signed in."""
        self.page.add_init_script(SCANNER)
        self.bureau.open(self.page, self.username, path)

    def press(self, target: Locator) -> None:
        """One tap."""
        target.tap()
        self.presses += 1

    def button(self, name: str) -> None:
        """Tap a button of this name."""
        self.press(self.page.get_by_role("button", name=name, exact=True))

    def item(self, no: str, place: str = FIELD) -> Locator:
        """The card of a numbered item."""
        return self.page.locator(f"#at-{place}-{no.replace('.', '_2e')}")

    def answer(self, no: str, word: str, place: str = FIELD) -> None:
        """Answer a numbered item; waits while the page moves, as a finger does."""
        choice = self.item(no, place).get_by_role("radio", name=word, exact=True)
        self.press(choice)
        expect(choice).to_have_attribute("aria-checked", "true")

    def foot(self) -> Locator:
        """The solid button at the bottom."""
        return self.page.locator(".app-foot .solid-button")

    def scan(self, code: str) -> None:
        """Scan a licence's QR code; the scan itself is no tap."""
        self.page.evaluate("code => { window.scanned = `http://www.gsxt.gov.cn/s?uniscid=${code}` }", code)
        with self.page.expect_file_chooser() as chooser:
            self.button("扫营业执照二维码")
        chooser.value.set_files(FILE)

    def photograph(self) -> None:
        """Take a photo: 拍照, then shutter and 使用 of the phone's own camera."""
        with self.page.expect_file_chooser() as chooser:
            self.button("拍照")
        chooser.value.set_files(FILE)
        self.presses += 2

    def sign(self, count: int) -> None:
        """Sign one after the other: a stroke and the button below, each."""
        self.button("签名")
        pad = self.page.locator(".pad-canvas")
        for _ in range(count):
            whose = str(pad.get_attribute("aria-label"))
            box = pad.bounding_box()
            assert box is not None
            self.page.mouse.move(box["x"] + 40, box["y"] + 60)
            self.page.mouse.down()
            self.page.mouse.move(box["x"] + 160, box["y"] + 160, steps=5)
            self.page.mouse.up()
            self.presses += 1
            self.press(self.page.locator(".pad-foot .solid-button"))
            # The next person signs when their name stands above.
            expect(self.page.get_by_role("img", name=whose)).to_have_count(0)


def shop(bureau: Bureau, place: int) -> dict[str, Any]:
    """An enterprise of the county."""
    found = bureau.call(COUNTY, "GET", "/enterprises?product_code=06&page_size=30")
    return dict(found["items"][place])


def product(bureau: Bureau, regulation_type: str = "licence") -> str:
    """The id of a product item of 电线电缆."""
    items = bureau.call(COUNTY, "GET", "/products/06/items")["items"]
    return str(next(one["id"] for one in items if one["regulation_type"] == regulation_type))
