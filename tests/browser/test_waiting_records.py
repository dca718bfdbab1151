"""Records that wait on the phone (待发送) are neither lost nor doubled: no network, 503, expired session, two tabs."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.app import Bureau, build_if_stale, violations
from tests.browser.waiting import Shelf, left, photo, scope_of
from tests.demo_folder import demo_folder
from tests.people import production, uscc
from tests.servers import running_server

Phone = Callable[..., Page]
COUNTY, OUTBOX = "demo_tianning", "/pages/outbox/index"
SENDING = 60_000


@pytest.fixture(scope="module")
def bureau(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    build_if_stale()
    data_dir = demo_folder(tmp_path_factory, "bureau")
    with running_server(data_dir, DEMO="1") as base:
        yield Bureau(base, data_dir)


@pytest.fixture
def shelf(bureau: Bureau) -> Shelf:
    return Shelf(scope_of(bureau, COUNTY))


def check(number: int, **changes: Any) -> dict[str, Any]:
    """A check of an enterprise of its own, so that none is a duplicate."""
    return production(uscc=uscc(7000 + number), org_name=f"某某线缆{number}厂", form_version=2, **changes)


def write(bureau: Bureau, page: Page, shelf: Shelf) -> None:
    """Write what is on the shelf into the phone, before the app runs there."""
    page.goto(f"{bureau.base}/healthz")
    shelf.write(page)


def submissions(bureau: Bureau, record_id: str) -> int:
    """How often the server took a record as submitted."""
    moves = bureau.call(COUNTY, "GET", f"/inspections/{record_id}/history")["items"]
    return sum(move["action"] == "submit" for move in moves)


def photos_on_server(bureau: Bureau, record_id: str) -> list[str]:
    """SHA-256 of the photos of a record, as the server gives them back."""
    token = bureau.sign_in(COUNTY)["token"]
    record = bureau.call(COUNTY, "GET", f"/inspections/{record_id}")
    digests = []
    for file in record["photos"]:
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{bureau.base}/api/v1/files/{file}", headers=headers, timeout=30)
        assert answer.ok
        digests.append(answer.headers.get("X-Sha256") or hashlib.sha256(answer.content).hexdigest())
    return digests


@pytest.mark.in_make_test
def test_two_checks_with_photos_made_without_a_network_survive_a_reload_and_arrive_whole(
    bureau: Bureau, phone: Phone, shelf: Shelf
) -> None:
    page = phone(service_workers="allow")
    bureau.open(page, COUNTY, OUTBOX)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    expect(page.get_by_text("没有待发送的记录")).to_be_visible()
    page.wait_for_function("caches.keys().then((names) => names.length > 0)")
    page.reload()
    page.context.set_offline(True)
    ids = [shelf.waiting(check(1), photos=2), shelf.waiting(check(2), photos=3)]
    shelf.write(page)
    page.reload()
    expect(page.get_by_role("heading", name="等待发送 2")).to_be_visible()
    expect(page.get_by_text("没有网络。")).to_be_visible()
    expect(page.get_by_text("照片 0/3")).to_be_visible()
    page.get_by_role("button", name="立即发送").click()
    expect(page.get_by_text("现在没有网络，连上后会自动发送，不用再点。").first).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="今天已发送 2")).to_be_visible(timeout=SENDING)
    expect(page.locator(".app-main").get_by_text("现在没有网络")).to_have_count(0)
    assert [submissions(bureau, one) for one in ids] == [1, 1]
    assert [len(photos_on_server(bureau, one)) for one in ids] == [2, 3]
    assert photos_on_server(bureau, ids[0]) == [hashlib.sha256(photo(n)).hexdigest() for n in range(2)]
    assert left(page, shelf.scope) == []


def test_an_answer_of_503_after_the_server_took_it_is_no_failure_and_doubles_nothing(
    bureau: Bureau, phone: Phone, shelf: Shelf
) -> None:
    page = phone()
    record_id = shelf.waiting(check(3), photos=1)
    write(bureau, page, shelf)
    was_told = False

    def lost(route: Route) -> None:
        if was_told:
            route.continue_()
            return
        route.fetch()
        route.fulfill(status=503, headers={"Retry-After": "1"}, content_type="application/problem+json", body="{}")

    page.route(f"**/inspections/{record_id}/submission", lost)
    bureau.open(page, COUNTY, OUTBOX)
    expect(page.get_by_text("服务器暂时不可用。记录已存手机，恢复后自动发送，不用重填。")).to_be_visible(
        timeout=SENDING
    )
    assert submissions(bureau, record_id) == 1
    was_told = True
    expect(page.get_by_role("heading", name="今天已发送 1")).to_be_visible(timeout=SENDING)
    assert submissions(bureau, record_id) == 1
    expect(page.get_by_text("失败")).to_have_count(0)


def test_a_session_that_ends_in_mid_sending_asks_to_sign_in_over_the_page_and_the_outbox_goes_on(
    bureau: Bureau, phone: Phone, shelf: Shelf
) -> None:
    page = phone()
    ids = [shelf.waiting(check(10 + n), photos=1) for n in range(3)]
    write(bureau, page, shelf)

    def signed_out(route: Route) -> None:
        answer = route.fetch()
        token = {"Authorization": route.request.headers["authorization"]}
        requests.delete(f"{bureau.base}/api/v1/sessions/current", headers=token, timeout=30)
        route.fulfill(response=answer)  # the next is sent only now, without a session
        page.unroute("**/submission")

    page.route("**/submission", signed_out)
    bureau.open(page, COUNTY, OUTBOX)
    sheet = page.get_by_role("dialog")
    expect(sheet).to_be_visible(timeout=SENDING)
    expect(page.get_by_text("条待发送的记录会接着发送").first).to_be_visible()
    assert len(left(page, shelf.scope)) >= 2
    sheet.get_by_label("密码", exact=True).fill(bureau.account(COUNTY)["password"])
    sheet.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("heading", name="今天已发送 3")).to_be_visible(timeout=SENDING)
    assert [submissions(bureau, one) for one in ids] == [1, 1, 1]


@pytest.mark.only_in_rounds
def test_another_user_of_the_phone_neither_sends_nor_sees_what_waits(
    bureau: Bureau, phone: Phone, shelf: Shelf
) -> None:
    page = phone()
    shelf.waiting(check(20))
    write(bureau, page, shelf)
    bureau.open(page, "demo_zhonglou", OUTBOX)
    expect(page.get_by_text("本机有他人待发送 1 条")).to_be_visible()
    expect(page.get_by_text("某某线缆20厂")).to_have_count(0)
    assert len(left(page, shelf.scope)) == 1


def test_two_tabs_send_the_same_record_once(bureau: Bureau, phone: Phone, shelf: Shelf) -> None:
    one = phone()
    context: BrowserContext = one.context
    other = context.new_page()
    ids = [shelf.waiting(check(30 + n), photos=1) for n in range(4)]
    write(bureau, one, shelf)
    bureau.open(one, COUNTY, OUTBOX)
    bureau.open(other, COUNTY, OUTBOX)
    for page in (one, other):
        page.bring_to_front()
        expect(page.get_by_role("heading", name="今天已发送 4")).to_be_visible(timeout=SENDING)
    assert [submissions(bureau, record_id) for record_id in ids] == [1, 1, 1, 1]


def test_the_same_record_on_two_phones_is_one_record(bureau: Bureau, phone: Phone, shelf: Shelf) -> None:
    record_id = shelf.waiting(check(40))
    twin = Shelf(shelf.scope)
    twin.values = list(shelf.values)
    for page, contents in ((phone(), shelf), (phone(), twin)):
        write(bureau, page, contents)
        bureau.open(page, COUNTY, OUTBOX)
        expect(page.get_by_role("heading", name="今天已发送 1")).to_be_visible(timeout=SENDING)
    assert submissions(bureau, record_id) == 1


def test_a_duplicate_comes_back_with_who_made_the_other_check_and_is_sent_when_confirmed(
    bureau: Bureau, phone: Phone, shelf: Shelf
) -> None:
    page = phone()
    first = shelf.waiting(check(50))
    second = shelf.waiting(check(50))
    write(bureau, page, shelf)
    bureau.open(page, COUNTY, OUTBOX)
    expect(page.get_by_text("这家企业同一天已有一条生产企业检查（李敏，")).to_be_visible(timeout=SENDING)
    assert submissions(bureau, first) == 1
    page.get_by_role("button", name="仍然提交").click()
    expect(page.get_by_role("heading", name="今天已发送 2")).to_be_visible(timeout=SENDING)
    assert submissions(bureau, second) == 1


@pytest.mark.only_in_rounds
def test_two_hundred_waiting_records_are_listed_in_steps_and_all_arrive(
    bureau: Bureau, phone: Phone, shelf: Shelf
) -> None:
    page = phone()
    for number in range(200):
        shelf.waiting(check(100 + number))
    write(bureau, page, shelf)
    page.route("**/submission", lambda route: route.abort())
    bureau.open(page, COUNTY, OUTBOX)
    expect(page.get_by_role("heading", name="等待发送 200")).to_be_visible()
    assert page.locator(".waiting-row").count() == 50
    page.get_by_role("button", name="更多", exact=True).click()
    assert page.locator(".waiting-row").count() == 100
    page.unroute("**/submission")
    page.get_by_role("button", name="立即发送").click()
    expect(page.get_by_role("heading", name="等待发送")).to_have_count(0, timeout=300_000)
    assert left(page, shelf.scope) == []
    found = bureau.call(COUNTY, "GET", "/inspections?q=某某线缆1&page_size=100&from=2026-11-20&to=2026-11-20")
    assert found["total"] >= 100


def test_what_waits_is_exported_sealed_goes_on_waiting_and_is_imported_by_an_officer(
    bureau: Bureau, phone: Phone, shelf: Shelf
) -> None:
    page = phone()
    page.route("**/submission", lambda route: route.abort())
    page.route("**/api/v1/files", lambda route: route.abort())
    record_id = shelf.waiting(check(90), photos=1)
    write(bureau, page, shelf)
    with page.expect_response("**/outbox-imports/key"):
        bureau.open(page, COUNTY, OUTBOX)
    expect(page.get_by_role("heading", name="等待发送 1")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="导出未发送").click()
    assert download.value.suggested_filename.endswith("-1of1.age")
    assert download.value.path().read_bytes().startswith(b"age-encryption.org/v1")
    expect(page.get_by_text("已导出 1 个加密文件。").first).to_be_visible()
    assert len(left(page, shelf.scope)) == 1
    officer = phone()
    bureau.open(officer, COUNTY, "/pages/outbox/import")
    for tag in ("✓ 已导入", "已有，未重复"):
        choose_exported(officer, download.value.path().read_bytes())
        expect(officer.get_by_text("填报人 李敏")).to_be_visible()
        expect(officer.get_by_text("某某线缆90厂")).to_be_visible()
        assert violations(officer) == []
        officer.get_by_role("button", name="导入 1 条").click()
        expect(officer.get_by_text(tag)).to_be_visible()
    imported = bureau.call(COUNTY, "GET", f"/inspections/{record_id}")
    assert (imported["status"], len(imported["photos"])) == ("submitted", 1)
    # The phone sends it too, once it has a network: one record.
    page.unroute("**/submission")
    page.unroute("**/api/v1/files")
    page.get_by_role("button", name="立即发送").click()
    expect(page.get_by_role("heading", name="等待发送")).to_have_count(0, timeout=SENDING)
    assert submissions(bureau, record_id) == 1


def choose_exported(page: Page, content: bytes) -> None:
    """选择文件, or another one."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=re.compile("选择文件|换一个文件")).click()
    chooser.value.set_files({"name": "1of1.age", "mimeType": "application/octet-stream", "buffer": content})


