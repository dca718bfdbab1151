"""The follow-up of bad ratings over HTTP: each step by its role, in its order, once; appeals and their evidence."""

from typing import Any

import pytest
from apiflask import APIFlask

from accounts.verbs import Role
from tests.newcomers import at_once, code_of, make_user
from tests.people import Person, faults, new_id
from tests.problems import ONE_DATABASE
from tests.raters import BAD, STEPS, Hall, ok, upload_photo


@ONE_DATABASE
def test_a_bad_rating_is_handled_to_its_end_and_the_rater_reads_the_reply(hall: Hall) -> None:
    rated = ok(hall.rate(hall.code(), **BAD), 201)
    handler, supervisor = hall.person("handler"), hall.person("supervisor")
    me = ok(handler.get("/me"))
    assert "差评" in "".join(todo["title"] for todo in ok(handler.get("/todos"))["items"])
    assigned = ok(hall.act("supervisor", rated["id"], "assign", handler_id=me["id"]))
    assert assigned["follow_up"]["handler"]["username"] == "handler"
    statuses = []
    for action in ("contact", "verify", "rectify", "reply"):
        statuses.append(ok(hall.act("handler", rated["id"], action))["status"])
    closed = ok(hall.act("supervisor", rated["id"], "close"))
    assert [*statuses, closed["status"]] == ["to_verify", "verified", "rectifying", "fed_back", "closed"]
    history = ok(supervisor.get(f"/ratings/{rated['id']}/history"))["items"]
    assert [one["action"] for one in history] == ["open", "assign", "contact", "verify", "rectify", "reply", "close"]
    answer = ok(hall.get(f"/api/v1/ratings/answer/{rated['query_code']}"))
    assert (answer["status"], answer["reply"]) == ("closed", STEPS["reply"]["feedback_text"])
    for reply in (None, STEPS["reply"]["feedback_text"]):
        published = ok(hall.get("/api/v1/ratings/public"))["items"]
        assert [(one["level"], one["reply"]) for one in published] == [(1, reply)]
        hall.act("supervisor", rated["id"], "release")


@ONE_DATABASE
@pytest.mark.parametrize("action", ["assign", "contact", "verify", "appeal", "close", "void", "release"])
def test_a_step_by_the_wrong_role_is_refused_and_changes_nothing(hall: Hall, action: str) -> None:
    rating = hall.bad(hall.code())
    hall.person("handler")  # whoever joins later could be assigned
    supervisors = {"assign", "close", "void", "release"}
    wrong = ["officer", "inspector", "handler" if action in supervisors else "supervisor"]
    before = hall.rating(rating)
    for name in wrong:
        answer = (
            hall.act(name, rating, action, evidence=[new_id()])
            if action == "appeal"
            else hall.act(name, rating, action)
        )
        assert answer.status_code == 403 or code_of(answer) == (409, "wrong_status"), name
        assert name == "handler" or answer.status_code == 403, name
    assert hall.rating(rating) == before


@ONE_DATABASE
@pytest.mark.parametrize(
    ("person", "action"),
    [("handler", "rectify"), ("handler", "explain"), ("handler", "reply"), ("supervisor", "close"),
     ("supervisor", "return"), ("supervisor", "uphold"), ("supervisor", "void"), ("supervisor", "release")],
)  # fmt: skip
def test_a_step_out_of_order_is_refused_with_the_status_as_it_is(hall: Hall, person: str, action: str) -> None:
    rating = hall.bad(hall.code())
    hall.person("handler")  # whoever joins later could be assigned
    before = hall.rating(rating)
    answer = hall.act(person, rating, action, explanation="已说明")
    assert code_of(answer) == (409, "wrong_status")
    assert hall.rating(rating) == before


@ONE_DATABASE
def test_a_step_that_is_sent_again_is_answered_and_applied_once(hall: Hall) -> None:
    rating = hall.bad(hall.code())
    body = {"version": 1, **STEPS["contact"]}
    path = f"/ratings/{rating}/actions/contact"
    first, again = (ok(hall.person("handler").post(path, body)) for _ in range(2))
    assert first == again and len(first["contacts"]) == 1
    stale = hall.person("handler").post(path, {**body, "note": "又打了一次"})
    assert code_of(stale) == (409, "stale_version") and (stale.json or {})["current_version"] == 2


