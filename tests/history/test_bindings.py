"""WeChat bindings stand under the history of their user: nobody signs in as somebody else by writing into the table."""

from collections.abc import Callable, Iterator
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import time_machine
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import String, Table, insert, literal, select, text, update

from accounts import sweeping
from accounts.models import User, WeChatBinding
from accounts.sign_in.wechat_bindings import KEPT_UNUSED
from core.config import Settings
from core.db import Database
from core.models import HistoryEntry
from core.workflows import erasure
from tests import tampering as attacks
from tests.command_line import Run, command_line
from tests.newcomers import at_once
from tests.people import PASSWORD, Person
from tests.tampering import attack
from tests.wechat_double import APP_KEY, APPID, WeChatDouble, wechat_double

BINDINGS = cast(Table, WeChatBinding.__table__)


@pytest.fixture
def double() -> Iterator[WeChatDouble]:
    with wechat_double() as running:
        yield running


@pytest.fixture
def settings(settings: Settings, double: WeChatDouble) -> Settings:
    wechat = {"wechat_appid": APPID, "wechat_secret": SecretStr(APP_KEY), "wechat_base_url": double.address}
    return settings.model_copy(update=wechat)


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


Bind = Callable[[str, str], Person]


@pytest.fixture
def bind(client: FlaskClient, double: WeChatDouble) -> Bind:
    """Somebody signed in, whose WeChat account is bound to the user name."""

    def bound(username: str, openid: str) -> Person:
        body = {"username": username, "password": PASSWORD, "operator_name": f"{openid}某"}
        answer = client.post("/api/v1/sessions", json=body)
        person = Person(username, client, answer.json["token"])  # type: ignore[index]
        assert person.put("/me/wechat", {"code": double.login_code(openid)}).status_code == 200
        return person

    return bound


def by_wechat(client: FlaskClient, double: WeChatDouble, openid: str) -> Person:
    answer = client.post("/api/v1/sessions/wechat", json={"code": double.login_code(openid)})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert answer.json is not None
    return Person(answer.json["user"]["username"], client, answer.json["token"])


def id_of(database: Database, username: str) -> UUID:
    with database.read() as session:
        return session.scalars(select(User.id).where(User.username == username)).one()


def actions_of(database: Database, username: str) -> list[str]:
    """What the history says of the bindings of a user."""
    of_user = select(HistoryEntry.action).where(HistoryEntry.subject_id == id_of(database, username))
    with database.read() as session:
        return [one for one in session.scalars(of_user.order_by(HistoryEntry.seq)) if "wechat" in one]


def changed(database: Database, username: str) -> str:
    return f"user {id_of(database, username)} "


def test_a_binding_moved_to_another_user_in_the_table(run: Run, database: Database, bind: Bind) -> None:
    bind("county_inspector", "jia")
    run("history", "seal")
    run("history", "verify")
    moved = update(BINDINGS).values(user_id=id_of(database, "city_reviewer"))
    attack(database, lambda session: session.execute(moved))
    told = run("history", "verify", status=1).stderr
    for username in ("county_inspector", "city_reviewer"):
        assert changed(database, username) in told and "WeChat bindings were changed" in told


def test_a_moved_binding_is_named_after_it_was_used_and_taken_back(
    run: Run, database: Database, bind: Bind, client: FlaskClient, double: WeChatDouble
) -> None:
    bind("county_inspector", "jia")
    victim, own = id_of(database, "city_reviewer"), id_of(database, "county_inspector")
    attack(database, lambda session: session.execute(update(BINDINGS).values(user_id=victim)))
    thief = by_wechat(client, double, "jia")
    assert thief.username == "city_reviewer"
    assert thief.delete("/me/wechat").json["bound"] is False
    told = run("history", "verify", status=1).stderr
    assert changed(database, "city_reviewer") in told and "had been changed in the table: bindings" in told
    assert f"user {own} #" in told


