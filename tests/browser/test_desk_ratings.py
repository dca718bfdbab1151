"""The desk of 好差评: codes are made and printed, bad ratings worked to their end, texts released, figures read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from assets.tables.writing import Sheet, write_xlsx
from bundle import client_build
from tests import paperwork
from tests.browser.app import Bureau
from tests.browser.desks import heading, kept, looked_at, sat_down, sign_in
from tests.demo_folder import demo_folder
from tests.drawn_papers import pages
from tests.servers import running_server

pytestmark = pytest.mark.only_in_rounds
OFFICER, HANDLER, SUPERVISOR = "demo_rating_officer", "demo_rating_handler", "demo_rating_supervisor"


@pytest.fixture(scope="module")
def office(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """The demo on a server of its own, with the desk's app."""
    client_build.build("desk", if_stale=True)
    data_dir = demo_folder(tmp_path_factory, "rating-office")
    with running_server(data_dir, DEMO="1", ENTERPRISE_CAPTCHA="after_failure") as base:
        yield Bureau(base, data_dir)


@pytest.fixture
def desk(chromium: Browser) -> Iterator[Page]:
    with sat_down(chromium, accept_downloads=True) as page:
        yield page


def test_an_officer_makes_a_code_generates_it_and_looks_at_the_poster(office: Bureau, desk: Page) -> None:
    desk.goto(f"{office.base}/desk/")
    sign_in(desk, office, OFFICER)
    desk.get_by_role("link", name="评价", exact=True).click()
    heading(desk, "评价")
    desk.get_by_role("navigation", name="评价").get_by_role("link", name="评价二维码").click()
    heading(desk, "评价二维码")
    expect(desk.get_by_role("link", name="文字公开")).to_have_count(0)  # not hers to decide
    looked_at(desk, "codes")

    desk.get_by_role("button", name="新建").click()
    panel = desk.get_by_role("region", name="新建评价二维码")
    panel.get_by_role("button", name="新建").click()
    expect(panel.get_by_text("⚠ 请填写事项名称")).to_be_visible()
    panel.get_by_label("事项名称").fill("计量器具检定受理")
    panel.get_by_label("窗口").fill("9号窗口")
    looked_at(desk, "new-code")
    panel.get_by_role("button", name="新建").click()
    expect(desk.get_by_role("status").first).to_contain_text("已新建")

    row = desk.get_by_role("row", name="计量器具检定受理")
    expect(row.get_by_text("未生成")).to_be_visible()
    expect(row.get_by_role("button", name="查看打印样式")).to_have_count(0)  # 先生成
    row.get_by_role("button", name="生成").click()
    poster = desk.get_by_role("img", name="海报：计量器具检定受理")
    expect(poster).to_be_visible()
    looked_at(desk, "poster")
    desk.get_by_role("button", name="台签", exact=True).click()
    expect(desk.get_by_role("img", name="台签：计量器具检定受理")).to_be_visible()
    desk.get_by_role("button", name="二维码", exact=True).click()
    expect(desk.get_by_role("img", name="二维码：计量器具检定受理")).to_be_visible()
    desk.get_by_role("button", name="台签", exact=True).click()
    with desk.expect_download() as download:
        desk.get_by_role("button", name="下载").click()
    assert download.value.suggested_filename == "计量器具检定受理9号窗口-台签.pdf"
    code = office.call(OFFICER, "GET", "/rating-codes?q=计量器具")["items"][0]
    assert requests.get(code["url"], timeout=30).status_code == 200  # a citizen can rate

    row.get_by_role("button", name="停用").click()
    question = desk.get_by_role("dialog", name="停用“计量器具检定受理 · 9号窗口”？")
    expect(question.get_by_role("button", name="保留")).to_be_visible()
    question.get_by_label("停用原因").fill("窗口调整")
    looked_at(desk, "disable")
    question.get_by_role("button", name="停用").click()
    expect(row.get_by_text("已停用")).to_be_visible()
    expect(row.get_by_role("button", name="停用")).to_have_count(0)


def test_a_table_of_windows_becomes_codes_and_one_file_of_posters(office: Bureau, desk: Page, tmp_path: Path) -> None:
    rows = [["", f"窗口业务{n}", f"{n}号窗口", "", ""] for n in range(11, 14)] + [["每次", "错误的一行", "", "", ""]]
    headings = ("评价类型", "事项名称*", "窗口", "承办单位", "办件编号")
    table = tmp_path / "大厅窗口.xlsx"
    table.write_bytes(write_xlsx(Sheet("窗口", headings, rows, as_text=True)).read())
    kept(desk, office, OFFICER)
    desk.goto(f"{office.base}/desk/ratings/codes")
    desk.get_by_role("link", name="用表格批量制作").click()
    desk.get_by_label("窗口和事项的表格").set_input_files(table)
    expect(desk.get_by_text("可制作 3 个，已选 3 个")).to_be_visible()
    expect(desk.get_by_role("region", name="不处理的行")).to_contain_text("一次一评或一事一评")
    looked_at(desk, "code-table")
    assert office.call(OFFICER, "GET", "/rating-codes?q=窗口业务")["total"] == 0
    desk.get_by_role("checkbox", name="制作第 4 行").uncheck()
    desk.get_by_role("button", name="制作 2 个").click()
    expect(desk.get_by_text("制作二维码：已完成")).to_be_visible()
    desk.get_by_role("button", name="打印全部海报").click()
    expect(desk.get_by_text("打印海报：已完成")).to_be_visible(timeout=60_000)
    with desk.expect_download() as download:
        desk.get_by_role("button", name="下载 好差评海报.pdf").click()
    assert pages(Path(download.value.path()).read_bytes()) == 2
    looked_at(desk, "code-table-done")


