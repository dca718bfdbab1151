"""An inspector's whole day from the screen alone: nothing is asked of the server but by the app, until the end."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import Bureau
from tests.browser.checks import PRODUCTION_NO, SALES, submit, wait_until
from tests.browser.inspector import COUNTY, SCANNER, Inspector, shop

Phone = Callable[..., Page]
SECONDS = 60_000


@pytest.mark.in_make_test
def test_a_day_from_signing_in_to_signing_out_is_done_from_the_screen_alone(bureau: Bureau, phone: Phone) -> None:
    works, market = shop(bureau, 10), shop(bureau, 11)
    page = phone(height=812, service_workers="allow")
    page.context.set_default_timeout(SECONDS)
    page.add_init_script(SCANNER)
    inspector = Inspector(bureau, page)
    sign_in(inspector)
    production_check(inspector, works)
    move_disposal(inspector)
    sales_check_without_a_network(inspector, market)
    draft_that_is_given_up(inspector)
    look_back(inspector, works, market)
    sign_out(page)
    records = {one["uscc"]: one for one in bureau.call(COUNTY, "GET", "/inspections?status=submitted")["items"][:2]}
    production = bureau.call(COUNTY, "GET", f"/inspections/{records[works['uscc']]['id']}")
    assert production["answers"]["2.2.problem"] == "三批铜杆没有检验记录"
    assert production["disposals"]["7.1"] == "done"
    assert production["inspectors"] == ["赵敏", "王强"]
    assert (len(production["photos"]), len(production["signatures"])) == (1, 2)
    assert records[market["uscc"]]["problems_found"] is False


def sign_in(inspector: Inspector) -> None:
    page, account = inspector.page, inspector.bureau.account(COUNTY)
    page.goto(f"{inspector.bureau.base}/app/")
    page.get_by_label("用户名").fill(account["username"])
    page.get_by_label("密码", exact=True).fill(account["password"])
    page.get_by_label("操作人姓名").fill("赵敏")
    inspector.button("登录")
    expect(page.get_by_role("radio", name="电线电缆")).to_have_attribute("aria-checked", "true")
    inspector.button("确认")
    expect(page.get_by_role("heading", name="工品查", level=1)).to_be_visible()


def production_check(inspector: Inspector, works: dict[str, str]) -> None:
    """The first check of a works, found by its name; one problem, a photo, two signatures."""
    page = inspector.page
    page.get_by_role("link", name="生产企业检查").tap()
    page.get_by_role("textbox", name="或输入信用代码、企业名称").fill(works["name"])
    page.get_by_role("link", name=works["name"], exact=False).first.tap()
    expect(page.get_by_role("button", name="核对无误，继续")).to_be_visible()
    inspectors = page.locator("#at-inspectors")
    expect(inspectors).to_contain_text("赵敏")
    inspectors.get_by_role("textbox").fill("王强")
    inspectors.get_by_role("button", name="添加", exact=True).tap()
    expect(inspectors).to_contain_text("王强")
    fill_scope(inspector)
    inspector.button("核对无误，继续")
    definition = inspector.bureau.call(COUNTY, "GET", "/forms/gpc-production")
    for item in (item for section in definition["sections"] for item in section["items"]):
        if item.get("no") == "4.1.methods":
            page.get_by_role("checkbox", name="自检").tap()
        elif item.get("no") == "2.2":
            inspector.answer("2.2", "否")
            page.locator("#at-answers-2_2e2_2eproblem textarea").fill("三批铜杆没有检验记录")
        elif "no" in item and item["type"] == "choice":
            inspector.answer(item["no"], "否" if item["no"] in PRODUCTION_NO else "是")
    for number in range(1, 7):
        inspector.answer(f"7.{number}", "办理中" if number == 1 else "不适用", "disposals")
    inspector.photograph()
    expect(page.get_by_role("button", name="第 1 张照片")).to_be_visible()
    inspector.button("去核对")
    expect(page.locator(".app-main")).to_contain_text("三批铜杆没有检验记录")
    inspector.sign(2)
    submit(inspector)
    next_step = "下一步：“7.1 是否责令改正”办结后，请在“信息查看”打开这条记录，点“更新处置”。"
    expect(page.locator(".app-main")).to_contain_text(next_step)


def fill_scope(inspector: Inspector) -> None:
    """What the register and no earlier visit know: kinds of supervision and products."""
    page = inspector.page
    page.get_by_role("checkbox", name="工业产品生产许可证管理").tap()
    inspector.button("选择生产产品")
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("checkbox").first.tap()
    sheet.get_by_role("button", name="完成").tap()


def move_disposal(inspector: Inspector) -> None:
    """The order to mend was carried out on the same day."""
    page = inspector.page
    inspector.button("查看记录")
    inspector.button("更新处置")
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("radio", name="是", exact=True).first.tap()
    sheet.get_by_role("button", name="提交处置").tap()
    expect(page.get_by_text("处置已更新。").first).to_be_visible()


def sales_check_without_a_network(inspector: Inspector, market: dict[str, str]) -> None:
    """In a cellar; what was submitted there goes by itself as soon as there is a network."""
    page = inspector.page
    page.wait_for_function("navigator.serviceWorker.ready.then(kept => kept.active?.state === 'activated')")
    page.goto(f"{inspector.bureau.base}/app/#/pages/home/index")
    page.get_by_role("link", name="销售企业检查").tap()
    inspector.scan(market["uscc"])
    page.context.set_offline(True)
    business = page.locator("#at-business_5faddress-input")
    if business.count() and business.input_value() == "":
        business.fill("某市场1号")
    page.get_by_role("button", name="选择销售产品").tap()
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("checkbox").first.tap()
    sheet.get_by_role("button", name="完成").tap()
    inspector.button("核对无误，继续")
    for no, word in SALES.items():
        inspector.answer(no, word)
    inspector.button("去核对")
    inspector.button("提交")
    expect(page.locator(".app-main")).to_contain_text("可以去下一家，联网后自动提交。")
    inspector.button("回到首页")
    expect(page.get_by_role("link", name="待发送 1 条", exact=False)).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("link", name="待发送 1 条", exact=False)).to_have_count(0, timeout=SECONDS)


def draft_that_is_given_up(inspector: Inspector) -> None:
    """A check that was begun by mistake."""
    page = inspector.page
    page.get_by_role("link", name="监督抽查").tap()
    page.get_by_role("link", name="手动录入").tap()
    page.locator("#at-org_5fname-input").fill("按错了的企业")
    page.locator("#at-org_5fname-input").blur()
    page.get_by_role("button", name="返回").first.tap()
    page.goto(f"{inspector.bureau.base}/app/#/pages/drafts/index")
    page.get_by_role("radio", name="抽查").tap()
    page.get_by_role("button", name="删除：按错了的企业").tap()
    page.get_by_role("dialog").get_by_role("button", name="删除记录").tap()
    expect(page.get_by_text("按错了的企业")).to_have_count(0)


def look_back(inspector: Inspector, works: dict[str, str], market: dict[str, str]) -> None:
    """What was done today stands on top of 信息查看, and in the figures."""
    page = inspector.page
    page.get_by_role("navigation", name="功能").get_by_role("link", name="信息查看").tap()
    expect(page.locator(".record-card .record-name").first).to_have_text(market["name"])
    expect(page.locator(".record-card .record-name").nth(1)).to_have_text(works["name"])
    expect(page.locator(".record-card").nth(1)).to_contain_text("处置完成")
    page.get_by_role("navigation", name="功能").get_by_role("link", name="工作统计").tap()
    page.locator(".tile:visible", has_text="发现问题企业").tap()
    expect(page.get_by_role("heading", name="检查记录")).to_be_visible()
    wait_until(lambda: page.locator(".record-card:visible", has_text=works["name"]).count() > 0)


def sign_out(page: Page) -> None:
    page.goto(page.url.split("#")[0] + "#/pages/account/index")
    page.get_by_role("button", name="退出登录").tap()
    page.get_by_role("dialog").get_by_role("button", name="退出登录").tap()
    expect(page.get_by_role("button", name="登录", exact=True)).to_be_visible()
