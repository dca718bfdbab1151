"""Signing in with WeChat: one person, one binding; what ends it; and what WeChat may answer."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import select, text

from accounts import sweeping
from accounts.models import SignIn, User, UserSession, WeChatBinding
from accounts.sign_in.wechat_bindings import KEPT_UNUSED
from core.config import Settings
from core.db import Database
from tests.newcomers import at_once
from tests.people import PASSWORD, Person, faults
from tests.problems import ONE_DATABASE, problem_of
from tests.records import problem, read
from tests.wechat_double import APP_KEY, APPID, LOGIN, STABLE_TOKEN, WeChatDouble, wechat_double

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def double() -> Iterator[WeChatDouble]:
    with wechat_double() as running:
        yield running


@pytest.fixture
def settings(settings: Settings, double: WeChatDouble) -> Settings:
    wechat = {"wechat_appid": APPID, "wechat_secret": SecretStr(APP_KEY), "wechat_base_url": double.address}
    return settings.model_copy(update=wechat)


@pytest.fixture
def sign_in_as(client: FlaskClient) -> Callable[[str, str], Person]:
    """Signs somebody in by password under an operator name."""

    def signed_in(username: str, operator_name: str) -> Person:
        body = {"username": username, "password": PASSWORD, "operator_name": operator_name}
        return Person(username, client, client.post("/api/v1/sessions", json=body).json["token"])  # type: ignore[index]

    return signed_in


@pytest.fixture
def by_wechat(client: FlaskClient, double: WeChatDouble) -> Callable[..., Any]:
    """The answer to a sign-in with WeChat by a person, or with a code."""

    def answer(openid: str = "", code: str = "") -> Any:
        return client.post("/api/v1/sessions/wechat", json={"code": code or double.login_code(openid)})

    return answer


def bind(person: Person, double: WeChatDouble, openid: str) -> Any:
    answer = person.put("/me/wechat", {"code": double.login_code(openid)})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def test_a_bound_phone_signs_in_again_and_again_under_its_operator_name(
    client: FlaskClient, double: WeChatDouble, sign_in_as: Any, by_wechat: Any
) -> None:
    assert problem(by_wechat("jia")) == (409, "wechat_not_bound")
    person = sign_in_as("county_inspector", "甲某")
    assert read(person, "/me/wechat") == {
        "available": True, "bound": False, "operator_name": None, "bound_at": None, "others": 0,
    }  # fmt: skip
    bound = bind(person, double, "jia")
    assert (bound["bound"], bound["operator_name"], bound["others"]) == (True, "甲某", 0)
    for _ in range(2):
        answer = by_wechat("jia")
        assert answer.status_code == 201
        assert (answer.json["user"]["username"], answer.json["user"]["operator_name"]) == ("county_inspector", "甲某")
        again = Person("county_inspector", client, answer.json["token"])
        assert read(again, "/me")["operator_name"] == "甲某"
        assert read(again, "/me/wechat")["bound"] is True
    assert double.asked(STABLE_TOKEN) == 0


def test_several_people_are_bound_to_one_user_name_and_unbinding_one_leaves_the_others(
    client: FlaskClient, double: WeChatDouble, sign_in_as: Any, by_wechat: Any
) -> None:
    people = {name: sign_in_as("county_inspector", name) for name in ("甲某", "乙某", "丙某")}
    for name, person in people.items():
        bind(person, double, name)
    phone_of_jia = Person("county_inspector", client, by_wechat("甲某").json["token"])
    phone_of_yi = Person("county_inspector", client, by_wechat("乙某").json["token"])
    assert read(phone_of_yi, "/me/wechat")["others"] == 2
    ended = phone_of_jia.delete("/me/wechat")
    assert (ended.status_code, ended.json["bound"], ended.json["others"]) == (200, False, 2)
    assert phone_of_jia.delete("/me/wechat").json["bound"] is False
    assert problem(by_wechat("甲某")) == (409, "wechat_not_bound")
    assert [by_wechat(name).json["user"]["operator_name"] for name in ("乙某", "丙某")] == ["乙某", "丙某"]
    assert phone_of_yi.get("/me").status_code == 200


def test_a_lost_phone_is_unbound_from_another_one_and_signed_out(
    client: FlaskClient, double: WeChatDouble, sign_in_as: Any, by_wechat: Any
) -> None:
    bind(sign_in_as("county_inspector", "甲某"), double, "jia")
    lost = Person("county_inspector", client, by_wechat("jia").json["token"])
    other = sign_in_as("county_inspector", "甲某")
    assert other.delete("/me/wechat").json["bound"] is False
    assert problem(lost.get("/me")) == (401, "unauthenticated")
    assert problem(by_wechat("jia")) == (409, "wechat_not_bound")
    assert other.get("/me").status_code == 200


def test_a_code_that_was_used_or_is_too_old_or_made_up_signs_nobody_in(
    double: WeChatDouble, sign_in_as: Any, by_wechat: Any
) -> None:
    bind(sign_in_as("county_inspector", "甲某"), double, "jia")
    stolen = double.login_code("jia")
    assert by_wechat(code=stolen).status_code == 201
    assert problem(by_wechat(code=stolen)) == (401, "wechat_code_refused")
    old = double.login_code("jia")
    started = double.now()
    double.now = lambda: started + 301
    assert problem(by_wechat(code=old)) == (401, "wechat_code_refused")
    assert problem(by_wechat(code="made-up")) == (401, "wechat_code_refused")


def test_binding_may_be_sent_again_with_its_code_and_by_nobody_else(
    double: WeChatDouble, sign_in_as: Any, by_wechat: Any
) -> None:
    person, stranger = sign_in_as("county_inspector", "甲某"), sign_in_as("neighbour_inspector", "乙某")
    code = double.login_code("jia")
    first = person.put("/me/wechat", {"code": code})
    assert person.put("/me/wechat", {"code": code}).json == first.json
    assert problem(stranger.put("/me/wechat", {"code": code})) == (401, "wechat_code_refused")
    assert by_wechat("jia").json["user"]["username"] == "county_inspector"


def test_a_wechat_account_that_binds_elsewhere_is_bound_there_only(
    client: FlaskClient, double: WeChatDouble, sign_in_as: Any, by_wechat: Any
) -> None:
    bind(sign_in_as("county_inspector", "甲某"), double, "jia")
    before = Person("county_inspector", client, by_wechat("jia").json["token"])
    bind(sign_in_as("county_colleague", "甲某"), double, "jia")
    assert by_wechat("jia").json["user"]["username"] == "county_colleague"
    assert problem(before.get("/me")) == (401, "unauthenticated")


def test_a_changed_password_leaves_only_the_binding_of_who_changed_it(
    double: WeChatDouble, sign_in_as: Any, by_wechat: Any
) -> None:
    mine, another = sign_in_as("county_inspector", "甲某"), sign_in_as("county_inspector", "乙某")
    bind(mine, double, "jia")
    bind(another, double, "yi")
    body = {"old_password": PASSWORD, "new_password": f"{PASSWORD}-2"}
    assert mine.put("/me/password", body).status_code == 200
    assert by_wechat("jia").status_code == 201
    assert problem(by_wechat("yi")) == (409, "wechat_not_bound")


@pytest.mark.parametrize("action", ["disable", "reset-password"])
def test_a_disabled_or_reset_user_name_has_no_bindings_any_more(
    database: Database, double: WeChatDouble, sign_in_as: Any, by_wechat: Any, city_reviewer: Person, action: str
) -> None:
    bind(sign_in_as("county_inspector", "甲某"), double, "jia")
    signed_in = by_wechat("jia").json
    user = signed_in["user"]["id"]
    body = {"reason": "调离"} if action == "disable" else {}
    assert city_reviewer.post(f"/users/{user}/{action}", body).status_code == 200
    assert problem(by_wechat("jia")) == (409, "wechat_not_bound")
    with database.read() as session:
        assert session.scalars(select(WeChatBinding.id)).all() == []
        assert session.scalars(select(UserSession.id).where(
            UserSession.operator_name == "甲某", UserSession.ended_at.is_(None)
        )).all() == []  # fmt: skip


def test_a_user_who_may_not_sign_in_by_password_may_not_by_wechat(
    database: Database, double: WeChatDouble, sign_in_as: Any, by_wechat: Any
) -> None:
    bind(sign_in_as("county_inspector", "甲某"), double, "jia")
    with database.write() as session:
        session.execute(text("UPDATE users SET status = 'disabled' WHERE username = 'county_inspector'"))
    assert problem(by_wechat("jia")) == (403, "account_disabled")


def test_a_binding_that_nobody_uses_ends_after_half_a_year(
    database: Database, double: WeChatDouble, sign_in_as: Any, by_wechat: Any, clock: time_machine.Traveller
) -> None:
    bind(sign_in_as("county_inspector", "甲某"), double, "jia")
    clock.shift(KEPT_UNUSED.total_seconds() + 60)
    assert problem(by_wechat("jia")) == (409, "wechat_not_bound")
    sweeping.sweep(database)
    with database.read() as session:
        assert session.scalars(select(WeChatBinding.id)).all() == []


def test_neither_openid_nor_session_key_stands_anywhere_in_the_clear(
    database: Database, double: WeChatDouble, sign_in_as: Any, by_wechat: Any
) -> None:
    bind(sign_in_as("county_inspector", "甲某"), double, "openid-of-jia")
    answer = by_wechat("openid-of-jia")
    assert "openid-of-jia" not in answer.get_data(as_text=True)
    assert "a-session-key" not in answer.get_data(as_text=True)
    with database.read() as session:
        (row,) = session.execute(text("SELECT * FROM wechat_bindings")).mappings().all()
        keys = session.execute(text("SELECT * FROM idempotency_keys")).all()
        assert session.scalar(select(WeChatBinding.openid)) == "openid-of-jia"
    assert "openid-of-jia" not in str(dict(row)) + str(keys)
    assert "a-session-key" not in str(dict(row)) + str(keys)


@ONE_DATABASE
@pytest.mark.parametrize(
    ("errcode", "refused"),
    [
        (40029, (401, "wechat_code_refused")), (40163, (401, "wechat_code_refused")),
        (40226, (403, "wechat_blocked")), (45011, (429, "too_many_requests")), (-1, (503, "wechat_unavailable")),
        (40125, (503, "wechat_unavailable")), (40001, (503, "wechat_unavailable")),
    ],
)  # fmt: skip
def test_what_wechat_refuses_is_said_in_words_and_asked_once(
    double: WeChatDouble, by_wechat: Any, errcode: int, refused: tuple[int, str]
) -> None:
    double.errcodes[LOGIN] = errcode
    answer = by_wechat("jia")
    assert problem(answer) == refused
    problem_of(answer)
    assert [request[1] for request in double.requests] == [LOGIN]
    assert ("Retry-After" in answer.headers) == (errcode in (45011, -1))


@ONE_DATABASE
def test_a_connection_that_is_cut_or_refused_is_a_503(double: WeChatDouble, by_wechat: Any) -> None:
    double.cut.add(LOGIN)
    assert problem(by_wechat("jia")) == (503, "wechat_unavailable")
    assert double.asked(LOGIN) == 1


@ONE_DATABASE
def test_codes_that_are_no_good_are_throttled_and_good_ones_are_not_counted(
    double: WeChatDouble, sign_in_as: Any, by_wechat: Any
) -> None:
    bind(sign_in_as("county_inspector", "甲某"), double, "jia")
    for _ in range(15):
        assert by_wechat("jia").status_code == 201
    for number in range(10):
        assert problem(by_wechat(code=f"made-up-{number}")) == (401, "wechat_code_refused")
    answer = by_wechat(code="made-up")
    assert problem(answer) == (429, "login_throttled")
    assert int(answer.headers["Retry-After"]) > 0
    assert by_wechat("jia").status_code == 201, "a bureau shares its address"
    for number in range(100):
        by_wechat(code=f"made-up-again-{number}")
    asked = double.asked(LOGIN)
    assert problem(by_wechat("jia")) == (429, "login_throttled")
    assert double.asked(LOGIN) == asked


@ONE_DATABASE
def test_a_code_is_a_short_text_of_visible_characters(client: FlaskClient, double: WeChatDouble) -> None:
    for code in ("", "a" * 257, "登录码"):
        assert "/code" in faults(client.post("/api/v1/sessions/wechat", json={"code": code}))
    assert double.requests == []


def test_signing_in_with_wechat_stands_in_the_audit(
    database: Database, double: WeChatDouble, sign_in_as: Any, by_wechat: Any
) -> None:
    bind(sign_in_as("county_inspector", "甲某"), double, "jia")
    by_wechat("jia")
    by_wechat(code="made-up")
    with database.read() as session:
        rows = session.execute(select(SignIn.username, SignIn.operator_name, SignIn.outcome).order_by(SignIn.id)).all()
    assert [tuple(row) for row in rows][-4:] == [
        ("county_inspector", "甲某", "signed_in"), ("county_inspector", "甲某", "wechat_bound"),
        ("county_inspector", "甲某", "signed_in"), ("", None, "wechat_code_refused"),
    ]  # fmt: skip


@pytest.mark.rounds
def test_one_code_that_is_sent_by_many_at_once_signs_one_of_them_in(
    double: WeChatDouble, sign_in_as: Any, application: APIFlask
) -> None:
    bind(sign_in_as("county_inspector", "甲某"), double, "jia")
    code = double.login_code("jia")

    def send() -> int:
        return application.test_client().post("/api/v1/sessions/wechat", json={"code": code}).status_code

    assert sorted(at_once(*[send] * 6))[0] == 201
    assert at_once(*[send] * 2).count(201) == 0


@pytest.mark.rounds
def test_who_binds_while_the_password_is_reset_is_not_bound_afterwards(
    database: Database, double: WeChatDouble, sign_in_as: Any, city_reviewer: Person, by_wechat: Any
) -> None:
    with database.read() as session:
        user = session.scalars(select(User.id).where(User.username == "county_inspector")).one()
    person = sign_in_as("county_inspector", "甲某")
    code = double.login_code("jia")
    at_once(
        lambda: person.put("/me/wechat", {"code": code}),
        lambda: city_reviewer.post(f"/users/{user}/reset-password", {}),
    )
    assert problem(by_wechat("jia")) == (409, "wechat_not_bound")


@ONE_DATABASE
def test_without_a_mini_program_it_says_so(settings: Settings) -> None:
    from app import create_app

    plain = create_app(settings.model_copy(update={"wechat_appid": "", "wechat_secret": SecretStr("")})).test_client()
    answer = plain.post("/api/v1/sessions/wechat", json={"code": "a-code"})
    assert problem(answer) == (409, "wechat_not_set_up")
    assert "没有开通" in answer.json["title"]  # type: ignore[index]
