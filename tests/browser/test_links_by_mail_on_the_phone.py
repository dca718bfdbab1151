"""A mail address of one's own, a forgotten password, and a filing by its query code, as a person does them."""

import re
import time
import uuid
from collections.abc import Callable, Iterator
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.app import Bureau, build_if_stale, violations
from tests.demo_folder import demo_folder
from tests.mailbox import token_in
from tests.servers import running_server
from tests.smtp_double import MailServerOfTests, mail_server

Phone = Callable[..., Page]
USER, ADDRESS, NEW = "demo_tianning", "li.si@example.cn", "Lan-Shan-Hu-58"


@pytest.fixture(scope="module")
def mails() -> Iterator[MailServerOfTests]:
    with mail_server() as kept:
        yield kept


@pytest.fixture(scope="module")
def bureau(chromium: Browser, mails: MailServerOfTests, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """A bureau with a mail server."""
    build_if_stale()
    data_dir = demo_folder(tmp_path_factory, "mailing")
    smtp = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(mails.port), "SMTP_SECURITY": "none"}
    with running_server(data_dir, DEMO="1", MAIL_FROM="server@example.com", **smtp) as base:
        yield Bureau(base, data_dir)


def mailed(mails: MailServerOfTests, number: int) -> str:
    """The text of that mail; the server hands mails over within seconds."""
    last = time.monotonic() + 60
    while len(mails.mails) < number and time.monotonic() < last:
        time.sleep(0.2)
    letter: EmailMessage = mails.mails[number - 1]
    return str(letter.get_content())


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("用户名").fill(USER)
    page.get_by_label("密码", exact=True).fill(password)
    page.get_by_role("button", name="登录", exact=True).click()


def test_somebody_confirms_an_address_and_later_sets_a_forgotten_password_by_it(
    bureau: Bureau, phone: Phone, mails: MailServerOfTests
) -> None:
    page, password = phone(), bureau.account(USER)["password"]
    bureau.open(page, USER, "/pages/mail/address")
    expect(page.get_by_role("heading", name="邮箱", level=1)).to_be_visible()
    page.get_by_label("邮箱", exact=True).fill(ADDRESS)
    page.get_by_label("登录密码").fill(password)
    page.get_by_role("button", name="发送确认邮件").click()
    expect(page.get_by_text("确认邮件已发送到 l****@example.cn")).to_be_visible()
    assert violations(page) == []
    page.goto(f"{bureau.base}/app/#/pages/mail/confirm?token={token_in(mailed(mails, 1))}")
    page.get_by_role("button", name="确认邮箱").click()
    expect(page.get_by_text("已确认，可用于找回密码")).to_be_visible()

    page = phone()
    page.goto(f"{bureau.base}/app/")
    page.get_by_role("button", name="找回密码").click()
    page.get_by_label("用户名").fill(USER)
    page.get_by_label("邮箱").fill("someone.else@example.cn")
    page.get_by_role("button", name="发送重置链接").click()
    expect(page.get_by_text("如果用户名和邮箱相符")).to_be_visible()
    page.goto(f"{bureau.base}/app/#/pages/sign-in/index")
    page.get_by_role("button", name="找回密码").click()
    page.get_by_label("用户名").fill(USER)
    page.get_by_label("邮箱").fill(ADDRESS)
    page.get_by_role("button", name="发送重置链接").click()
    expect(page.get_by_text("如果用户名和邮箱相符")).to_be_visible()
    assert violations(page) == []
    link = f"{bureau.base}/app/#/pages/mail/password?token={token_in(mailed(mails, 2))}"
    page.goto(link)
    page.get_by_label("新密码").fill("short")
    page.get_by_role("button", name="设置新密码").click()
    expect(page.get_by_text(re.compile("密码至少"))).to_be_visible()
    page.get_by_label("新密码").fill(NEW)
    page.get_by_role("button", name="设置新密码").click()
    expect(page.get_by_text("新密码已设置")).to_be_visible()
    page.get_by_role("button", name="去登录").click()
    sign_in(page, NEW)
    expect(page.get_by_text("账号重置")).to_be_visible()

    page = phone()
    page.goto(link)
    page.get_by_label("新密码").fill(NEW + "x")
    page.get_by_role("button", name="设置新密码").click()
    expect(page.get_by_text("链接无效、已使用或已过期")).to_be_visible()


def test_what_does_not_fit_a_query_code_is_told_in_one_sentence(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    page.goto(f"{bureau.base}/app/#/pages/query/index")
    page.get_by_role("button", name="查询", exact=True).click()
    expect(page.get_by_text("请填写登记时得到的查询码")).to_be_visible()
    page.get_by_label("名称或姓名").fill("常州某评价有限公司")
    page.get_by_label("统一社会信用代码或身份证号").fill("91320400MA1TEX0012")
    page.get_by_label("查询码").fill("2222-2222-2222-2222")
    page.get_by_role("button", name="查询", exact=True).click()
    expect(page.get_by_text("名称、代码或查询码不正确")).to_be_visible()
    assert violations(page) == []


def test_everybody_reads_what_an_office_has_published(bureau: Bureau, phone: Phone) -> None:
    notice_id = str(uuid.uuid4())
    body = {"system": "production", "title": "年度自查的通知", "text": "请于月底前提交自查报告。"}
    made = bureau.call("demo_licence_reviewer", "PUT", f"/notices/{notice_id}", body)
    bureau.call("demo_licence_reviewer", "POST", f"/notices/{notice_id}/publish", {"version": made["version"]})
    page = phone()
    page.goto(f"{bureau.base}/app/")
    page.get_by_role("button", name="通知公告").click()
    page.get_by_text("年度自查的通知").click()
    expect(page.get_by_text("请于月底前提交自查报告。")).to_be_visible()
    assert violations(page) == []


def test_who_may_write_for_several_systems_chooses_one_of_those_that_the_server_names(
    bureau: Bureau, phone: Phone
) -> None:
    page = phone()
    further = {"code": "lifts", "title": "电梯"}

    def with_a_further_system(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["user"]["notice_systems"].append(further)
        route.fulfill(response=answer, json=body)

    page.route("**/api/v1/sessions", with_a_further_system)
    page.goto(f"{bureau.base}/app/")
    page.get_by_label("用户名").fill("demo_licence_reviewer")
    page.get_by_label("密码", exact=True).fill(bureau.account("demo_licence_reviewer")["password"])
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_role("link", name="通知公告").click()
    page.get_by_role("button", name="写公告").click()
    page.get_by_label("标题").fill("分系统的通知")
    page.get_by_label("正文").fill("按系统发布。")
    page.get_by_role("button", name="存为未发布").click()
    expect(page.get_by_text("请选择公告属于哪个系统")).to_be_visible()
    page.get_by_role("button", name="请选择", exact=True).click()
    expect(page.get_by_role("dialog").get_by_role("link", name="电梯")).to_be_visible()
    page.get_by_role("dialog").get_by_role("link", name="工业产品生产许可").click()
    page.get_by_role("button", name="存为未发布").click()
    expect(page.get_by_text("已保存。发布前别人看不到。").first).to_be_visible()
    own = bureau.call("demo_licence_reviewer", "GET", "/own-notices")["items"]
    assert [one["system"] for one in own if one["title"] == "分系统的通知"] == ["production"]
