"""Every screen that a rater can meet, and the way to each."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.hall import Hall, fill_in, rate_badly, send


def _fresh(page: Page, hall: Hall) -> None:
    page.goto(hall.code()["url"])


def _bad_level(page: Page, hall: Hall) -> None:
    _fresh(page, hall)
    page.locator("label[for=l1]").click()
    page.get_by_text("多头跑窗口和部门", exact=True).click()


def _faults_at_once(page: Page, hall: Hall) -> None:
    _bad_level(page, hall)
    page.get_by_role("button", name="提交").click()


def _faults_of_the_server(page: Page, hall: Hall) -> None:
    """As whoever has no JavaScript meets them: checked by the server alone."""
    _fresh(page, hall)
    page.locator("label[for=l2]").click()
    with page.expect_navigation():
        page.evaluate("document.querySelector('#form').submit()")


def _refused(page: Page, hall: Hall) -> None:
    address, mobile = hall.code()["url"], hall.number()
    rate_badly(page, address, mobile)
    page.goto(address)
    fill_in(page, mobile)
    send(page)


def _large(page: Page, hall: Hall) -> None:
    _bad_level(page, hall)
    page.get_by_role("link", name="关怀版").click()


def _large_thanks(page: Page, hall: Hall) -> None:
    rate_badly(page, hall.code()["url"] + "?large=1", hall.number())


def _thanks(page: Page, hall: Hall) -> None:
    rate_badly(page, hall.code()["url"], hall.number())


def _answer(page: Page, hall: Hall) -> None:
    code = hall.code()
    query_code = rate_badly(page, code["url"], hall.number())
    (rating,) = hall.ratings(code)
    for who, action, body in (
        ("handler", "contact", {"channel": "phone", "result": "reached", "note": "已了解情况"}),
        ("handler", "verify", {"verify_result": "confirmed", "classification": "at_once"}),
        ("handler", "rectify", {"measures": "窗口改为一次收取材料"}),
        ("handler", "reply", {"feedback_text": "已整改，向您致歉\n感谢监督", "feedback_channel": "phone"}),
        ("supervisor", "close", {"satisfied_after": "satisfied"}),
    ):
        body = {**body, "version": rating["version"]}
        rating = hall.call(who, "POST", f"/ratings/{rating['id']}/actions/{action}", body).json()
    page.goto(f"{hall.base}/r/answers/{query_code}")
    page.locator(".reply").wait_for()


def _look_up(page: Page, hall: Hall) -> None:
    page.goto(f"{hall.base}/r/answers")


def _look_up_in_vain(page: Page, hall: Hall) -> None:
    page.goto(f"{hall.base}/r/answers/ABCD-2345-EFGH-6789")


def _unknown_code(page: Page, hall: Hall) -> None:
    page.goto(f"{hall.base}/r/{'x' * 32}")


SCREENS: dict[str, Callable[[Page, Hall], None]] = {
    "fresh form": _fresh,
    "bad level": _bad_level,
    "faults at once": _faults_at_once,
    "faults of the server": _faults_of_the_server,
    "refused": _refused,
    "large type": _large,
    "large thanks": _large_thanks,
    "thanks": _thanks,
    "answer": _answer,
    "look-up": _look_up,
    "look-up in vain": _look_up_in_vain,
    "unknown code": _unknown_code,
}
