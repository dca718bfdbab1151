"""Parties beyond two (当事方), as 达标评价 declares them: an agency, three reviewers who all confirm."""

from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import update

from accounts.models import User
from enterprise.filings.integrity import verify_filings
from tests.kinds.town import AGENCY, AUTHORITY, Town, named, paths
from tests.newcomers import at_once

THREE = [{"username": "reviewer_1", "leader": True}, {"username": "reviewer_2"}, {"username": "reviewer_3"}]


def applied(town: Town) -> dict[str, Any]:
    """An application that was sent to its agency."""
    data = {"area": "320402", "agency": town.office_ids[AGENCY], "self_score": "930"}
    return dict(town.act(town.parties.enterprise, town.open("transport_evaluation", data), "submit"))


def scored(town: Town) -> dict[str, Any]:
    """One whose reviewers are to confirm what the agency scored."""
    filing = applied(town)
    town.act(town["agency"], filing, "assign", data={"reviewers": THREE})
    report = named(("evaluation_report", town.file(town["agency"])))
    return dict(town.act(town["agency"], filing, "score", data={"total": "915"}, documents=report))


def test_an_agency_that_the_enterprise_chose_stands_to_the_filing_and_another_one_does_not(town: Town) -> None:
    filing = applied(town)
    assert (filing["turn"], filing["office"]["name"]) == ("agency", AUTHORITY)
    assert [(one["party"], one["name"]) for one in filing["parties"]] == [("agency", AGENCY)]
    assert town.todos(town["agency"]) == ["达标评价待受理：常州某某电缆有限公司"]
    assert [row["id"] for row in town["agency"].get("/filings").json["items"]] == [filing["id"]]
    assert town.read(filing, town["authority"])["actions"] == []
    for stranger in (town["other_agency"], town["reviewer_1"]):
        assert stranger.get(f"/filings/{filing['id']}").status_code == 404
        assert stranger.get("/filings").json["total"] == 0


def test_reviewers_are_enough_different_led_by_one_and_of_the_agency(town: Town) -> None:
    filing = applied(town)

    def refused(*rows: dict[str, Any]) -> list[str]:
        return paths(town.act(town["agency"], filing, "assign", expect=422, data={"reviewers": list(rows)}))

    assert refused(*THREE[:2]) == ["/data/reviewers"]
    assert refused(*THREE[:2], {"username": "reviewer_2"}) == ["/data/reviewers"]
    assert refused(*({**row, "leader": False} for row in THREE)) == ["/data/reviewers"]
    assert refused(*THREE[:2], {"username": "foreign_reviewer"}) == ["/data/reviewers/2/username"]
    assert town.act(town["agency"], filing, "assign", data={"reviewers": THREE})["status"] == "assigned"
    assert town.read(filing, town["reviewer_1"])["status"] == "assigned"


def test_it_waits_until_all_of_them_have_confirmed(town: Town) -> None:
    filing = scored(town)
    assert town.todos(town["agency"]) == []
    for number in "12":
        assert town.read(filing, town[f"reviewer_{number}"])["turn"] == "reviewer"
        assert town.act(town[f"reviewer_{number}"], filing, "confirm")["status"] == "scored"
        assert town.todos(town[f"reviewer_{number}"]) == []
    assert town.act(town["reviewer_1"], filing, "confirm", expect=409, comment="再次")["code"] == "already_confirmed"
    assert town.read(filing)["confirmations"] == {"needed": 3, "given": ["reviewer_1", "reviewer_2"]}
    assert town.read(filing, town["agency"])["actions"] == ["replace"]
    town.act(town["agency"], filing, "conclude", expect=409)
    town.act(town["reviewer_3"], filing, "confirm")
    assert town.todos(town["agency"]) == ["达标评价待确认：常州某某电缆有限公司"]
    assert town.act(town["agency"], filing, "conclude")["status"] == "to_publish"


def test_one_is_replaced_and_the_others_confirmations_stay(town: Town) -> None:
    filing = scored(town)
    for number in "12":
        town.act(town[f"reviewer_{number}"], filing, "confirm")
    instead = [*THREE[:2], {"username": "reviewer_4"}]
    after = town.act(town["agency"], filing, "replace", data={"reviewers": instead})
    assert (after["status"], after["confirmations"]["given"]) == ("scored", ["reviewer_1", "reviewer_2"])
    assert town["reviewer_3"].get(f"/filings/{filing['id']}").status_code == 404
    assert (town.todos(town["reviewer_3"]), len(town.todos(town["reviewer_4"]))) == ([], 1)
    town.act(town["reviewer_4"], filing, "confirm")
    assert town.act(town["agency"], filing, "conclude")["status"] == "to_publish"


def test_an_objection_lets_all_confirmations_fall(town: Town) -> None:
    filing = scored(town)
    town.act(town["reviewer_1"], filing, "confirm")
    assert town.act(town["reviewer_2"], filing, "object", comment="分数有误")["status"] == "assigned"
    report = named(("evaluation_report", town.file(town["agency"])))
    again = town.act(town["agency"], filing, "score", data={"total": "905"}, documents=report)
    assert again["confirmations"] == {"needed": 3, "given": []}


def test_all_three_confirm_at_the_same_moment_what_they_read(town: Town) -> None:
    filing = scored(town)
    version = town.read(filing)["version"]
    reviewers = [town[f"reviewer_{number}"] for number in "123"]
    path = f"/filings/{filing['id']}/actions/confirm"
    answers = at_once(*(partial(one.post, path, {"version": version}) for one in reviewers))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    moves = town.parties.enterprise.get(f"/filings/{filing['id']}/history").json["items"]
    assert [move["confirmations"] for move in moves if move["action"] == "confirm"] == [1, 2, 3]
    assert town.read(filing)["confirmations"]["given"] == ["reviewer_1", "reviewer_2", "reviewer_3"]


def test_each_confirms_with_a_form_of_their_own_and_what_they_said_is_kept(town: Town) -> None:
    kind = town.engine.kinds["transport_evaluation"]
    steps = [replace(one, form="transport-score") if one.action == "confirm" else one for one in kind.steps]
    town.declare(replace(kind, steps=steps))
    filing = scored(town)
    assert paths(town.act(town["reviewer_1"], filing, "confirm", expect=422, data={})) == ["/data/total"]
    for number, total in zip("123", ("901", "902", "903"), strict=True):
        town.act(town[f"reviewer_{number}"], filing, "confirm", data={"total": total})
    said = town.read(filing, town["agency"])["steps"]
    assert [one["data"]["total"] for one in said if one["action"] == "confirm"] == ["901", "902", "903"]
    with town.database.read() as session:
        assert list(verify_filings(session, town.engine.kinds)) == []


def test_nobody_is_named_who_could_not_take_a_step(town: Town) -> None:
    """Who lacks the verb would be waited for without end."""
    filing = applied(town)
    with town.database.write() as session:
        session.execute(update(User).where(User.username == "reviewer_3").values(roles=["inspector"]))
    refused = town.act(town["agency"], filing, "assign", expect=422, data={"reviewers": THREE})
    assert paths(refused) == ["/data/reviewers/2"] and "不能作为评审员" in refused["errors"][0]["message"]