def test_of_two_who_take_a_step_at_once_one_wins(hall: Hall, application: APIFlask) -> None:
    rating = hall.lead(hall.bad(hall.code()), "contact")
    version = hall.rating(rating)["version"]
    people = [hall.person("handler"), hall.person("other_handler")]

    def verify(person: Person, result: str) -> Any:
        own = Person(person.username, application.test_client(), person.token)
        body = {"version": version, "verify_result": result, "classification": "at_once"}
        return own.post(f"/ratings/{rating}/actions/verify", body)

    answers = at_once(*(lambda p=p, r=r: verify(p, r) for p, r in zip(people, ("confirmed", "unfounded"), strict=True)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    won = next(answer.json for answer in answers if answer.status_code == 200)
    assert hall.rating(rating)["follow_up"]["verify_result"] == won["follow_up"]["verify_result"]
    assert hall.rating(rating)["version"] == version + 1


@ONE_DATABASE
def test_an_unknown_action_an_unknown_rating_and_a_missing_version_are_told_apart(hall: Hall) -> None:
    rating, supervisor = (
        hall.lead(hall.bad(hall.code()), "contact", "verify", "rectify", "reply", "close"),
        "supervisor",
    )
    assert code_of(hall.act(supervisor, rating, "delete")) == (404, "not_found")
    assert code_of(hall.person(supervisor).post(f"/ratings/{new_id()}/actions/close", {})) == (404, "not_found")
    assert faults(hall.person(supervisor).post(f"/ratings/{rating}/actions/release", {})) == {"/version": "required"}
    assert code_of(hall.person(supervisor).post(f"/ratings/{rating}/actions/release", {"version": 1})) == (
        409,
        "stale_version",
    )


@ONE_DATABASE
@pytest.mark.parametrize("text", ["", "   ", 5, "字" * 10_000])
def test_what_a_step_is_sent_is_validated_before_anything_is_stored(hall: Hall, text: Any) -> None:
    rating = hall.lead(hall.bad(hall.code()), "contact", "verify")
    before = hall.rating(rating)
    assert set(faults(hall.act("handler", rating, "rectify", measures=text))) == {"/measures"}
    assert hall.rating(rating) == before


@ONE_DATABASE
def test_an_appeal_is_decided_by_someone_else_and_a_voided_rating_leaves_figures_and_public(hall: Hall) -> None:
    rating = hall.bad(hall.code())
    assert set(faults(hall.act("handler", rating, "appeal", evidence=[new_id()]))) == {"/evidence/0"}
    foreign = upload_photo(hall.person("other_handler"))
    assert set(faults(hall.act("handler", rating, "appeal", evidence=[foreign]))) == {"/evidence/0"}
    assert ok(hall.act("handler", rating, "appeal"))["status"] == "appealing"
    assert hall.act("handler", rating, "void").status_code == 403
    assert ok(hall.act("supervisor", rating, "void"))["status"] == "voided"
    assert ok(hall.person("supervisor").get("/statistics/ratings"))["total"]["ratings"] == 0
    assert ok(hall.get("/api/v1/ratings/public"))["items"] == []


@ONE_DATABASE
def test_evidence_is_read_by_the_office_and_by_nobody_else(hall: Hall) -> None:
    rating = hall.bad(hall.code())
    file_id = upload_photo(hall.person("handler"))
    ok(hall.act("handler", rating, "appeal", evidence=[file_id]))
    for part in ("", "/preview"):
        assert hall.person("supervisor").get(f"/files/{file_id}{part}").status_code == 200
        for name in ("inspector", "far_supervisor"):
            assert code_of(hall.person(name).get(f"/files/{file_id}{part}")) == (404, "not_found")
    assert hall.get(f"/api/v1/files/{file_id}").status_code == 401


@ONE_DATABASE
def test_an_assigned_rating_is_handled_by_nobody_else(hall: Hall) -> None:
    rating = hall.bad(hall.code())
    me = ok(hall.person("handler").get("/me"))["id"]
    ok(hall.act("supervisor", rating, "assign", handler_id=me))
    assert code_of(hall.act("other_handler", rating, "contact")) == (409, "assigned_to_other")
    far = ok(hall.person("far_handler").get("/me"))["id"]
    assert faults(hall.act("supervisor", rating, "assign", handler_id=far)) == {"/handler_id": "unknown_handler"}


@ONE_DATABASE
def test_a_version_that_is_no_whole_number_is_refused_by_name_before_anything_is_done(hall: Hall) -> None:
    bad, good = hall.bad(hall.code()), hall.rated(hall.code())
    hall.person("handler")  # whoever joins later could be assigned
    for person, rating, action in (("handler", bad, "contact"), ("supervisor", good, "release")):
        path, before = f"/ratings/{rating}/actions/{action}", hall.rating(rating)
        for version in ({}, {"version": None}, {"version": "1"}, {"version": [1]}, {"version": True}, {"version": 1.5}):
            answer = hall.person(person).post(path, {**STEPS.get(action, {}), **version})
            assert set(faults(answer)) == {"/version"}, (action, version)
        wrong = hall.person(person).post(path, {**STEPS.get(action, {}), "version": 7})
        assert code_of(wrong) == (409, "stale_version")
        assert hall.rating(rating) == before


@ONE_DATABASE
def test_a_handler_of_the_city_reads_the_rating_and_is_offered_and_allowed_no_step(hall: Hall) -> None:
    make_user(hall.database, "320400", "city_handler", Role.RATING_HANDLER)
    hall.people["city_handler"] = hall.sign_in("city_handler")
    rating = hall.bad(hall.code())
    assert hall.rating(rating, "city_handler")["actions"] == []
    assert hall.rating(rating, "handler")["actions"] == ["reveal_number", "contact", "verify", "appeal"]
    for action in ("contact", "verify", "appeal"):
        answer = hall.act("city_handler", rating, action)
        assert code_of(answer) == (403, "forbidden")
        assert "被评价单位" in (answer.json or {})["detail"]
    assert hall.rating(rating)["version"] == 1


@ONE_DATABASE
def test_what_is_under_way_is_handed_to_another_handler_who_goes_on(hall: Hall) -> None:
    rating = hall.lead(hall.bad(hall.code()), "contact", "verify", "rectify")
    other = ok(hall.person("other_handler").get("/me"))["id"]
    handed = ok(hall.act("supervisor", rating, "assign", handler_id=other))
    assert (handed["status"], handed["follow_up"]["handler"]["username"]) == ("rectifying", "other_handler")
    assert code_of(hall.act("handler", rating, "reply")) == (409, "assigned_to_other")
    assert ok(hall.act("other_handler", rating, "reply"))["status"] == "fed_back"
