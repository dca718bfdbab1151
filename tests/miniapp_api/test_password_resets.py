"""A forgotten password (找回密码) by mail: one link, one use, and nobody learns who has an account or an address."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import event, select, update

from accounts.mail.models import MailLink
from accounts.mail.password_resets import FREE, MOST
from accounts.models import SignIn, User
from accounts.sign_in import captchas
from accounts.sign_in.sessions import hash_token
from accounts.sign_in.throttle import by_origin, take
from app import create_app
from core.config import Settings
from core.db import Database
from core.models import HistoryEntry
from core.origin import Origin
from tests.mailbox import letters_to, newest_token
from tests.newcomers import at_once, code_of, make_user, try_sign_in
from tests.parties import FAR_WORKS, prepare, sign_in_enterprise
from tests.people import PASSWORD, Person, uscc

PATH = "/api/v1/password-resets"
ADDRESS, STRANGER = "li.si@example.cn", "stranger@example.cn"
NEW, OTHER = "Lan-Shan-Hu-58", "Qing-Yun-Qiao-73"
NAME = "county_inspector"

Ask = Callable[..., Any]


@pytest.fixture
def ask(client: FlaskClient) -> Ask:
    def asked(username: str = NAME, email: str = ADDRESS, address: str = "127.0.0.1", **body: Any) -> Any:
        sent = {"username": username, "email": email, **body}
        return client.post(PATH, json=sent, environ_base={"REMOTE_ADDR": address})

    return asked


@pytest.fixture
def owner(database: Database, county_inspector: Person) -> Person:
    """Somebody with a confirmed address."""
    assert county_inspector.put("/me/email", {"email": ADDRESS, "password": PASSWORD}).status_code == 202
    token = newest_token(database, ADDRESS)
    assert county_inspector.put("/me/email/confirmation", {"token": token}).status_code == 200
    return county_inspector


def put(client: FlaskClient, token: str, password: str = NEW) -> Any:
    return client.put(f"{PATH}/{token}", json={"password": password})


def test_the_link_of_the_mail_sets_the_password_and_ends_all_sessions(
    client: FlaskClient, database: Database, owner: Person, ask: Ask
) -> None:
    assert (ask().status_code, ask(email=ADDRESS.upper()).status_code) == (202, 202)
    token = newest_token(database, ADDRESS)
    assert put(client, token).status_code == 200
    assert owner.get("/me").status_code == 401
    assert try_sign_in(client, NAME, PASSWORD).status_code == 401
    signed_in = try_sign_in(client, NAME, NEW)
    assert signed_in.status_code == 201
    told = signed_in.json
    assert told is not None and [one["kind"] for one in told["resets"]] == ["password"]
    assert "已重置" in letters_to(database, ADDRESS)[-1] or "重置" in letters_to(database, ADDRESS)[-1]
    with database.read() as session:
        actions = session.scalars(select(HistoryEntry.action).order_by(HistoryEntry.id.desc()).limit(1)).all()
        assert actions == ["reset_by_link"]
        assert session.scalars(select(MailLink.id)).all() == []  # the earlier one is over too


def test_a_lost_answer_is_asked_for_again_but_the_link_sets_no_second_password(
    client: FlaskClient, database: Database, owner: Person, ask: Ask
) -> None:
    ask()
    token = newest_token(database, ADDRESS)
    assert [put(client, token).status_code for _ in range(3)] == [200, 200, 200]
    assert code_of(put(client, token, OTHER)) == (410, "link_over")
    assert try_sign_in(client, NAME, NEW).status_code == 201


@pytest.mark.parametrize("forged", ["moved", "put in"])
def test_a_link_put_into_the_table_or_moved_there_to_another_user_is_none(
    client: FlaskClient, database: Database, owner: Person, city_reviewer: Person, ask: Ask, forged: str
) -> None:
    """Who can write to the database and has no key would else set anybody's password, and no history would show it."""
    ask()
    token = newest_token(database, ADDRESS)
    changes: dict[str, Any] = {}
    if forged == "put in":
        changes["token_hash"] = hash_token(token)
    with database.write() as session:
        victim = session.scalars(select(User.id).where(User.username == city_reviewer.username)).one()
        session.execute(update(MailLink).values(user_id=victim, **changes))
    assert code_of(put(client, token)) == (410, "link_over")
    assert try_sign_in(client, city_reviewer.username, PASSWORD).status_code == 201


def test_a_password_that_will_not_do_leaves_the_link_as_it_is(
    client: FlaskClient, database: Database, owner: Person, ask: Ask
) -> None:
    ask()
    token = newest_token(database, ADDRESS)
    weak = put(client, token, "short")
    assert code_of(weak) == (422, "invalid") and weak.json["errors"][0]["path"] == "/password"
    assert put(client, token).status_code == 200


