"""People move (调动): to another office, with what they leave behind handed to a colleague, and nothing lost."""

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts import integrity as accounts_integrity
from accounts import offices
from accounts.models import Region, User
from accounts.verbs import Role
from core.db import Database
from core.models import HistoryEntry, HistoryPayload
from core.workflows import history as histories
from feedback import integrity as feedback_integrity
from inspection import integrity as inspection_integrity
from inspection.statistics import tallies
from tests.command_line import command_line
from tests.newcomers import apply, at_once, make_station, make_user
from tests.people import Person, SignIn, new_id, production, uscc
from tests.raters import Hall, upload_photo
from tests.records import listed, problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")

TIANNING, ZHONGLOU, CHANGZHOU, NANJING = "320402", "320404", "320400", "320100"


def office(database: Database, code: str) -> str:
    with database.write() as session:
        return str(offices.bureau_of(session, session.get_one(Region, code)))


def id_of(database: Database, username: str) -> str:
    with database.read() as session:
        return str(session.scalars(select(User.id).where(User.username == username)).one())


def move(person: Person, database: Database, username: str, code: str, **also: Any) -> Any:
    body = {"office_id": office(database, code), **also}
    return person.post(f"/users/{id_of(database, username)}/move", body)


def history(database: Database, username: str) -> dict[str, Any]:
    """The newest row about a user."""
    with database.read() as session:
        user_id = session.scalars(select(User.id).where(User.username == username)).one()
        return histories.read(session, user_id)[-1]


def ok(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.get_json())


def drafts(person: Person) -> list[str]:
    return listed(person, "status=draft")


def assert_whole(database: Database) -> None:
    with database.write() as session:
        found = tallies.reconcile(session)
        assert (found.mended, found.added, found.emptied) == (0, 0, 0)
    with database.read() as session:
        for integrity in (accounts_integrity, inspection_integrity, feedback_integrity):
            assert list(integrity.verify(session)) == []


# To another office


def test_a_moved_user_works_at_the_new_office_at_once_and_what_was_submitted_stays(
    database: Database, county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person,
    county_colleague: Person,
) -> None:  # fmt: skip
    before = submit(county_inspector)
    draft = save(county_inspector, production(uscc=uscc(1), org_name="暂存电缆有限公司"))
    answer = ok(move(city_reviewer, database, "county_inspector", ZHONGLOU))
    assert (answer["region"]["code"], answer["roles_dropped"], answer["handed_over"]) == (ZHONGLOU, [], {})
    # The same session, without signing in again.
    assert read(county_inspector, "/me")["office"]["name"] == "钟楼区市场监督管理局"
    assert problem(county_inspector.get(f"/inspections/{before['id']}")) == (404, "not_found")
    assert read(county_colleague, f"/inspections/{before['id']}")["office"]["name"] == "天宁区市场监督管理局"
    # Drafts went along, and count for the office at which they are submitted.
    sent = county_inspector.put(
        f"/inspections/{draft['id']}/submission", production(uscc=uscc(1), org_name="暂存电缆有限公司", version=1)
    )
    assert sent.status_code == 200 and sent.get_json()["office"]["name"] == "钟楼区市场监督管理局"
    assert listed(neighbour_inspector) == [draft["id"]] and listed(county_colleague) == [before["id"]]
    assert_whole(database)


