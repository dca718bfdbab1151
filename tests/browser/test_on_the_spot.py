"""What the phone asks, keeps and says where the inspector stands: the register, photos, the place, room for them."""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
import requests
from PIL import Image
from playwright.sync_api import Browser, Page, Response, expect

from core import clock
from tests.browser.app import Bureau, build_if_stale, violations
from tests.browser.checks import SALES, at_home, begin, records, submit, visited, wait_until
from tests.browser.inspector import COUNTY, Inspector, shop
from tests.browser.waiting import kept, keys_kept, scope_of
from tests.demo_folder import demo_folder
from tests.people import new_id, production, sales, uscc
from tests.servers import running_server

Phone = Callable[..., Page]
HERE = {"latitude": 31.77359, "longitude": 119.95401}
SMALL_DISK = """
window.disk = { limit: Infinity, files: new Map(), used: () => [...disk.files.values()].reduce((a, b) => a + b, 0) }
const { put, delete: remove } = IDBObjectStore.prototype
IDBObjectStore.prototype.put = function (value, key) {
  const size = value.byteLength ?? 0
  if (disk.used() - (disk.files.get(key) ?? 0) + size > disk.limit) {
    Object.defineProperty(this.transaction, 'error', { value: new DOMException('full', 'QuotaExceededError') })
    const asked = put.call(this, '', key)
    queueMicrotask(() => this.transaction.abort())
    return asked
  }
  if (size) disk.files.set(key, size)
  return put.call(this, value, key)
}
IDBObjectStore.prototype.delete = function (key) {
  disk.files.delete(key)
  return remove.call(this, key)
}
"""
"""A disk of `disk.limit` bytes of files, refused as a browser refuses what exceeds it."""