@pytest.mark.parametrize("values", [{"openid_hash": "0" * 64}, {"operator_name": "乙某"}, None])
def test_a_binding_changed_or_removed_in_the_table(
    run: Run, database: Database, bind: Bind, values: dict[str, Any] | None
) -> None:
    bind("county_inspector", "jia")
    bind("county_colleague", "yi")
    mine = BINDINGS.c.user_id == id_of(database, "county_inspector")
    run("history", "verify")
    changing = BINDINGS.delete().where(mine) if values is None else update(BINDINGS).where(mine).values(**values)
    attack(database, lambda session: session.execute(changing))
    told = run("history", "verify", status=1).stderr
    assert changed(database, "county_inspector") in told
    assert changed(database, "county_colleague") not in told


def test_a_binding_put_into_the_table(run: Run, database: Database, bind: Bind) -> None:
    bind("county_inspector", "jia")
    with database.read() as session:
        row = session.execute(select(*(c for c in BINDINGS.c if c.name != "openid"), text("openid"))).one()._mapping
    forged = {**row, "id": uuid4(), "openid_hash": "1" * 64, "user_id": id_of(database, "city_reviewer")}
    sealed = forged.pop("openid")
    values = [literal(value, BINDINGS.c[name].type) for name, value in forged.items()]
    # The sealed text as it stands, which does not open in that place.
    put_in = insert(BINDINGS).from_select([*forged, "openid"], select(*values, literal(sealed, String)))
    attack(database, lambda session: session.execute(put_in))
    told = run("history", "verify", status=1).stderr
    assert changed(database, "city_reviewer") in told and changed(database, "county_inspector") not in told


def test_roles_raised_in_the_table_are_named_after_the_next_step_of_that_user(
    run: Run, database: Database, county_inspector: Person
) -> None:
    raised = ["inspector", "administrator"]
    attack(database, lambda session: attacks.set_user(session, "county_inspector", roles=raised))
    body = {"old_password": PASSWORD, "new_password": f"{PASSWORD}-2"}
    assert county_inspector.put("/me/password", body).status_code == 200
    told = run("history", "verify", status=1).stderr
    assert changed(database, "county_inspector") in told and "had been changed in the table: account" in told


def test_binding_unbinding_and_all_that_ends_bindings_is_no_break(
    run: Run, database: Database, bind: Bind, city_reviewer: Person
) -> None:
    jia, _, ding = (bind("county_inspector", openid) for openid in ("jia", "yi", "ding"))
    run("history", "seal")
    run("history", "verify")
    bind("county_colleague", "yi")  # who was bound elsewhere
    run("history", "verify")
    assert jia.delete("/me/wechat").status_code == 200
    run("history", "verify")
    bind("county_inspector", "bing")
    assert ding.put("/me/password", {"old_password": PASSWORD, "new_password": f"{PASSWORD}-2"}).status_code == 200
    run("history", "verify")
    user = id_of(database, "county_colleague")
    assert city_reviewer.post(f"/users/{user}/disable", {"reason": "调离"}).status_code == 200
    run("history", "verify")
    assert actions_of(database, "county_inspector") == [
        "bind_wechat", "bind_wechat", "bind_wechat", "end_wechat_bindings", "unbind_wechat", "bind_wechat",
        "end_wechat_bindings",
    ]  # fmt: skip
    assert actions_of(database, "county_colleague") == ["bind_wechat", "end_wechat_bindings"]


@pytest.mark.usefixtures("clock")
def test_bindings_that_the_sweep_removes_are_no_break(
    run: Run, database: Database, bind: Bind, clock: time_machine.Traveller
) -> None:
    bind("county_inspector", "jia")
    clock.shift(KEPT_UNUSED.total_seconds() / 2)
    bind("county_inspector", "yi")
    clock.shift(KEPT_UNUSED.total_seconds() / 2 + 60)
    assert sweeping.sweep(database) >= 1
    with database.read() as session:
        assert session.scalars(select(WeChatBinding.operator_name)).all() == ["yi某"]
    assert actions_of(database, "county_inspector")[-1] == "end_wechat_bindings"
    run("history", "verify")
    before = actions_of(database, "county_inspector")
    sweeping.sweep(database)
    assert actions_of(database, "county_inspector") == before