def test_a_draft_that_was_changed_on_two_phones_is_settled_field_by_field(
    bureau: Bureau, phone: Phone, shelf: Shelf
) -> None:
    page = phone()
    base = check(60, remark="一号手机")
    record_id = shelf.draft({**base, "remark": "本机所写"}, server={"version": 1, "body": base, "at": 1})
    bureau.call(COUNTY, "PUT", f"/inspections/{record_id}", base)
    bureau.call(COUNTY, "PUT", f"/inspections/{record_id}", {**base, "remark": "另一部所写", "version": 1})
    write(bureau, page, shelf)
    bureau.open(page, COUNTY, "/pages/drafts/index")
    page.get_by_role("button", name="继续填报：某某线缆60厂").filter(has_text="比较并选择").click()
    expect(page.get_by_text("另一部所写")).to_be_visible()
    page.get_by_role("button", name="还有 1 处没有选择").click()
    expect(page.get_by_text("请选择保留哪一边")).to_be_visible()
    page.get_by_role("radio", name="本机所写").click()
    assert violations(page) == []
    page.get_by_role("button", name="保存选择，继续填报").click()
    expect(page).to_have_url(re.compile("/pages/entry/form"))
    deadline = time.monotonic() + 60
    while bureau.call(COUNTY, "GET", f"/inspections/{record_id}")["remark"] != "本机所写":
        assert time.monotonic() < deadline, "the choice never reached the server"
        time.sleep(0.2)