@pytest.fixture(scope="module")
def bureau(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    build_if_stale()
    data_dir = demo_folder(tmp_path_factory, "bureau")
    with running_server(data_dir, DEMO="1") as base:
        yield Bureau(base, data_dir)


def question(page: Page, key: str) -> Any:
    """The card of a question about the enterprise."""
    return page.locator(f"#question-{key}")


def picture(side: int) -> bytes:
    """A picture of noise, as large as a photo after it was made small."""
    written = BytesIO()
    Image.effect_noise((side, side), 120).convert("RGB").save(written, "JPEG", quality=85)
    return written.getvalue()


def take_photo(page: Page, content: bytes) -> None:
    """拍照, and the picture that the camera gives."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="拍照", exact=True).tap()
    chooser.value.set_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": content})


def answered(inspector: Inspector) -> None:
    """All questions of a sales check, without a problem."""
    for no, word in SALES.items():
        inspector.answer(no, word)


def uploads(page: Page) -> list[Response]:
    """What the server answers to uploads from now on."""
    found: list[Response] = []
    is_upload = re.compile(r"/api/v1/files$")
    page.on("response", lambda answer: found.append(answer) if is_upload.search(answer.url) and answer.ok else None)
    return found


def photo_of(bureau: Bureau, record_id: str, uploaded: list[Response]) -> tuple[dict[str, Any], bytes]:
    """The one photo of a record: what the server said of it when it came, and the bytes that it gives back."""
    (file_id,) = bureau.call(COUNTY, "GET", f"/inspections/{record_id}")["photos"]
    headers = {"Authorization": f"Bearer {bureau.sign_in(COUNTY)['token']}"}
    answer = requests.get(f"{bureau.base}/api/v1/files/{file_id}", headers=headers, timeout=30)
    assert answer.ok
    said = {one["id"]: dict(one) for one in (upload.json() for upload in uploaded)}
    return said[file_id], answer.content


@pytest.mark.only_in_rounds
def test_a_product_that_the_register_does_not_know_of_an_enterprise_is_said_in_the_form_without_a_network(
    bureau: Bureau, phone: Phone
) -> None:
    other = bureau.call(COUNTY, "GET", "/enterprises?product_code=05")["items"][0]
    assert "06" not in other["product_codes"]
    inspector = at_home(bureau, phone(height=812, service_workers="allow"))
    page = inspector.page
    page.wait_for_function("navigator.serviceWorker.ready.then(kept => kept.active?.state === 'activated')")
    page.reload()
    page.goto(f"{bureau.base}/app/#/pages/entry/start?form=gpc-sales")
    inspector.scan(other["uscc"])
    expect(question(page, "product")).to_contain_text("不是电线电缆。请核对所选产品")
    page.go_back()
    page.context.set_offline(True)
    inspector.scan(other["uscc"])
    expect(question(page, "product")).to_contain_text("不是电线电缆。请核对所选产品")
    page.get_by_role("textbox", name="企业名称").first.or_(page.get_by_role("button", name="修改企业名称")).first.tap()
    page.locator("#at-org_5fname-input").fill("另一家企业")
    expect(question(page, "name")).to_contain_text("与填写的名称不同")
    expect(question(page, "product")).to_have_count(0)


def test_a_shop_without_a_code_is_found_in_a_cellar_as_the_office_wrote_it_last(bureau: Bureau, phone: Phone) -> None:
    place = {"org_name": "天宁老王五金店", "org_address": "天宁区某街9号", "business_address": "天宁区某街9号"}
    check = sales(**place, check_date=clock.today().isoformat())
    bureau.call(COUNTY, "PUT", f"/inspections/{new_id()}/submission", check)
    inspector = at_home(bureau, phone(height=812, service_workers="allow"))
    page = inspector.page
    page.wait_for_function("navigator.serviceWorker.ready.then(kept => kept.active?.state === 'activated')")
    page.reload()
    wait_until(lambda: any("sellers" in one for one in keys_kept(page)))
    page.context.set_offline(True)
    inspector.press(page.get_by_role("link", name="销售企业检查"))
    page.locator("#enterprise-input").fill("五")
    expect(page.get_by_text("请再输入一个字，两个字起开始查找。")).to_be_visible()
    page.locator("#enterprise-input").fill("五金")
    expect(page.get_by_role("heading", name="没有信用代码的商户 1 家")).to_be_visible()
    assert violations(page) == []
    inspector.press(page.get_by_role("link", name="天宁老王五金店"))
    expect(page.get_by_role("button", name="核对无误，继续")).to_be_visible()
    shown = [line.inner_text() for line in page.locator(".answer-line").all()]
    assert any("天宁老王五金店" in line for line in shown) and sum("某街9号" in line for line in shown) == 2


@pytest.mark.only_in_rounds
def test_a_licence_that_has_expired_is_asked_about_before_the_questions(bureau: Bureau, phone: Phone) -> None:
    known = shop(bureau, 1)
    inspector = at_home(bureau, phone(height=812))
    page = inspector.page
    inspector.press(page.get_by_role("link", name="生产企业检查"))
    inspector.scan(known["uscc"])
    expect(page.get_by_role("button", name="修改许可证有效期至")).to_be_visible()
    expect(question(page, "licence")).to_have_count(0)
    page.get_by_role("button", name="修改许可证有效期至").tap()
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    page.locator("#at-licence_5fvalid_5fto input").fill(yesterday)
    expect(question(page, "licence")).to_contain_text(f"许可证有效期至 {yesterday}，已经过期。")
    assert violations(page) == []


@pytest.mark.only_in_rounds
def test_an_enterprise_of_another_county_is_asked_about_and_can_be_inspected(bureau: Bureau, phone: Phone) -> None:
    foreign = bureau.call("demo_zhonglou", "GET", "/enterprises?product_code=06")["items"][0]
    inspector = at_home(bureau, phone(height=812))
    page = inspector.page
    inspector.press(page.get_by_role("link", name="销售企业检查"))
    inspector.scan(foreign["uscc"])
    expect(page.get_by_role("button", name="核对无误，继续")).to_be_visible()
    expect(question(page, "region")).to_contain_text("不在本辖区的名录中。请核对是否由本局办理")


def test_a_photo_reaches_the_server_with_its_time_and_place_and_is_given_back_as_it_was_stored(
    bureau: Bureau, phone: Phone
) -> None:
    known = shop(bureau, 2)
    visited(bureau, "sales", known, ["李敏", "王强"])
    inspector = at_home(bureau, phone(height=812, permissions=["geolocation"], geolocation=HERE))
    page = inspector.page
    uploaded = uploads(page)
    begin(inspector, "销售企业检查", known)
    answered(inspector)
    before = datetime.now(UTC).replace(microsecond=0)
    inspector.photograph()
    expect(page.get_by_role("button", name="第 1 张照片")).to_be_visible()
    (on_phone,) = kept(page, f"{scope_of(bureau, COUNTY)}file/")
    inspector.button("去核对")
    expect(page.get_by_role("button", name="照片 1，查看")).to_be_visible()
    assert violations(page) == []
    submit(inspector)
    after = datetime.now(UTC)
    (record,) = records(bureau, known)
    expect(page.locator(".done-number")).to_have_text(f"编号 {record['id']}")
    said, content = photo_of(bureau, record["id"], uploaded)
    assert (said["id"], said["name"]) == (on_phone["id"], on_phone["name"])
    assert said["sha256"] == hashlib.sha256(content).hexdigest()
    assert (said["width"], said["height"]) == Image.open(BytesIO(content)).size
    assert before <= datetime.fromisoformat(said["taken_at"]) <= after
    assert [round(float(said[name]), 4) for name in HERE] == [round(degrees, 4) for degrees in HERE.values()]


@pytest.mark.only_in_rounds
@pytest.mark.parametrize("location", ["refused", "never answered"])
def test_a_location_that_is_not_told_blocks_nothing(bureau: Bureau, phone: Phone, location: str) -> None:
    known = shop(bureau, 3 if location == "refused" else 4)
    visited(bureau, "sales", known, ["李敏", "王强"])
    page = phone(height=812)
    if location == "never answered":
        page.add_init_script("navigator.geolocation.getCurrentPosition = () => undefined")
    inspector = at_home(bureau, page)
    uploaded = uploads(page)
    begin(inspector, "销售企业检查", known)
    answered(inspector)
    inspector.photograph()
    page.get_by_role("button", name="第 1 张照片").tap()
    expect(page.get_by_role("dialog")).to_contain_text("无位置")
    page.get_by_role("dialog").get_by_role("button", name="保留").tap()
    inspector.button("去核对")
    submit(inspector)
    (record,) = records(bureau, known)
    said, _content = photo_of(bureau, record["id"], uploaded)
    assert said["latitude"] is None
    assert said["taken_at"] is not None


@pytest.mark.only_in_rounds
def test_room_for_photos_is_said_to_end_before_it_ends_and_what_was_taken_is_sent(bureau: Bureau, phone: Phone) -> None:
    known = shop(bureau, 5)
    visited(bureau, "sales", known, ["李敏", "王强"])
    page = phone(height=812)
    page.add_init_script(SMALL_DISK)
    inspector = at_home(bureau, page)
    page.route("**/api/v1/files", lambda route: route.abort())
    begin(inspector, "销售企业检查", known)
    answered(inspector)
    content = picture(1200)
    take_photo(page, content)
    expect(page.get_by_role("button", name="第 1 张照片")).to_be_visible()
    expect(page.get_by_text("手机空间")).to_have_count(0)
    page.evaluate("window.disk.limit = window.disk.used() + 1000")
    take_photo(page, content)
    expect(page.get_by_role("button", name="第 2 张照片")).to_be_visible()
    expect(page.get_by_text("张照片。请先联网发送，再继续拍照。")).to_contain_text("手机空间只够再存约")
    page.evaluate("window.disk.limit = window.disk.used() + 2_000_000")
    take_photo(page, content)
    expect(page.get_by_role("button", name="第 3 张照片")).to_be_visible()
    expect(page.get_by_text("手机空间已满，不能再拍照。请先联网发送")).to_be_visible()
    page.get_by_role("button", name="拍照", exact=True).tap()
    expect(page.locator(".field-fault", has_text="手机空间已满，不能再拍照。")).to_be_visible()
    page.unroute("**/api/v1/files")
    inspector.button("去核对")
    submit(inspector)
    (record,) = records(bureau, known)
    assert len(bureau.call(COUNTY, "GET", f"/inspections/{record['id']}")["photos"]) == 3


@pytest.mark.only_in_rounds
def test_drafts_that_only_the_server_has_are_counted_at_the_bar(bureau: Bureau, phone: Phone) -> None:
    before = len(bureau.call(COUNTY, "GET", "/inspections?status=draft")["items"])
    before += len(bureau.call(COUNTY, "GET", "/spot-checks?status=draft")["items"])
    body = production(uscc=uscc(9901), org_name="另一部手机上的厂", form_version=2)
    bureau.call(COUNTY, "PUT", f"/inspections/{new_id()}", body)
    page = phone(height=812)
    bureau.open(page, COUNTY, "/pages/home/index")
    expect(page.get_by_role("link", name=f"信息暂存 {before + 1}", exact=True)).to_be_visible()
    page.get_by_role("link", name="信息暂存", exact=False).tap()
    page.get_by_role("button", name="继续填报：另一部手机上的厂").tap()
    expect(page.locator(".entry-saved")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name=f"信息暂存 {before + 1}", exact=True)).to_be_visible()
    page.get_by_role("button", name="删除：另一部手机上的厂").tap()
    page.get_by_role("dialog").get_by_role("button", name="删除记录").tap()
    name = f"信息暂存 {before}" if before else "信息暂存"
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
