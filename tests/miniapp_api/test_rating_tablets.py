"""A hall's tablet: large type, a short thanks, then a clean form; nothing of the person before."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine

from tests.problems import ONE_DATABASE
from tests.raters import Hall, Page

pytestmark = ONE_DATABASE

TYPED: dict[str, Any] = {
    "level": 2,
    "tags2": [214],
    "comment": "窗口态度生硬",
    "rater_name": "张某某",
    "mobile": "13800000001",
}


def opened(hall: Hall, code: dict[str, Any]) -> Page:
    return Page.of(hall.get(f"/r/{code['token']}?mode=tablet"))


def sent(hall: Hall, code: dict[str, Any], page: Page, **typed: Any) -> Any:
    return hall.client.post(f"/r/{code['token']}?mode=tablet", data=page.filled_in(**typed))


def refreshes(page: Page) -> list[str]:
    """Where the page goes by itself, and when."""
    return [
        value or ""
        for tag, name, value in page.attributes
        if (tag, name) == ("meta", "content") and "url=" in (value or "")
    ]


def test_a_code_has_an_address_for_the_tablet_of_its_window(hall: Hall) -> None:
    code = hall.code()
    assert code["tablet_url"] == code["url"] + "?mode=tablet"
    assert hall.code(generated=False)["tablet_url"] is None


def test_the_page_of_a_tablet_is_large_and_offers_nothing_that_was_typed_before(hall: Hall) -> None:
    code = hall.code()
    answer = hall.get(f"/r/{code['token']}?mode=tablet")
    page = Page.of(answer)
    assert ("html", "class", "large tablet") in page.attributes
    assert ("form", "autocomplete", "off") in page.attributes
    fills = {value for tag, name, value in page.attributes if name == "autocomplete"}
    assert fills == {"off"} and answer.headers["Cache-Control"] == "no-store"
    assert "/r/answers" not in page.links
    # Without JavaScript nobody can tell who still types: it waits longer, and says so.
    assert refreshes(page) == [f"180;url=/r/{code['token']}?mode=tablet&again=1"] and "3分钟后自动清空" in page.text


def test_after_sending_a_tablet_thanks_shortly_and_comes_back_to_a_clean_form(
    hall: Hall, clock: time_machine.Traveller
) -> None:  # fmt: skip
    code = hall.code()
    answer = sent(hall, code, opened(hall, code), **TYPED)
    where = answer.headers["Location"]
    assert answer.status_code == 303 and urlsplit(where).path == f"/r/{code['token']}"
    shown = hall.get(where)
    thanks = Page.of(shown)
    assert "评价提交成功" in thanks.text and "最迟 2026-11-27" in thanks.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert "窗口态度生硬" not in thanks.text and "13800000001" not in thanks.text
    (back,) = refreshes(thanks)
    seconds, _, clean = back.partition(";url=")
    assert int(seconds) == 20
    form = Page.of(hall.get(clean))
    assert [form.fields[name] for name in ("comment", "rater_name", "mobile")] == ["", "", ""]


def test_going_back_to_the_thanks_of_the_person_before_shows_a_clean_form(
    hall: Hall, clock: time_machine.Traveller
) -> None:  # fmt: skip
    code = hall.code()
    where = sent(hall, code, opened(hall, code), **TYPED).headers["Location"]
    clock.shift(timedelta(seconds=24))
    assert hall.get(where).status_code == 200
    clock.shift(timedelta(seconds=1))
    late = hall.get(where)
    assert (late.status_code, late.headers["Location"]) == (303, f"/r/{code['token']}?mode=tablet&again=1")


@pytest.mark.parametrize("mark", ["", "x", "AAAA" * 40, "%00", "é"])
def test_a_mark_that_is_none_leads_to_a_clean_form(hall: Hall, mark: str) -> None:
    code = hall.code()
    answer = hall.get(f"/r/{code['token']}?mode=tablet&thanks={mark}")
    assert answer.status_code == 303


def test_a_refusal_on_a_tablet_clears_itself_too(hall: Hall) -> None:
    code = hall.code()
    sent(hall, code, opened(hall, code), **TYPED)
    answer = sent(hall, code, opened(hall, code), **TYPED)
    page = Page.of(answer)
    assert answer.status_code == 429 and "窗口态度生硬" in page.texts["kept"]
    assert refreshes(page) == [f"60;url=/r/{code['token']}?mode=tablet&again=1"]
    assert "返回上一页" not in page.text and "长按复制" not in page.text  # the next person would paste it


def test_faults_on_a_tablet_keep_the_manner(hall: Hall) -> None:
    code = hall.code()
    answer = sent(hall, code, opened(hall, code), **{**TYPED, "mobile": "138"})
    page = Page.of(answer)
    assert answer.status_code == 422 and ("form", "action", "?mode=tablet") in page.attributes
    assert page.fields["comment"] == "窗口态度生硬" and answer.headers["Cache-Control"] == "no-store"


def test_a_clean_form_that_came_by_itself_counts_as_no_scan(hall: Hall, application: Any) -> None:
    from miniapp_api.http.wiring import KEY

    code = hall.code()
    opened(hall, code)
    for _ in range(5):
        hall.get(f"/r/{code['token']}?mode=tablet&again=1")
    application.extensions[KEY].scans.write()
    assert hall.person("officer").get(f"/rating-codes/{code['id']}").json["scans"] == 1