def test_several_codes_are_chosen_from_the_list_and_disabled_after_one_question(office: Bureau, desk: Page) -> None:
    kept(desk, office, OFFICER)
    for n in range(3):
        office.call(OFFICER, "POST", "/rating-codes", {"kind": "per_visit", "matter_name": f"临时窗口{n}"})
    desk.goto(f"{office.base}/desk/ratings/codes?q=临时窗口")
    desk.get_by_role("checkbox", name="选中本页").check()
    batch = desk.get_by_role("group", name="批量办理")
    expect(batch.get_by_text("已选 3 项")).to_be_visible()
    looked_at(desk, "codes-chosen")
    batch.get_by_role("button", name="停用").click()
    desk.get_by_role("dialog", name="停用 3 个二维码？").get_by_role("button", name="停用").click()
    expect(desk.get_by_text("停用二维码：已完成")).to_be_visible()
    expect(desk.locator("tbody").get_by_text("已停用")).to_have_count(3)


def test_a_bad_rating_is_worked_from_assigning_to_closing(office: Bureau, desk: Page, chromium: Browser) -> None:
    listed = office.call(SUPERVISOR, "GET", "/ratings?status=to_verify")["items"]
    rating = next(one for one in listed if one["real_name"])
    address = f"{office.base}/desk/ratings/{rating['id']}"
    kept(desk, office, SUPERVISOR)
    desk.goto(f"{office.base}/desk/ratings?status=to_verify")
    desk.get_by_role("row", name=rating["comment"]).get_by_role("link").click()
    desk.get_by_role("button", name="指派承办人").click()
    desk.get_by_role("radio", name=HANDLER).check()
    desk.get_by_role("form", name="指派承办人").get_by_role("button", name="指派承办人").click()
    expect(desk.get_by_role("status")).to_contain_text("已指派承办人")

    with sat_down(chromium) as handler:
        kept(handler, office, HANDLER)
        handler.goto(f"{office.base}/desk/ratings?bad=true")
        looked_at(handler, "ratings")
        handler.goto(address)
        form = handler.get_by_role("form")
        expect(form.get_by_role("heading", name="登记回访")).to_be_visible()  # the current step's form only
        expect(handler.get_by_text("核实（实名差评请先登记至少一次回访，再作处理）")).to_be_visible()
        handler.get_by_role("button", name="查看手机号").click()
        form.get_by_role("button", name="查看手机号").click()
        expect(handler.get_by_text("号码已显示，查看已记入操作记录。")).to_be_visible()
        form.get_by_role("button", name="登记回访").click()
        expect(form.get_by_text("⚠ 请选择回访方式")).to_be_visible()
        looked_at(handler, "contact")
        form.get_by_role("radio", name="电话").check()
        form.get_by_role("radio", name="已联系").check()
        form.get_by_label("回访情况").fill("已了解经过")
        form.get_by_role("button", name="登记回访").click()
        form.get_by_role("radio", name="属实", exact=True).check()
        form.get_by_role("radio", name="立行立改").check()
        form.get_by_role("button", name="核实").click()
        expect(handler.get_by_role("button", name="解释说明")).to_have_count(0)  # another way was found
        form.get_by_label("整改措施").fill("更新一次性告知清单")
        form.get_by_role("button", name="整改").click()
        form.get_by_label("反馈内容").fill("已更新清单，感谢监督。")
        form.get_by_role("radio", name="电话").check()
        form.get_by_role("button", name="反馈").click()
        expect(handler.get_by_text("现在不需要你办理。")).to_have_count(0)  # may still call back
        expect(handler.get_by_role("list", name="进度").get_by_text("办结")).to_have_attribute("aria-current", "step")

    desk.goto(address)
    form = desk.get_by_role("form")
    form.get_by_role("radio", name="满意", exact=True).check()
    form.get_by_role("button", name="办结").click()
    expect(desk.get_by_role("status")).to_contain_text("状态为“已办结”")
    desk.get_by_role("button", name="历史").click()
    expect(desk.get_by_role("region", name="历史").get_by_text("查看手机号")).to_be_visible()
    looked_at(desk, "rating-closed")


