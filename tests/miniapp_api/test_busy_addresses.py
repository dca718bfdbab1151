"""Many who rate behind one address: a service hall gets through, above that a person is shown, far above is a pause."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from accounts.models import Captcha
from accounts.sign_in import captchas
from core.config import Settings
from core.db import Database
from feedback.models import Rating
from tests.newcomers import code_of
from tests.people import new_id
from tests.problems import ONE_DATABASE, problem_of
from tests.raters import BAD, STREET, Hall, Page, ok

pytestmark = [ONE_DATABASE, pytest.mark.usefixtures("clock")]

BUSY = (403, "captcha_required")
PAUSED = (429, "too_many_requests")
TYPED: dict[str, Any] = {
    "level": 2, "tags2": [207, 213], "comment": "没有样本可以看", "rater_name": "李某某", "mobile": "13800000009",
}  # fmt: skip


@pytest.fixture(autouse=True)
def readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that a test can read."""
    monkeypatch.setattr("miniapp_api.accounts.captchas.data_url", lambda text: f"data:image/png;base64,{text}")


def ratings_in(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Rating)) or 0


def solved(database: Database) -> dict[str, str]:
    with database.write() as session:
        captcha_id, text = captchas.issue(session)
    return {"captcha_id": str(captcha_id), "captcha": text.lower()}


def answered(database: Database) -> dict[str, str]:
    """A question in words whose answer is known."""
    with database.write() as session:
        captcha_id, _ = captchas.ask(session)
        session.execute(
            update(Captcha).where(Captcha.id == captcha_id).values(answer=captchas._answer(captcha_id, "42"))
        )
    return {"captcha_id": str(captcha_id), "captcha": "四十二"}


def picture_on(page: Page) -> str:
    """What the picture on a page says."""
    source = next(value for tag, name, value in page.attributes if (tag, name) == ("img", "src"))
    return (source or "").partition(",")[2]


@pytest.mark.only_in_rounds
def test_four_hundred_citizens_of_one_hall_rate_within_an_hour(hall: Hall, clock: time_machine.Traveller) -> None:
    code = hall.code()
    for _ in range(400):
        assert hall.rate(code).status_code == 201
        clock.shift(timedelta(seconds=8))


