"""The second factor (动态口令): enrolled by its first code, asked at each sign-in, each code once."""

import base64
import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pyotp
import pytest
import time_machine
import zxingcpp
from apiflask import APIFlask
from flask.testing import FlaskClient
from PIL import Image
from pydantic import SecretStr
from sqlalchemy import select, text

from accounts.administration import operations as administration
from accounts.models import RecoveryCode, SecondFactor, User
from accounts.verbs import Role
from app import create_app
from core import clock as house_clock
from core.config import Settings, SettingsError
from core.db import Database
from core.models import HistoryEntry
from tests.newcomers import at_once, code_of, make_user, try_sign_in
from tests.people import PASSWORD, Person, SignIn, faults
from tests.problems import ONE_DATABASE
from tests.wechat_double import APP_KEY, APPID, WeChatDouble, wechat_double

pytestmark = pytest.mark.usefixtures("clock")


def code(secret: str, steps: int = 0) -> str:
    """What the authenticator shows now, or so many steps of thirty seconds later."""
    totp = pyotp.TOTP(secret)
    return totp.generate_otp(totp.timecode(house_clock.now()) + steps)


def enrol(person: Person) -> tuple[str, list[str]]:
    """The secret and the recovery codes."""
    begun = person.post("/me/otp", {}).json
    answer = person.put("/me/otp", {"otp": code(begun["secret"])})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return begun["secret"], answer.json["recovery_codes"]


def enter(client: FlaskClient, otp: str | None = None, username: str = "city_reviewer", **kwargs: Any) -> Any:
    return try_sign_in(client, username, PASSWORD, body={} if otp is None else {"otp": otp}, **kwargs)


def id_of(database: Database, username: str) -> str:
    with database.read() as session:
        return str(session.scalars(select(User.id).where(User.username == username)).one())


def test_enrolling_shows_a_qr_code_and_from_then_on_a_sign_in_asks_for_a_code(
    client: FlaskClient, city_reviewer: Person, clock: time_machine.Traveller, sign_in: SignIn
) -> None:
    other_phone = sign_in("city_reviewer")
    begun = city_reviewer.post("/me/otp", {}).json
    with Image.open(BytesIO(base64.b64decode(begun["qr"].partition(",")[2]))) as picture:
        (read,) = zxingcpp.read_barcodes(picture.convert("L"))
    assert read.text == begun["uri"]
    assert begun["uri"].startswith("otpauth://totp/") and begun["secret"] in begun["uri"] and "issuer=" in begun["uri"]
    assert enter(client).status_code == 201  # nothing is enrolled before the first code
    assert faults(city_reviewer.put("/me/otp", {"otp": "000000"})) == {"/otp": "wrong_otp"}
    codes = city_reviewer.put("/me/otp", {"otp": code(begun["secret"])}).json["recovery_codes"]
    assert len(set(codes)) == 10 and all(re.fullmatch(r"[a-z2-9]{5}-[a-z2-9]{5}", one) for one in codes)
    state = city_reviewer.get("/me/otp").json
    assert (state["enrolled_at"], state["recovery_codes"], state["required"]) == ("2026-11-21T02:00:00Z", 10, False)
    assert code_of(other_phone.get("/me")) == (401, "unauthenticated")
    assert code_of(enter(client)) == (403, "otp_required")
    clock.shift(timedelta(seconds=30))
    assert enter(client, f" {code(begun['secret'])[:3]} {code(begun['secret'])[3:]} ").status_code == 201


def test_a_code_without_enrolment_is_refused_and_only_after_the_right_password(
    client: FlaskClient, city_reviewer: Person
) -> None:
    assert faults(enter(client, "123456")) == {"/otp": "not_enrolled"}
    wrong = try_sign_in(client, "city_reviewer", "Falsch-2026", body={"otp": "123456"})
    assert code_of(wrong) == (401, "login_failed")
    city_reviewer.post("/me/otp", {})
    assert faults(enter(client, "123456")) == {"/otp": "not_enrolled"}


def test_a_wrong_password_is_told_before_any_code_is_looked_at(client: FlaskClient, city_reviewer: Person) -> None:
    secret, _ = enrol(city_reviewer)
    answer = try_sign_in(client, "city_reviewer", "Falsch-2026", body={"otp": code(secret, 1)})
    assert code_of(answer) == (401, "login_failed")
    assert enter(client, code(secret, 1)).status_code == 201