def test_a_link_is_good_for_an_hour(
    client: FlaskClient, database: Database, clock: time_machine.Traveller, owner: Person, ask: Ask
) -> None:
    ask()
    token = newest_token(database, ADDRESS)
    clock.shift(timedelta(hours=1) - timedelta(seconds=1))
    assert code_of(put(client, token, "short")) == (422, "invalid")
    clock.shift(1)
    assert code_of(put(client, token)) == (410, "link_over")


def test_of_ten_who_use_one_link_at_one_moment_one_sets_the_password(
    application: APIFlask, database: Database, owner: Person, ask: Ask
) -> None:
    ask()
    token = newest_token(database, ADDRESS)
    tries = [f"Ping-Hu-Lu-{number}-73" for number in range(6)]
    answers = at_once(*(lambda one=one: put(application.test_client(), token, one) for one in tries))  # type: ignore[misc]
    assert sorted(answer.status_code for answer in answers) == [200, *[410] * 5]
    won = tries[[answer.status_code for answer in answers].index(200)]
    for one in tries:
        assert try_sign_in(application.test_client(), NAME, one).status_code == (201 if one == won else 401)


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 64, "0" * 4000])
def test_an_invented_link_is_none(client: FlaskClient, token: str) -> None:
    assert code_of(put(client, token)) == (410, "link_over")


def test_nobody_learns_which_names_and_addresses_there_are(database: Database, owner: Person, ask: Ask) -> None:
    statements: list[str] = []
    event.listen(
        database.engine, "before_cursor_execute",
        lambda _c, _cursor, statement, *_more: statements.append(" ".join(statement.split()[:6])),
    )  # fmt: skip

    def seen(**given: str) -> tuple[int, Any, list[str]]:
        statements.clear()
        answer = ask(**given)
        return answer.status_code, answer.json, list(statements)

    theirs = seen()
    for given in (
        {"username": "nobody_here"}, {"email": STRANGER}, {"username": "county_colleague"},
        {"username": "nobody_here", "email": "no address"},
    ):  # fmt: skip
        assert seen(**given) == theirs, given
    assert letters_to(database, STRANGER) == [] and len(letters_to(database, ADDRESS)) == 2
    with database.read() as session:
        names = session.scalars(select(SignIn.username).where(SignIn.outcome == "reset_asked")).all()
        assert sorted(names) == sorted([NAME, NAME, "county_colleague", "nobody_here", "nobody_here"])
        lost = session.scalars(select(MailLink.address).where(MailLink.user_id.is_(None))).all()
        assert lost == [None] * 4  # nothing of who was typed


def test_a_disabled_account_gets_no_link_and_a_link_of_before_is_over(
    client: FlaskClient, database: Database, owner: Person, city_reviewer: Person, ask: Ask
) -> None:
    ask()
    token = newest_token(database, ADDRESS)
    with database.read() as session:
        user_id = session.scalars(select(User.id).where(User.username == NAME)).one()
    assert city_reviewer.post(f"/users/{user_id}/disable", {"reason": "离职"}).status_code == 200
    before = len(letters_to(database, ADDRESS))
    assert ask().status_code == 202
    assert len(letters_to(database, ADDRESS)) == before
    assert code_of(put(client, token)) == (410, "link_over")


def test_who_changes_the_address_ends_the_links_to_the_former_one(
    client: FlaskClient, database: Database, owner: Person, ask: Ask
) -> None:
    ask()
    token = newest_token(database, ADDRESS)
    owner.put("/me/email", {"email": STRANGER, "password": PASSWORD})
    assert owner.put("/me/email/confirmation", {"token": newest_token(database, STRANGER)}).status_code == 200
    assert code_of(put(client, token)) == (410, "link_over")


def test_a_link_to_confirm_an_address_sets_no_password_and_the_other_way_round(
    client: FlaskClient, database: Database, owner: Person, ask: Ask
) -> None:
    owner.put("/me/email", {"email": STRANGER, "password": PASSWORD})
    assert code_of(put(client, newest_token(database, STRANGER))) == (410, "link_over")
    ask()
    reset = newest_token(database, ADDRESS)
    assert code_of(owner.put("/me/email/confirmation", {"token": reset})) == (410, "link_over")
    assert put(client, reset).status_code == 200


def test_whoever_knows_name_and_address_sends_three_mails_an_hour(
    database: Database, clock: time_machine.Traveller, owner: Person, ask: Ask
) -> None:
    assert [ask(address=f"203.0.113.{n}").status_code for n in range(4)] == [202, 202, 202, 429]
    # As for a pair that nobody has.
    assert [ask("nobody", address=f"203.0.113.{n}").status_code for n in range(4)] == [202, 202, 202, 429]
    clock.shift(timedelta(hours=1) - timedelta(seconds=1))
    assert ask().status_code == 429
    clock.shift(1)
    assert ask().status_code == 202