@pytest.mark.only_in_rounds
def test_a_draft_is_deleted_after_a_question(bureau: Bureau, phone: Phone, shelf: Shelf) -> None:
    page = phone()
    shelf.draft(check(70))
    write(bureau, page, shelf)
    bureau.open(page, COUNTY, "/pages/drafts/index")
    page.get_by_role("button", name="删除：某某线缆70厂").click()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text("删除“某某线缆70厂”的暂存记录？")
    expect(sheet).to_contain_text("已填 17 项，删除后不能恢复。")
    sheet.get_by_role("button", name="保留").click()
    expect(page.get_by_text("某某线缆70厂")).to_be_visible()
    page.get_by_role("button", name="删除：某某线缆70厂").click()
    page.get_by_role("dialog").get_by_role("button", name="删除记录").click()
    expect(page.get_by_text("某某线缆70厂")).to_have_count(0)


def test_the_page_can_be_read_and_used_by_everybody(bureau: Bureau, phone: Phone, shelf: Shelf) -> None:
    page = phone()
    page.route("**/submission", lambda route: route.abort())
    errors = [{"path": "/photos/0", "code": "too_large", "message": "照片不能超过 20 MB，请删除后重新拍摄"}]
    problem = {"status": 413, "code": "payload_too_large", "title": "照片过大", "errors": errors, "body": {}}
    shelf.waiting(check(80), photos=1, state="attention", problem=problem)
    shelf.waiting(check(81), photos=1)
    write(bureau, page, shelf)
    bureau.open(page, COUNTY, OUTBOX)
    expect(page.get_by_text("照片不能超过 20 MB")).to_be_visible()
    expect(page.get_by_role("img", name="没有被接受的照片")).to_be_visible()
    assert violations(page) == []