class TestBusy:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        changes = {"rating_address_limit": "3 per hour", "rating_address_ceiling": "8 per hour"}
        return settings.model_copy(update=changes)

    @pytest.fixture
    def busy(self, hall: Hall) -> Any:
        code = hall.code()
        for _ in range(3):
            hall.rated(code)
        return code

    def test_above_the_limit_a_captcha_is_asked_for_and_opens(self, hall: Hall, busy: Any, database: Database) -> None:
        told = problem_of(hall.rate(busy, mobile="13800000009"))
        assert (told["status"], told["code"]) == BUSY and "验证码" in told["detail"]
        assert hall.rate(busy, mobile="13800000009", **solved(database)).status_code == 201
        assert code_of(hall.rate(busy)) == BUSY

    def test_a_captcha_counts_once_and_a_wrong_one_not_at_all(
        self, hall: Hall, busy: Any, database: Database
    ) -> None:  # fmt: skip
        used = solved(database)
        assert hall.rate(busy, **used).status_code == 201
        assert code_of(hall.rate(busy, **used)) == BUSY
        wrong = {**solved(database), "captcha": "?????"}
        assert code_of(hall.rate(busy, **wrong)) == BUSY
        for odd in ({"captcha_id": 5, "captcha": 5}, {"captcha": "A" * 5000}, {"captcha_id": "x", "captcha": "x"}):
            assert code_of(hall.rate(busy, **odd)) == BUSY
        assert ratings_in(database) == 4

    def test_a_faulty_form_and_a_form_sent_again_cost_no_captcha(
        self, hall: Hall, busy: Any, database: Database
    ) -> None:  # fmt: skip
        proof, sent = solved(database), {"mobile": "13800000009", "submission_id": new_id()}
        assert hall.rate(busy, **sent, **proof, level=9).status_code == 422
        first = ok(hall.rate(busy, **sent, **proof), 201)
        assert ok(hall.rate(busy, **sent, **proof), 201) == first == ok(hall.rate(busy, **sent), 201)

    def test_another_code_and_another_address_are_not_busy(self, hall: Hall, busy: Any) -> None:
        assert hall.rate(hall.code()).status_code == 201
        assert hall.rate(busy, address="192.0.2.2").status_code == 201
        assert code_of(hall.rate(busy)) == BUSY

    def test_single_use_codes_know_no_brake_and_do_not_count(self, hall: Hall, busy: Any) -> None:
        for _ in range(12):
            assert hall.rate(hall.code(kind="per_matter")).status_code == 201
        assert hall.rate(hall.code()).status_code == 201

    def test_the_window_of_a_number_is_told_before_anything_of_its_address(self, hall: Hall, busy: Any) -> None:
        hall.rated(hall.code(), mobile="13800000009")
        assert code_of(hall.rate(busy, mobile="13800000009")) == (429, "rating_window")

    def test_refused_and_repeated_ratings_do_not_count(self, hall: Hall) -> None:
        code, sent = hall.code(), {"mobile": "13800000001", "submission_id": new_id()}
        for _ in range(5):
            hall.rated(code, **sent)
            assert hall.rate(code, mobile="123").status_code == 422
            assert code_of(hall.rate(code, mobile="13800000001")) == (429, "rating_window")
        hall.rated(code)
        hall.rated(code)
        assert code_of(hall.rate(code)) == BUSY

    def test_far_above_there_is_a_pause_that_says_how_long_and_is_as_long(
        self, hall: Hall, busy: Any, database: Database, clock: time_machine.Traveller
    ) -> None:
        for _ in range(5):
            hall.rated(hall.code())
        clock.shift(timedelta(minutes=20, seconds=1))
        refused = hall.rate(hall.code(), mobile="13800000009")
        assert code_of(refused) == PAUSED
        wait = int(refused.headers["Retry-After"])
        assert 0 < wait <= 40 * 60 and f"{-(-wait // 60)} 分钟" in refused.json["detail"]  # type: ignore[index]
        assert code_of(hall.rate(busy, **solved(database))) == PAUSED
        assert hall.rate(hall.code(kind="per_matter")).status_code == 201
        clock.shift(timedelta(seconds=wait - 2))
        assert code_of(hall.rate(busy)) == PAUSED
        clock.shift(timedelta(seconds=2))
        assert hall.rate(busy, mobile="13800000009").status_code == 201

    def test_the_page_shows_the_picture_and_keeps_every_word(self, hall: Hall, busy: Any, database: Database) -> None:
        refused = hall.send(busy, hall.open(busy), **TYPED, anonymous="1")
        page = Page.of(refused)
        assert refused.status_code == 403 and "captcha" in page.fields and "验证码" in page.texts["captcha-fault"]
        kept = {name: page.fields.getlist(name) for name in (*TYPED, "anonymous")}
        assert kept == {
            "level": ["2"], "tags2": ["207", "213"], "comment": ["没有样本可以看"], "rater_name": ["李某某"],
            "mobile": ["13800000009"], "anonymous": ["1"],
        }  # fmt: skip
        wrong = Page.of(hall.send(busy, page, captcha="?????"))
        assert "重新输入" in wrong.texts["captcha-fault"] and wrong.fields["comment"] == "没有样本可以看"
        assert wrong.fields["captcha_id"] != page.fields["captcha_id"]
        assert hall.send(busy, wrong, captcha=picture_on(wrong)).status_code == 303
        assert ratings_in(database) == 4

    def test_another_picture_and_a_question_in_words_are_a_button_away(
        self, hall: Hall, busy: Any, database: Database
    ) -> None:
        first = Page.of(hall.send(busy, hall.open(busy), **TYPED))
        second = Page.of(hall.send(busy, first, button="picture"))
        assert second.fields["captcha_id"] != first.fields["captcha_id"] and picture_on(second) != picture_on(first)
        asked = Page.of(hall.send(busy, second, button="question"))
        assert "img" not in asked.tags and "多少" in asked.texts["captcha-hint"]
        assert asked.fields["comment"] == "没有样本可以看"
        # Whoever presses Enter sends the form and asks for no other captcha; the field to fill in has the focus.
        assert next(value for tag, name, value in asked.attributes if (tag, name) == ("button", "value")) == "send"
        assert ("input", "autofocus", None) in asked.attributes
        wrong = Page.of(hall.send(busy, asked, captcha="0"))
        assert "多少" in wrong.texts["captcha-hint"]
        with database.write() as session:
            captcha_id = wrong.fields["captcha_id"]
            answer = captchas._answer(UUID(captcha_id), "42")
            session.execute(update(Captcha).where(Captcha.kind == "question").values(answer=answer))
        assert hall.send(busy, wrong, captcha=" ４２人 ").status_code == 303

    def test_questions_open_a_narrower_door_than_pictures(
        self, hall: Hall, busy: Any, database: Database, clock: time_machine.Traveller
    ) -> None:
        for _ in range(4):
            assert hall.rate(busy, **answered(database)).status_code == 201
        assert code_of(hall.rate(busy, **{**answered(database), "captcha": "1"})) == BUSY
        refused = hall.rate(busy, **answered(database))
        assert code_of(refused) == PAUSED and "文字题" in refused.json["detail"]  # type: ignore[index]
        assert 0 < int(refused.headers["Retry-After"]) <= 15 * 60
        assert hall.rate(busy, **solved(database)).status_code == 201
        asked = Page.of(hall.send(busy, hall.open(busy), button="question", **TYPED))
        told = hall.send(busy, asked, captcha="1")
        assert told.status_code == 429 and "文字题" in Page.of(told).texts["errors"] and "img" in Page.of(told).tags
        clock.shift(timedelta(seconds=int(refused.headers["Retry-After"])))
        assert code_of(hall.rate(busy, **{**answered(database), "captcha": "1"})) == BUSY

    def test_a_hundred_wrong_pictures_close_the_door_of_an_address_for_a_quarter_of_an_hour(
        self, hall: Hall, busy: Any, database: Database, clock: time_machine.Traveller
    ) -> None:
        for _ in range(100):
            assert code_of(hall.rate(busy, captcha_id=new_id(), captcha="?????")) == BUSY
        proof = solved(database)
        refused = hall.rate(busy, **proof)
        assert code_of(refused) == PAUSED and hall.rate(busy, address="192.0.2.2").status_code == 201
        clock.shift(timedelta(seconds=int(refused.headers["Retry-After"])))
        assert hall.rate(busy, **solved(database)).status_code == 201


def test_nobody_is_asked_for_a_captcha_before_it_is_needed(hall: Hall) -> None:
    code = hall.code()
    page = hall.open(code)
    assert "captcha" not in page.names and "img" not in page.tags
    faulty = Page.of(hall.send(code, page, **{**TYPED, "comment": ""}))
    assert "captcha" not in faulty.names
    ignored: TestResponse = hall.rate(code, **BAD, captcha_id=new_id(), captcha="?????", address=STREET)
    assert ignored.status_code == 201