def test_an_appeal_is_made_with_evidence_and_upheld_by_the_supervisor(
    office: Bureau, desk: Page, chromium: Browser, tmp_path: Path
) -> None:
    listed = office.call(HANDLER, "GET", "/ratings?status=verified")["items"]
    address = f"{office.base}/desk/ratings/{listed[0]['id']}"
    proof = tmp_path / "证明.pdf"
    proof.write_bytes(paperwork.pdf("取号记录"))
    kept(desk, office, HANDLER)
    desk.goto(address)
    desk.get_by_role("button", name="申诉").click()
    form = desk.get_by_role("form", name="申诉")
    form.get_by_label("申诉理由").fill("当日该窗口没有此人的取号记录")
    form.get_by_role("button", name="申诉", exact=True).click()
    expect(form.get_by_text("⚠ 请上传申诉证据")).to_be_visible()
    form.get_by_label("申诉证据").set_input_files(proof)
    expect(form.get_by_role("button", name="删除")).to_be_visible()  # it is uploaded
    form.get_by_role("button", name="申诉", exact=True).click()
    expect(desk.get_by_role("status")).to_contain_text("状态为“申诉中”")
    with sat_down(chromium) as supervisor:
        kept(supervisor, office, SUPERVISOR)
        supervisor.goto(address)
        with supervisor.expect_popup():  # the evidence opens beside the page
            supervisor.get_by_role("button", name="证明.pdf").click()
        supervisor.get_by_role("button", name="驳回申诉").click()
        form = supervisor.get_by_role("form", name="驳回申诉")
        form.get_by_label("意见").fill("取号记录与评价时间不符")
        looked_at(supervisor, "appeal")
        form.get_by_role("button", name="驳回申诉").click()
        expect(supervisor.get_by_role("status")).to_contain_text("状态为“已核实”")


def test_waiting_texts_are_released_one_by_one_and_several_at_once(office: Bureau, desk: Page) -> None:
    kept(desk, office, SUPERVISOR)
    waiting = office.call(SUPERVISOR, "GET", "/ratings?publicity=pending&status=closed")["total"]
    assert waiting >= 3
    desk.goto(f"{office.base}/desk/ratings/publication")
    rows = desk.locator("tbody tr")
    expect(rows).to_have_count(waiting)
    rows.first.get_by_role("button").click()
    panel = desk.get_by_role("region", name="审核文字")
    expect(panel.get_by_role("button", name="公开", exact=True)).to_be_visible()
    looked_at(desk, "publication")
    panel.get_by_role("button", name="公开", exact=True).click()
    expect(rows).to_have_count(waiting - 1)
    panel.get_by_role("button", name="不公开").click()
    panel.get_by_label("不公开的原因").fill("涉及他人信息")
    panel.get_by_role("button", name="不公开文字").click()
    expect(rows).to_have_count(waiting - 2)
    desk.get_by_role("checkbox", name="选中本页").check()
    desk.get_by_role("group", name="批量办理").get_by_role("button", name="公开").click()
    desk.get_by_role("dialog", name=f"公开 {waiting - 2} 条文字？").get_by_role(
        "button", name="公开", exact=True
    ).click()
    expect(desk.get_by_text("没有待审核的文字。")).to_be_visible()


def test_figures_have_a_chart_beside_their_table_and_open_their_ratings(office: Bureau, desk: Page) -> None:
    kept(desk, office, SUPERVISOR)
    scripts: list[str] = []
    desk.on("response", lambda answer: scripts.append(answer.url) if "LevelChart" in answer.url else None)
    desk.goto(f"{office.base}/desk/ratings")
    heading(desk, "评价")
    expect(desk.locator("tbody tr").first).to_be_visible()
    assert scripts == []  # charts come when one is shown
    desk.get_by_role("link", name="评价统计").click()
    expect(desk.get_by_role("img")).to_have_attribute("aria-label", "天宁区市场监督管理局：好评 36，基本满意 6，差评 6")
    expect(desk.locator("canvas")).to_be_visible()
    looked_at(desk, "figures-office")
    desk.get_by_role("button", name="按事项").click()
    expect(desk.get_by_role("row", name="营业执照办理")).to_be_visible()
    looked_at(desk, "figures-matter")
    desk.get_by_role("button", name="按窗口").click()
    expect(desk.get_by_text("请先在上面选择承办单位")).to_be_visible()
    desk.get_by_role("combobox", name="承办单位").select_option(label="天宁区市场监督管理局")
    expect(desk.get_by_role("row", name="1号窗口")).to_be_visible()
    assert "by=window" in desk.url and "office_id=" in desk.url
    with desk.expect_download() as download:
        desk.get_by_role("button", name="导出 Excel").click()
    assert download.value.suggested_filename == "好差评统计-按窗口.xlsx"
    desk.get_by_role("button", name="按月份").click()
    expect(desk.locator("tbody").first.get_by_role("row")).to_have_count(1)
    looked_at(desk, "figures-month")
    desk.get_by_role("button", name="按事项").click()
    desk.get_by_role("row", name="营业执照办理").get_by_role("link").first.click()
    heading(desk, "评价")
    assert "q=" in desk.url
