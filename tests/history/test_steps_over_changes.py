"""A step over what was changed in the table does not make it right: `history verify` names it afterwards too."""

from collections.abc import Callable, Iterator
from typing import Any, cast
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Table, select, text, update

from accounts.models import AccountApplication, Office, SecondFactor, User
from accounts.sign_in import passwords
from core.config import Settings
from core.db import Database
from core.workflows import erasure
from feedback.models import RatingFollowUp
from inspection.dictionaries.models import DictionaryEntry
from inspection.models import Inspection
from tests.command_line import Run, command_line
from tests.miniapp_api.test_keeping_dictionaries import CABLE, act, add
from tests.miniapp_api.test_second_factor import code, enrol
from tests.newcomers import apply
from tests.people import Person, production, uscc, with_problem
from tests.raters import Hall, ok
from tests.records import read, submit
from tests.tampering import attack

HAD_BEEN = "before this step it had been changed in the table"
FACTORS = cast(Table, SecondFactor.__table__)


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


@pytest.fixture
def hall(client: FlaskClient, database: Database, sign_in: Callable[[str], Person]) -> Hall:
    return Hall(client, database, sign_in)


def shown(run: Run) -> str:
    return run("history", "verify", status=1).stderr


STEPS_OF_A_CHECK: dict[str, Callable[[str, Person, Person], Any]] = {
    "return": lambda path, _own, city: city.post(f"{path}/return", {"opinion": "请核对企业名称"}),
    "void": lambda path, own, _city: own.post(f"{path}/void", {"reason": "重复录入", "version": 1}),
    "dispose": lambda path, own, _city: own.put(f"{path}/disposals", {"disposals": {"7.1": "done"}, "version": 1}),
    "correct": lambda path, own, _city: own.put(
        f"{path}/correction", with_problem({"7.1": "in_progress"}, org_name="改正后公司", version=1, reason="名称有误")
    ),
}


@pytest.mark.parametrize("step", STEPS_OF_A_CHECK)
def test_a_check_changed_in_the_table_is_named_after_its_next_step(
    run: Run, database: Database, county_inspector: Person, city_reviewer: Person, step: str
) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}))
    other = submit(county_inspector, production(org_name="另一家有限公司", uscc=uscc(2)))
    changing = update(Inspection).where(Inspection.id == UUID(record["id"])).values(org_name="没有问题有限公司")
    attack(database, lambda session: session.execute(changing))
    answer = STEPS_OF_A_CHECK[step](f"/inspections/{record['id']}", county_inspector, city_reviewer)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    told = shown(run)
    assert f"inspection {record['id']} #2: {HAD_BEEN}: content" in told and other["id"] not in told
    assert read(county_inspector, f"/inspections/{record['id']}/history")["items"][-1]["found_changed"] == ["content"]


def test_a_rating_whose_follow_up_was_changed_is_named_after_its_next_step(
    run: Run, database: Database, hall: Hall
) -> None:
    rating = hall.lead(hall.bad(hall.code()), "contact", "verify", "rectify")
    run("history", "verify")
    attack(database, lambda session: session.execute(update(RatingFollowUp).values(satisfied_after="satisfied")))
    hall.lead(rating, "reply")
    assert f"rating {rating} #5: {HAD_BEEN}: standing" in shown(run)
    ok(hall.act("supervisor", rating, "close"))
    ok(hall.act("supervisor", rating, "release"))
    assert f"rating {rating} #5: {HAD_BEEN}: standing" in shown(run)


def test_a_word_changed_in_the_table_is_named_after_its_next_step(
    run: Run, database: Database, county_inspector: Person, province_user: Person
) -> None:
    item = add(county_inspector, CABLE)
    act(province_user, item, "rename", name="超导电缆")
    changing = update(DictionaryEntry).where(DictionaryEntry.id == UUID(item)).values(regulation_type="other")
    attack(database, lambda session: session.execute(changing))
    act(province_user, item, "retire", reason="不再使用", version=2)
    assert f"dictionary_entry {item} #2: {HAD_BEEN}: content" in shown(run)


def test_a_second_factor_removed_in_the_table_is_named_after_somebody_enrolled_another(
    run: Run, database: Database, city_reviewer: Person
) -> None:
    enrol(city_reviewer)
    attack(database, lambda session: session.execute(FACTORS.delete()))
    enrol(city_reviewer)
    assert f"{HAD_BEEN}: second_factor" in shown(run)