def test_a_code_works_once_and_those_before_it_no_more(
    client: FlaskClient, city_reviewer: Person, clock: time_machine.Traveller
) -> None:
    secret, _ = enrol(city_reviewer)
    assert code_of(enter(client, code(secret))) == (403, "otp_required")  # used by enrolling
    clock.shift(timedelta(seconds=90))
    late, now = code(secret, -1), code(secret)
    assert code_of(enter(client, code(secret, -2))) == (403, "otp_required")
    assert code_of(enter(client, code(secret, 2))) == (403, "otp_required")
    assert enter(client, now).status_code == 201
    for spent in (now, late):
        answer = enter(client, spent)
        assert code_of(answer) == (403, "otp_required") and "用过" in answer.json["detail"]
    assert enter(client, code(secret, 1)).status_code == 201


def test_a_code_sent_many_times_at_one_moment_opens_one_session(
    application: APIFlask, client: FlaskClient, city_reviewer: Person, clock: time_machine.Traveller
) -> None:
    secret, recovery = enrol(city_reviewer)
    clock.shift(timedelta(seconds=60))
    for sent in (code(secret), recovery[0]):
        answers = at_once(*[lambda sent=sent: enter(application.test_client(), sent).status_code] * 3)
        assert sorted(answers) == [201, 403, 403]


def test_each_recovery_code_works_once_and_new_ones_replace_them(
    client: FlaskClient, city_reviewer: Person, clock: time_machine.Traveller
) -> None:
    secret, recovery = enrol(city_reviewer)
    assert enter(client, recovery[0].upper().replace("-", " ")).status_code == 201
    assert code_of(enter(client, recovery[0])) == (403, "otp_required")
    assert city_reviewer.get("/me/otp").json["recovery_codes"] == 9
    clock.shift(timedelta(seconds=30))
    fresh = city_reviewer.post("/me/otp/recovery-codes", {"otp": code(secret)}).json["recovery_codes"]
    assert not set(fresh) & set(recovery)
    assert code_of(enter(client, recovery[1])) == (403, "otp_required")
    assert enter(client, fresh[9]).status_code == 201


def test_signs_that_no_code_has_are_a_wrong_code(client: FlaskClient, city_reviewer: Person) -> None:
    """Six digits of another script look like a code to `\\d`; comparing them with one raised an error."""
    city_reviewer.post("/me/otp", {})
    for otp in ("梾²", "٦٦٦٦٦٦"):
        assert city_reviewer.put("/me/otp", {"otp": otp}).status_code == 422
    enrol(city_reviewer)
    for otp in ("梾²", "٦٦٦٦٦٦"):
        assert code_of(enter(client, otp)) == (403, "otp_required")


def test_wrong_codes_are_throttled_and_a_stranger_with_the_password_keeps_no_known_owner_out(
    client: FlaskClient, city_reviewer: Person, clock: time_machine.Traveller
) -> None:
    secret, _ = enrol(city_reviewer)
    clock.shift(timedelta(seconds=60))
    tries = [code_of(enter(client, "000000", address="203.0.113.7")) for _ in range(6)]
    assert tries == [(403, "otp_required")] * 5 + [(429, "login_throttled")]
    right = enter(client, code(secret), address="203.0.113.8")
    assert code_of(right) == (429, "login_throttled") and int(right.headers["Retry-After"]) > 0
    assert enter(client, code(secret)).status_code == 201


def test_wrong_codes_at_one_moment_never_get_more_than_five_looked_at(
    application: APIFlask, city_reviewer: Person
) -> None:
    enrol(city_reviewer)
    answers = at_once(*[lambda: enter(application.test_client(), "000000").status_code] * 8)
    assert sorted(answers) == [403] * 5 + [429] * 3


def test_wrong_codes_of_somebody_signed_in_are_throttled_too(city_reviewer: Person) -> None:
    begun = city_reviewer.post("/me/otp", {}).json
    tries = [city_reviewer.put("/me/otp", {"otp": "000000"}).status_code for _ in range(6)]
    assert tries == [422] * 5 + [429]
    assert code_of(city_reviewer.put("/me/otp", {"otp": code(begun["secret"])})) == (429, "login_throttled")