def test_a_move_sent_again_is_answered_alike_and_moving_back_is_a_new_one(
    database: Database, county_inspector: Person, city_reviewer: Person
) -> None:
    for code in (ZHONGLOU, ZHONGLOU, TIANNING, ZHONGLOU):
        answer = ok(move(city_reviewer, database, "county_inspector", code))
        assert answer["region"]["code"] == code
        assert read(county_inspector, "/me")["region"]["code"] == code
    with database.read() as session:
        user_id = UUID(id_of(database, "county_inspector"))
        rows = session.execute(
            select(HistoryEntry.action, HistoryPayload.payload)
            .join(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
            .where(HistoryEntry.subject_id == user_id, HistoryEntry.action == "move")
            .order_by(HistoryEntry.seq)
        ).all()
    assert [row.payload["office"][:3] for row in rows] == ["钟楼区", "天宁区", "钟楼区"]
    assert rows[0].payload["former_office"] == "天宁区市场监督管理局"


def test_both_offices_must_be_the_callers_and_nobody_moves_above_beside_or_themselves(
    database: Database, city_reviewer: Person, province_user: Person, other_city_user: Person, sign_in: SignIn
) -> None:
    make_user(database, CHANGZHOU, "city_colleague")
    make_station(database, TIANNING, "at_the_station", Role.INSPECTOR)
    make_user(database, TIANNING, "county_approver", Role.ACCOUNT_APPROVER, Role.INSPECTOR)
    for username, code, told in (
        ("county_inspector", NANJING, (422, "invalid")),  # a foreign office
        ("county_inspector", "320000", (422, "invalid")),  # one above
        ("county_inspector", TIANNING, (422, "invalid")),  # where the user is
        ("city_colleague", TIANNING, (403, "forbidden")),
        ("city_reviewer", TIANNING, (403, "forbidden")),
        ("province_user", TIANNING, (404, "not_found")),
        ("other_city_inspector", TIANNING, (404, "not_found")),
    ):
        assert problem(move(city_reviewer, database, username, code)) == told, (username, code)
    assert problem(move(other_city_user, database, "county_inspector", NANJING)) == (404, "not_found")
    # A county's approver moves people of its stations, within the county.
    approver = sign_in("county_approver")
    assert problem(move(approver, database, "county_inspector", TIANNING)) == (403, "forbidden")
    assert problem(move(approver, database, "at_the_station", ZHONGLOU)) == (422, "invalid")
    assert ok(move(approver, database, "at_the_station", TIANNING))["region"]["code"] == TIANNING
    # The common superior.
    assert ok(move(province_user, database, "county_inspector", NANJING))["region"]["code"] == NANJING
    assert problem(province_user.post(f"/users/{new_id()}/move", {"office_id": new_id()})) == (404, "not_found")
    for body in ({}, {"office_id": "x"}, {"office_id": new_id()}, {"office_id": office(database, TIANNING), "x": 1}):
        assert problem(province_user.post(f"/users/{id_of(database, 'county_inspector')}/move", body))[0] == 422


def test_roles_that_the_new_level_does_not_bring_and_the_caller_lacks_are_dropped_and_named(
    database: Database, province_user: Person, city_reviewer: Person
) -> None:
    make_user(database, CHANGZHOU, "many_roles", Role.INSPECTOR, Role.ACCOUNT_APPROVER, Role.RATING_SUPERVISOR)
    answer = ok(move(province_user, database, "many_roles", TIANNING))
    # What the city brought goes; the province's approver does not hold what makes a supervisor of ratings.
    assert answer["roles"] == ["inspector"]
    assert answer["roles_dropped"] == ["account_approver", "rating_supervisor"]
    assert history(database, "many_roles")["roles_dropped"] == ["account_approver", "rating_supervisor"]
    make_user(database, TIANNING, "only_handler", Role.RATING_HANDLER)
    assert problem(move(city_reviewer, database, "only_handler", ZHONGLOU)) == (403, "forbidden")


def test_applicants_and_users_who_are_not_active_are_not_moved(
    database: Database, client: FlaskClient, city_reviewer: Person
) -> None:
    waiting = apply(client, username="waiting_li", region_code=TIANNING)
    to = {"office_id": office(database, ZHONGLOU)}
    assert problem(city_reviewer.post(f"/users/{waiting['id']}/move", to)) == (404, "not_found")
    ok(city_reviewer.post(f"/users/{id_of(database, 'county_inspector')}/disable", {"reason": "离职"}))
    assert problem(move(city_reviewer, database, "county_inspector", ZHONGLOU)) == (409, "wrong_status")


# What is left behind


def test_drafts_go_to_the_named_colleague_with_a_mark_of_who_began_them(
    database: Database, county_inspector: Person, county_colleague: Person, city_reviewer: Person
) -> None:
    body = production(uscc=uscc(1), org_name="暂存电缆有限公司", photos=[upload_photo(county_inspector)])
    draft = save(county_inspector, body)
    answer = ok(
        move(city_reviewer, database, "county_inspector", ZHONGLOU, hand_over_to=id_of(database, "county_colleague"))
    )
    assert answer["handed_over"] == {"drafts": 1}
    assert drafts(county_inspector) == [] and drafts(county_colleague) == [draft["id"]]
    (row,) = read(county_colleague, "/inspections?status=draft")["items"]
    assert (row["begun_by"], row["username"], row["version"]) == ("county_inspector", "county_colleague", 2)
    record = read(county_colleague, f"/inspections/{draft['id']}")
    assert record["begun_by"] == "county_inspector" and record["photos"] == body["photos"]
    assert county_colleague.get(f"/files/{body['photos'][0]}").status_code == 200
    sent = county_colleague.put(f"/inspections/{draft['id']}/submission", {**body, "version": 2})
    assert sent.status_code == 200, sent.get_data(as_text=True)
    assert sent.get_json()["office"]["name"] == "天宁区市场监督管理局"
    assert [row["action"] for row in read(county_colleague, f"/inspections/{draft['id']}/history")["items"]] == [
        "save", "hand_over", "submit",
    ]  # fmt: skip
    assert_whole(database)


@pytest.mark.parametrize("submitted", [False, True])
@pytest.mark.parametrize("tail", ["", "/submission"])
def test_the_old_phone_is_told_clearly_and_changes_nothing(
    database: Database, county_inspector: Person, county_colleague: Person, city_reviewer: Person, submitted: bool,
    tail: str,
) -> None:  # fmt: skip
    draft = save(county_inspector, production(uscc=uscc(1)))
    user = f"/users/{id_of(database, 'county_inspector')}"
    ok(city_reviewer.post(f"{user}/hand-over", {"hand_over_to": id_of(database, "county_colleague")}))
    if submitted:
        submit(county_colleague, production(uscc=uscc(1), version=2), draft["id"])
    before = read(county_colleague, f"/inspections/{draft['id']}")
    answer = county_inspector.put(
        f"/inspections/{draft['id']}{tail}", production(uscc=uscc(1), remark="手机上的新内容", version=1)
    )
    assert problem(answer) == (409, "handed_over")
    assert answer.get_json()["handed_over_to"] == "county_colleague"
    assert "county_colleague" in answer.get_json()["detail"]
    assert problem(county_inspector.delete(f"/inspections/{draft['id']}")) == (409, "handed_over")
    assert read(county_colleague, f"/inspections/{draft['id']}") == before
    # What the phone holds can be kept under an id of its own.
    save(county_inspector, production(uscc=uscc(1), remark="手机上的新内容"))
    # A stranger learns nothing.
    assert problem(city_reviewer.put(f"/inspections/{draft['id']}", production(version=1)))[0] in (403, 404, 409)


def test_drafts_of_a_disabled_user_are_not_lost(
    database: Database, county_inspector: Person, county_colleague: Person, city_reviewer: Person
) -> None:
    first, second = save(county_inspector, production(uscc=uscc(1))), save(county_inspector, production(uscc=uscc(2)))
    user, heir = f"/users/{id_of(database, 'county_inspector')}", id_of(database, "county_colleague")
    assert problem(city_reviewer.post(f"{user}/disable", {"reason": "离职", "hand_over_to": new_id()})) == (
        422,
        "invalid",
    )
    assert county_inspector.get("/me").status_code == 200  # nothing was done
    body = {"reason": "离职", "hand_over_to": heir}
    assert ok(city_reviewer.post(f"{user}/disable", body))["handed_over"] == {"drafts": 2}
    assert ok(city_reviewer.post(f"{user}/disable", body))["status"] == "disabled"
    assert set(drafts(county_colleague)) == {first["id"], second["id"]}
    assert county_inspector.get("/me").status_code == 401
    assert_whole(database)


def test_drafts_of_a_user_who_was_disabled_before_are_handed_over_afterwards(
    database: Database, county_inspector: Person, county_colleague: Person, city_reviewer: Person
) -> None:
    draft = save(county_inspector, production(uscc=uscc(1)))
    user, heir = f"/users/{id_of(database, 'county_inspector')}", id_of(database, "county_colleague")
    assert ok(city_reviewer.post(f"{user}/disable", {"reason": "离职"}))["handed_over"] == {}
    for moved in ({"drafts": 1}, {}):
        answer = ok(city_reviewer.post(f"{user}/hand-over", {"hand_over_to": heir}))
        assert answer["handed_over"] == moved
    assert drafts(county_colleague) == [draft["id"]]
    assert_whole(database)


def test_only_a_colleague_who_can_go_on_with_drafts_gets_them(
    database: Database, county_inspector: Person, city_reviewer: Person
) -> None:
    save(county_inspector)
    make_user(database, TIANNING, "handler_only", Role.RATING_HANDLER)
    user = f"/users/{id_of(database, 'county_inspector')}"
    for heir in ("handler_only", "county_inspector", "other_city_inspector", "province_user"):
        answer = city_reviewer.post(f"{user}/hand-over", {"hand_over_to": id_of(database, heir)})
        assert problem(answer) == (422, "invalid"), heir
    assert len(drafts(county_inspector)) == 1


def test_assigned_bad_ratings_go_to_the_colleague_or_back_to_the_office(
    database: Database, client: FlaskClient, city_reviewer: Person, sign_in: SignIn
) -> None:
    hall = Hall(client, database, sign_in)
    code = hall.code()
    first, second = hall.bad(code), hall.bad(code)
    hall.person("handler"), hall.person("other_handler")
    handler, other = id_of(database, "handler"), id_of(database, "other_handler")
    for rating in (first, second):
        assert hall.act("supervisor", rating, "assign", handler_id=handler).status_code == 200
    assert ok(city_reviewer.post(f"/users/{handler}/hand-over", {"hand_over_to": other}))["handed_over"] == {
        "ratings": 2
    }
    assert problem(hall.act("handler", first, "contact")) == (409, "assigned_to_other")
    assert hall.act("other_handler", first, "contact").status_code == 200
    # To somebody who handles nothing: whoever handles there may go on.
    inspector = hall.person("inspector")
    assert ok(city_reviewer.post(f"/users/{other}/hand-over", {"hand_over_to": id_of(database, inspector.username)}))[
        "handed_over"
    ] == {"ratings": 2}
    assert hall.act("handler", second, "contact").status_code == 200
    assert_whole(database)


# At the same moment


def test_of_a_submission_and_a_hand_over_at_the_same_moment_nothing_is_lost_or_doubled(
    database: Database, county_inspector: Person, county_colleague: Person, city_reviewer: Person
) -> None:
    user, heir = f"/users/{id_of(database, 'county_inspector')}", id_of(database, "county_colleague")
    for number in range(6):
        body = production(uscc=uscc(number), org_name=f"第{number}电缆有限公司")
        draft = save(county_inspector, body)
        sent, handed = at_once(
            lambda draft=draft, body=body: county_inspector.put(
                f"/inspections/{draft['id']}/submission", {**body, "version": 1}
            ),
            lambda: city_reviewer.post(f"{user}/hand-over", {"hand_over_to": heir}),
        )
        assert handed.status_code == 200, handed.get_data(as_text=True)
        if sent.status_code == 200:
            assert handed.get_json()["handed_over"] == {}
            assert draft["id"] in listed(county_inspector)
        else:
            assert problem(sent) == (409, "handed_over")
            assert draft["id"] in drafts(county_colleague)
    assert_whole(database)


def test_of_two_moves_at_the_same_moment_each_is_done_or_refused(
    database: Database, county_inspector: Person, city_reviewer: Person, province_user: Person
) -> None:
    first, second = at_once(
        lambda: move(city_reviewer, database, "county_inspector", ZHONGLOU),
        lambda: move(province_user, database, "county_inspector", NANJING),
    )
    assert {first.status_code, second.status_code} <= {200, 404, 409}
    assert 200 in (first.status_code, second.status_code)
    assert_whole(database)


# One rule for both ways


@pytest.mark.parametrize("by_hand", [False, True])
def test_what_a_city_brings_goes_with_it_whoever_moves_the_user(
    settings: Any, database: Database, province_user: Person, by_hand: bool
) -> None:
    make_user(database, CHANGZHOU, "city_person", Role.INSPECTOR, Role.ACCOUNT_APPROVER)
    make_user(database, CHANGZHOU, "city_approver", Role.ACCOUNT_APPROVER)
    for username in ("city_person", "city_approver"):
        if by_hand:
            with command_line(settings) as run:
                told = run("users", "move", username, "--region", TIANNING).output
            assert "不再担任：account_approver" in told
        else:
            assert ok(move(province_user, database, username, TIANNING))["roles_dropped"] == ["account_approver"]
        with database.read() as session:
            # Who would be left with nothing is what the county makes of everybody.
            assert session.scalars(select(User.roles).where(User.username == username)).one() == ["inspector"]
        assert history(database, username)["roles_dropped"] == ["account_approver"]


def test_an_approver_of_a_county_who_was_made_one_by_hand_stays_one_within_counties(
    database: Database, province_user: Person
) -> None:
    make_user(database, TIANNING, "county_approver", Role.ACCOUNT_APPROVER, Role.INSPECTOR)
    answer = ok(move(province_user, database, "county_approver", ZHONGLOU))
    assert (answer["roles"], answer["roles_dropped"]) == (["account_approver", "inspector"], [])


# The command line


def test_the_administrator_moves_people_and_hands_over_on_the_command_line(
    settings: Any, database: Database, county_inspector: Person, county_colleague: Person
) -> None:
    draft = save(county_inspector, production(uscc=uscc(1)))
    with command_line(settings) as run:
        told = run("users", "move", "county_inspector", "--region", ZHONGLOU, "--hand-over-to", "county_colleague")
        assert "已调入钟楼区市场监督管理局" in told.output and "暂存记录 1 条" in told.output
        assert read(county_inspector, "/me")["region"]["code"] == ZHONGLOU
        run(
            "users",
            "move",
            "county_inspector",
            "--region",
            CHANGZHOU,
            "--role",
            "inspector",
            "--role",
            "rating_handler",
        )
        assert read(county_inspector, "/me")["roles"] == ["inspector", "rating_handler"]
        again = save(county_inspector, production(uscc=uscc(2)))
        run("users", "disable", "county_inspector", "--reason", "离职", "--hand-over-to", "county_colleague")
        assert "没有需要移交" in run("users", "hand-over", "county_inspector", "--to", "county_colleague").output
        run("users", "hand-over", "county_inspector", "--to", "nobody", status=1)
    assert set(drafts(county_colleague)) == {draft["id"], again["id"]}
    assert_whole(database)