def test_using_a_binding_leaves_no_row(
    run: Run, database: Database, bind: Bind, client: FlaskClient, double: WeChatDouble
) -> None:
    bind("county_inspector", "jia")
    before = actions_of(database, "county_inspector")
    by_wechat(client, double, "jia")
    assert actions_of(database, "county_inspector") == before
    run("history", "verify")


def test_an_erasure_goes_on_to_say_which_bindings_there_are(run: Run, database: Database, bind: Bind) -> None:
    person = bind("county_inspector", "jia")
    changing = {"old_password": PASSWORD, "new_password": f"{PASSWORD}-2"}
    assert person.put("/me/password", changing).status_code == 200
    user = id_of(database, "county_inspector")
    with database.write() as session:
        rows = attacks.rows_of(session, user)
        assert [row.action for row in rows] == ["create", "bind_wechat", "change_password"]
        assert erasure.erase(session, user, [2], {"reason": "依申请删除"}) == 1
    run("history", "verify")
    attack(database, lambda session: session.execute(BINDINGS.delete()))
    assert changed(database, "county_inspector") in run("history", "verify", status=1).stderr


def test_an_erasure_does_not_hide_what_a_step_had_found(run: Run, database: Database, bind: Bind) -> None:
    person = bind("county_inspector", "jia")
    attack(database, lambda session: session.execute(update(BINDINGS).values(operator_name="乙某")))
    assert person.delete("/me/wechat").status_code == 200
    user = id_of(database, "county_inspector")
    with database.write() as session:
        erasure.erase(session, user, [3], {"reason": "依申请删除"})
    assert changed(database, "county_inspector") in run("history", "verify", status=1).stderr


@pytest.mark.rounds
def test_two_who_bind_each_others_wechat_accounts_at_once_leave_no_break(
    run: Run, database: Database, bind: Bind, double: WeChatDouble
) -> None:
    one, other = bind("county_inspector", "jia"), bind("county_colleague", "yi")
    for _ in range(5):
        codes = double.login_code("yi"), double.login_code("jia")
        at_once(
            lambda codes=codes: one.put("/me/wechat", {"code": codes[0]}),
            lambda codes=codes: other.put("/me/wechat", {"code": codes[1]}),
        )
        run("history", "verify")


def test_erasing_a_person_named_beside_a_user_makes_no_changed_binding_right(
    run: Run, database: Database, bind: Bind
) -> None:
    bind("county_inspector", "jia")
    victim = id_of(database, "city_reviewer")
    with database.write() as session:
        said = update(User).where(User.id == victim).values(status_reason="张某电话13800000009，已离职")
        session.execute(said)
    attack(database, lambda session: session.execute(update(BINDINGS).values(user_id=victim)))
    run("persons", "erase", "--mobile", "13800000009", "--reason", "依申请删除")
    with database.read() as session:
        assert "13800000009" not in str(session.scalar(select(User.status_reason).where(User.id == victim)))
    assert changed(database, "city_reviewer") in run("history", "verify", status=1).stderr


def test_erasing_a_person_whose_number_stands_in_a_binding_states_the_binding_anew(
    run: Run, database: Database, client: FlaskClient, double: WeChatDouble
) -> None:
    body = {"username": "county_inspector", "password": PASSWORD, "operator_name": "张某13800000009"}
    answer = client.post("/api/v1/sessions", json=body)
    person = Person("county_inspector", client, answer.json["token"])  # type: ignore[index]
    assert person.put("/me/wechat", {"code": double.login_code("jia")}).status_code == 200
    run("persons", "erase", "--mobile", "13800000009", "--reason", "依申请删除")
    with database.read() as session:
        assert "13800000009" not in str(session.scalar(select(WeChatBinding.operator_name)))
    run("history", "verify")