def test_removing_and_renewing_need_a_code(city_reviewer: Person, client: FlaskClient) -> None:
    assert code_of(city_reviewer.call("DELETE", "/me/otp", json={"otp": "123456"})) == (409, "otp_not_enrolled")
    secret, _ = enrol(city_reviewer)
    assert code_of(city_reviewer.post("/me/otp", {})) == (409, "otp_enrolled")
    assert code_of(city_reviewer.put("/me/otp", {"otp": code(secret, 1)})) == (409, "otp_enrolled")
    for method, path in (("DELETE", "/me/otp"), ("POST", "/me/otp/recovery-codes")):
        assert code_of(city_reviewer.call(method, path, json={"otp": "000000"})) == (403, "otp_required")
        assert faults(city_reviewer.call(method, path, json={})) == {"/otp": "required"}
    gone = city_reviewer.call("DELETE", "/me/otp", json={"otp": code(secret, 1)})
    assert gone.status_code == 200 and gone.json["enrolled_at"] is None
    assert enter(client).status_code == 201


def test_whoever_finds_a_phone_unlocked_enrols_nothing(city_reviewer: Person, clock: time_machine.Traveller) -> None:
    clock.shift(timedelta(minutes=16))
    assert faults(city_reviewer.post("/me/otp", {})) == {"/password": "required"}
    assert faults(city_reviewer.post("/me/otp", {"password": "Falsch-2026"})) == {"/password": "wrong_password"}
    begun = city_reviewer.post("/me/otp", {"password": PASSWORD}).json
    clock.shift(timedelta(minutes=15))
    late = city_reviewer.put("/me/otp", {"otp": code(begun["secret"])})
    assert code_of(late) == (409, "otp_not_begun")


def test_the_secret_and_the_recovery_codes_stand_nowhere_in_the_clear(
    city_reviewer: Person, database: Database
) -> None:
    secret, recovery = enrol(city_reviewer)
    with database.read() as session:
        rows = str(session.execute(text("SELECT * FROM second_factors")).all())
        rows += str(session.execute(text("SELECT * FROM recovery_codes")).all())
        rows += str(session.execute(text("SELECT payload FROM history_payloads")).all())
        assert session.scalars(select(SecondFactor.secret)).one() == secret
    assert secret not in rows and not [one for one in recovery if one in rows or one.replace("-", "") in rows]