def test_a_line_that_asks_often_has_to_be_a_person_and_far_above_that_is_told_to_wait(
    database: Database, ask: Ask, client: FlaskClient
) -> None:
    line = "203.0.113.9"
    answers = [ask(f"nobody{number}", address=line) for number in range(FREE + 1)]
    assert [answer.status_code for answer in answers] == [*[202] * FREE, 403]
    assert code_of(answers[-1]) == (403, "captcha_required")
    with database.write() as session:
        captcha_id, shown = captchas.issue(session)
    proved = {"captcha_id": str(captcha_id), "captcha": shown}
    assert ask("nobody99", address=line, **proved).status_code == 202
    assert code_of(ask("nobody99", address=line, **proved)) == (403, "captcha_required")  # once
    assert ask("nobody99", address="203.0.113.10").status_code == 202
    with database.write() as session:
        for _ in range(MOST):
            take(session, dict.fromkeys(by_origin("reset-address", Origin(line, line)), MOST), timedelta(hours=1))
        captcha_id, shown = captchas.issue(session)
    late = ask("nobody100", address=line, captcha_id=str(captcha_id), captcha=shown)
    assert code_of(late) == (429, "too_many_requests")


def test_the_second_factor_is_asked_for_all_the_same(
    client: FlaskClient, database: Database, owner: Person, ask: Ask
) -> None:
    import pyotp

    begun = owner.post("/me/otp", {}).json
    assert begun is not None
    assert owner.put("/me/otp", {"otp": pyotp.TOTP(begun["secret"]).now()}).status_code == 200
    ask()
    assert put(client, newest_token(database, ADDRESS)).status_code == 200
    assert code_of(try_sign_in(client, NAME, NEW)) == (403, "otp_required")


def test_whether_mails_go_out_is_said_to_everybody_alike(client: FlaskClient, settings: Settings, ask: Ask) -> None:
    assert client.get(PATH).json == {"sends_mail": False}
    assert ask("nobody").json == {"sends_mail": False}
    mailing = settings.model_copy(update={"smtp_host": "127.0.0.1", "mail_from": "server@example.com"})
    assert create_app(mailing).test_client().get(PATH).json == {"sends_mail": True}


class TestInvitations:
    """An enterprise gets its account by a link instead of a one-time password."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"smtp_host": "127.0.0.1", "mail_from": "server@example.com"})

    def test_the_enterprise_sets_its_own_password_and_nobody_ever_saw_one(
        self, application: APIFlask, database: Database, sign_in: Callable[[str], Person]
    ) -> None:
        parties = prepare(application, sign_in)
        made = parties.far_reviewer.post(f"/enterprises/{FAR_WORKS}/users", {"email": ADDRESS})
        assert made.status_code == 201
        assert made.json == {"username": FAR_WORKS, "invited": "l****@example.cn", "must_change_password": True}
        assert FAR_WORKS in letters_to(database, ADDRESS)[-1]
        assert put(application.test_client(), newest_token(database, ADDRESS)).status_code == 200
        person = sign_in_enterprise(application, FAR_WORKS, NEW)
        assert person.get("/filings").status_code == 200
        assert person.get("/me/email").json["email"] == "l****@example.cn"  # type: ignore[index]

    def test_a_further_hand_over_ends_the_link_and_it_is_good_for_seven_days(
        self, application: APIFlask, database: Database, sign_in: Callable[[str], Person], clock: time_machine.Traveller
    ) -> None:
        parties = prepare(application, sign_in)
        invite = f"/enterprises/{FAR_WORKS}/users"
        parties.far_reviewer.post(invite, {"email": ADDRESS})
        first = newest_token(database, ADDRESS)
        clock.shift(1)
        parties.far_reviewer.post(invite, {"email": ADDRESS})
        client = application.test_client()
        assert code_of(put(client, first)) == (410, "link_over")
        second = newest_token(database, ADDRESS)
        clock.shift(timedelta(days=7) - timedelta(seconds=1))
        assert code_of(put(client, second, "short")) == (422, "invalid")
        clock.shift(1)
        assert code_of(put(client, second)) == (410, "link_over")

    def test_what_is_no_address_and_another_bureau_are_refused(
        self, application: APIFlask, sign_in: Callable[[str], Person]
    ) -> None:
        parties = prepare(application, sign_in)
        invite = f"/enterprises/{FAR_WORKS}/users"
        assert code_of(parties.far_reviewer.post(invite, {"email": "no address"})) == (422, "invalid")
        assert code_of(parties.reviewer.post(invite, {"email": ADDRESS})) == (404, "not_found")


def test_without_a_mail_server_nobody_is_invited(application: APIFlask, sign_in: Callable[[str], Person]) -> None:
    parties = prepare(application, sign_in)
    refused = parties.far_reviewer.post(f"/enterprises/{FAR_WORKS}/users", {"email": ADDRESS})
    assert code_of(refused) == (409, "mail_not_set_up") and "一次性密码" in refused.get_data(as_text=True)


def test_an_enterprise_that_never_signed_in_has_no_address_to_ask_with(database: Database, ask: Ask) -> None:
    make_user(database, "320402", uscc(900), one_time=True)
    assert ask(uscc(900)).status_code == 202
    assert letters_to(database, ADDRESS) == []