def test_an_earlier_secret_put_back_is_named_after_its_recovery_codes_were_renewed(
    run: Run, database: Database, city_reviewer: Person
) -> None:
    secret, recovery = enrol(city_reviewer)
    with database.read() as session:
        sealed = session.execute(text("SELECT secret FROM second_factors")).scalar_one()
    assert city_reviewer.call("DELETE", "/me/otp", json={"otp": recovery[0]}).status_code == 200
    enrol(city_reviewer)
    run("history", "verify")
    putting_back = text("UPDATE second_factors SET secret = :sealed, last_step = 0")
    attack(database, lambda session: session.execute(putting_back, {"sealed": sealed}))
    assert city_reviewer.post("/me/otp/recovery-codes", {"otp": code(secret)}).status_code == 200
    assert "second factor was exchanged" in shown(run)


def test_a_second_factor_exchanged_in_the_table_is_named_after_it_was_taken_away(
    run: Run, database: Database, city_reviewer: Person, county_inspector: Person
) -> None:
    enrol(city_reviewer)
    enrol(county_inspector)
    attack(database, lambda session: session.execute(text("UPDATE second_factors SET secret = 'JBSWY3DPEHPK3PXP'")))
    for username in ("city_reviewer", "county_inspector"):
        run("users", "reset-second-factor", username)
    assert shown(run).count(f"{HAD_BEEN}: second_factor") == 2


def test_an_enrolment_that_was_erased_goes_on_to_say_which_secret_it_was(
    run: Run, database: Database, city_reviewer: Person
) -> None:
    enrol(city_reviewer)
    with database.write() as session:
        user = session.scalars(select(User.id).where(User.username == "city_reviewer")).one()
        assert erasure.erase(session, user, [2], {"reason": "依申请删除"}) == 1
    run("history", "verify")
    attack(database, lambda session: session.execute(text("UPDATE second_factors SET secret = 'JBSWY3DPEHPK3PXP'")))
    assert "second factor was exchanged" in shown(run)


def test_an_office_of_whose_history_something_was_erased_is_no_break(run: Run, database: Database) -> None:
    with database.write() as session:
        office = session.scalars(select(Office.id).where(Office.region_code == "320402")).one()
    run("offices", "hotline", office, "0519-12345678")
    with database.write() as session:
        assert erasure.erase(session, office, [2], {"reason": "依申请删除"}) == 1
    run("history", "verify")
    attack(database, lambda session: session.execute(update(Office).values(hotline="0519-00000000")))
    assert f"office {office} " in shown(run)


def test_an_application_whose_password_was_exchanged_is_named_before_and_after_its_approval(
    run: Run, database: Database, client: FlaskClient, city_reviewer: Person
) -> None:
    made = apply(client)
    run("history", "verify")
    exchanged = update(AccountApplication).values(password_hash=passwords.hash_password("of the attacker"))
    attack(database, lambda session: session.execute(exchanged))
    assert f"account_application {made['id']} #1: " in shown(run)
    assert city_reviewer.post(f"/account-applications/{made['id']}/approve", {}).status_code == 200
    assert f"account_application {made['id']} #2: {HAD_BEEN}: application" in shown(run)


def test_steps_over_what_nobody_changed_are_no_break(
    run: Run, client: FlaskClient, county_inspector: Person, city_reviewer: Person, hall: Hall
) -> None:
    for step in STEPS_OF_A_CHECK.values():
        record = submit(county_inspector, with_problem({"7.1": "in_progress"}, confirm_duplicate=True))
        assert step(f"/inspections/{record['id']}", county_inspector, city_reviewer).status_code == 200
    rating = hall.lead(hall.bad(hall.code()), "contact", "verify", "rectify", "reply", "close")
    ok(hall.act("supervisor", rating, "release"))
    _, recovery = enrol(city_reviewer)
    for decision, name in (("approve", "zhonglou_li"), ("reject", "zhonglou_wang")):
        made = apply(client, username=name)
        said = {"opinion": "单位名称与辖区不符"}
        assert city_reviewer.post(f"/account-applications/{made['id']}/{decision}", said).status_code == 200
    renewed = city_reviewer.post("/me/otp/recovery-codes", {"otp": recovery[0]}).json
    assert city_reviewer.call("DELETE", "/me/otp", json={"otp": renewed["recovery_codes"][0]}).status_code == 200
    enrol(city_reviewer)
    run("history", "seal")
    run("history", "verify")