class TestDemanded:
    """`OTP_ROLES=account_approver`."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"otp_roles": "account_approver, licence_reviewer"})

    def test_who_holds_the_role_enrols_before_anything_else(
        self, client: FlaskClient, city_reviewer: Person, county_inspector: Person, clock: time_machine.Traveller
    ) -> None:
        assert county_inspector.get("/todos").status_code == 200
        assert county_inspector.get("/me").json["must_enrol_otp"] is False
        assert city_reviewer.get("/me").json["must_enrol_otp"] is True
        for path in ("/todos", "/users", "/me/sessions"):
            assert code_of(city_reviewer.get(path)) == (403, "otp_enrolment_required")
        assert city_reviewer.get("/me/otp").json["required"] is True
        secret, recovery = enrol(city_reviewer)
        assert city_reviewer.get("/users").status_code == 200
        clock.shift(timedelta(seconds=30))
        signed_in = enter(client, code(secret)).json
        assert signed_in["user"]["must_enrol_otp"] is False
        # Another phone: the old one is removed with a code, and the new one has to be enrolled at once.
        assert city_reviewer.call("DELETE", "/me/otp", json={"otp": recovery[0]}).status_code == 200
        assert code_of(city_reviewer.get("/todos")) == (403, "otp_enrolment_required")

    @ONE_DATABASE
    def test_a_role_that_there_is_not_is_told_at_the_start(self, settings: Settings) -> None:
        with pytest.raises(SettingsError, match="OTP_ROLES names no roles: approver_of_accounts"):
            create_app(settings.model_copy(update={"otp_roles": "approver_of_accounts"}))


class TestLost:
    """Who lost phone and codes is reset by who may, and told."""

    def test_a_superior_who_may_do_all_that_the_user_may_resets_it_and_the_user_is_told(
        self, client: FlaskClient, database: Database, county_inspector: Person, city_reviewer: Person
    ) -> None:
        enrol(county_inspector)
        path = f"/users/{id_of(database, 'county_inspector')}"
        assert city_reviewer.get("/users?q=county_inspector").json["items"][0]["second_factor"] is True
        assert city_reviewer.post(f"{path}/reset-otp", {}).status_code == 200
        assert code_of(county_inspector.get("/me")) == (401, "unauthenticated")
        (told,) = enter(client, username="county_inspector").json["resets"]
        assert (told["kind"], told["by"][0]["username"]) == ("second_factor", "city_reviewer")
        assert code_of(city_reviewer.post(f"{path}/reset-otp", {})) == (409, "otp_not_enrolled")
        with database.read() as session:
            assert session.scalars(select(RecoveryCode.id)).all() == []
            assert "reset_second_factor" in session.scalars(select(HistoryEntry.action)).all()

    def test_a_password_that_was_reset_opens_nothing_without_the_second_factor(
        self, client: FlaskClient, database: Database, county_inspector: Person, city_reviewer: Person
    ) -> None:
        enrol(county_inspector)
        path = f"/users/{id_of(database, 'county_inspector')}/reset-password"
        given = city_reviewer.post(path, {}).json["password"]
        assert code_of(try_sign_in(client, "county_inspector", given)) == (403, "otp_required")

    def test_that_of_a_user_who_may_more_is_reset_by_two(
        self, client: FlaskClient, database: Database, city_reviewer: Person, sign_in: SignIn
    ) -> None:
        make_user(database, "320402", "county_licences", Role.LICENCE_REVIEWER)
        make_user(database, "320400", "city_second")
        path = f"/users/{id_of(database, 'county_licences')}"
        proposal = {"kind": "second_factor", "reason": "手机丢失"}
        assert code_of(city_reviewer.post(f"{path}/propose-reset", proposal)) == (409, "otp_not_enrolled")
        enrol(sign_in("county_licences"))
        assert code_of(city_reviewer.post(f"{path}/reset-otp", {})) == (403, "two_people_needed")
        open_one = city_reviewer.post(f"{path}/propose-reset", proposal).json["reset_proposal"]
        confirmed = sign_in("city_second").post(f"{path}/confirm-reset", {"proposal_id": open_one["id"]})
        assert confirmed.json == {"kind": "second_factor", "password": None}
        assert enter(client, username="county_licences").json["resets"][0]["kind"] == "second_factor"

    def test_the_administrator_resets_it_on_the_command_line(
        self, client: FlaskClient, database: Database, county_inspector: Person
    ) -> None:
        enrol(county_inspector)
        administration.reset_second_factor(database, "county_inspector", by="admin")
        (told,) = enter(client, username="county_inspector").json["resets"]
        assert told["by"] == [{"username": "命令行", "operator_name": "admin", "office": None}]


class TestWeChat:
    """A sign-in with WeChat asks for the code too."""

    @pytest.fixture
    def double(self) -> Iterator[WeChatDouble]:
        with wechat_double() as running:
            yield running

    @pytest.fixture
    def settings(self, settings: Settings, double: WeChatDouble) -> Settings:
        wechat = {"wechat_appid": APPID, "wechat_secret": SecretStr(APP_KEY), "wechat_base_url": double.address}
        return settings.model_copy(update=wechat)

    def test_a_bound_phone_needs_the_second_factor(
        self, client: FlaskClient, double: WeChatDouble, city_reviewer: Person, clock: time_machine.Traveller
    ) -> None:
        def by_wechat(**sent: str) -> Any:
            return client.post("/api/v1/sessions/wechat", json={"code": double.login_code("jia"), **sent})

        assert city_reviewer.put("/me/wechat", {"code": double.login_code("jia")}).status_code == 200
        assert faults(by_wechat(otp="123456")) == {"/otp": "not_enrolled"}
        secret, recovery = enrol(city_reviewer)
        clock.shift(timedelta(seconds=30))
        assert code_of(by_wechat()) == (403, "otp_required")
        assert code_of(by_wechat(otp="000000")) == (403, "otp_required")
        used = code(secret)
        assert by_wechat(otp=used).status_code == 201
        assert code_of(by_wechat(otp=used)) == (403, "otp_required")
        assert by_wechat(otp=recovery[0]).status_code == 201
