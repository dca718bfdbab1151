"""Standing delegation (委托) of a post's work by business type: over HTTP, by both offices."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from accounts import offices, operations
from accounts.models import OfficeKind, Region
from accounts.verbs import Role
from core.workflows.history import verify
from enterprise.filings.declaring.broken_kinds import BrokenKind
from enterprise.filings.declaring.declarations import Step
from tests.enterprise.filings.test_certificates import issued
from tests.enterprise.filings.test_lists import listed, mine
from tests.enterprise.filings.test_posts import queued
from tests.kinds.power_new import FORMAL, STATUSES, STEPS, UNCERTIFIED, power_new
from tests.kinds.town import JIANGSU, Town
from tests.newcomers import at_once, password_hash
from tests.people import Person, new_id

UNIT, FAR_UNIT, OTHER_UNIT = "江苏维护单位", "浙江维护单位", "江苏第二维护单位"
KEPT = OfficeKind.MAINTENANCE_UNIT.value
DELEGABLE = replace(FORMAL, delegable_to=(KEPT,))


def _taken(by: Any) -> Any:
    many = [by] if not isinstance(by, list | tuple) else list(by)
    found = [DELEGABLE if one == FORMAL else one for one in many]
    return found if len(found) > 1 else found[0]


@pytest.fixture
def units(town: Town) -> Town:
    """Two units of the province and one of another; the post may be delegated, by the level that is applied for."""
    with town.database.write() as session:
        for name, code in ((UNIT, "320000"), (FAR_UNIT, "330000"), (OTHER_UNIT, "320000")):
            office_id = offices.create_office(session, name, KEPT, session.get_one(Region, code), None)
            town.office_ids[name] = str(office_id)
            operations.create_user(
                session, office_id, f"kept_{name[:2]}_{name[2:4]}", password_hash(), [Role.POWER_FORMAL_CHECK],
                must_change_password=False,
            )  # fmt: skip
    statuses = [replace(one, turn=_taken(list(one.turns))) if one.turns else one for one in STATUSES]
    steps: list[Step] = [replace(one, by=_taken(list(one.takers))) for one in UNCERTIFIED]
    town.declare(power_new(statuses=statuses, steps=steps, matter="level", one_open=False, claims=()))
    return town


def unit(town: Town) -> Person:
    return town["kept_江苏_维护"]


def delegate(town: Town, *matters: str, to: str = UNIT, by: str = "formal", delegation_id: str | None = None) -> Any:
    body = {"post": FORMAL.code, "to_office_id": town.office_ids[to], "matters": list(matters)}
    return town[by].put(f"/delegations/{delegation_id or new_id()}", body)


def revoke(town: Town, found: Any, by: str = "formal") -> Any:
    return town[by].post(f"/delegations/{found['id']}/revoke", {"version": found["version"]})


def test_the_work_of_a_post_goes_to_another_office_by_business_type_and_comes_back_when_it_is_revoked(
    units: Town,
) -> None:
    town = units
    one, five = queued(town), queued(town, level="five")
    assert listed(unit(town)) == mine(unit(town)) == []
    made = delegate(town, "one")
    assert (made.status_code, made.json["status_label"], made.json["to_office"]) == (200, "委托中", UNIT)
    assert made.json["actions"] == ["revoke"]
    assert listed(unit(town)) == mine(unit(town)) == [one["id"]]
    assert unit(town).get(f"/filings/{five['id']}").status_code == 404
    assert town.read(one, unit(town))["actions"] == ["return"]
    assert (len(town.todos(unit(town))), len(town.todos(town["formal"]))) == (1, 1)
    later = queued(town)
    assert (len(town.todos(unit(town))), len(town.todos(town["formal"]))) == (2, 1)
    # The office itself may still act; what the unit did stands under its own name.
    town.act(unit(town), one, "return", comment="请补正", data={"parts": "等级"})
    assert town.read(one)["steps"][0]["office_name"] == UNIT
    assert town.act(town["formal"], later, "return", comment="请补正", data={"parts": "等级"})["status"] == "returned"
    third = queued(town)
    (row,) = unit(town).get("/delegations").json["items"]
    assert (row["from_office"], row["matters"], row["actions"]) == (JIANGSU, ["one"], [])
    assert revoke(town, made.json).json["status"] == "revoked"
    assert listed(unit(town)) == mine(unit(town)) == town.todos(unit(town)) == []
    assert unit(town).get(f"/filings/{third['id']}").status_code == 404
    assert len(town.todos(town["formal"])) == 2
    assert delegate(town).status_code == 200
    assert set(mine(unit(town))) == {five["id"], third["id"]}
    with town.database.read() as session:
        assert list(verify(session)) == []


def test_who_does_the_work_of_another_office_reads_the_certificates_of_it_and_no_others(units: Town) -> None:
    town = units
    steps = [replace(one, by=_taken(list(one.takers))) for one in STEPS]
    statuses = [replace(one, turn=_taken(list(one.turns))) if one.turns else one for one in STATUSES]
    town.declare(power_new(statuses=statuses, steps=steps, matter="level"))
    one = issued(town)
    assert certificates(unit(town)) == []
    made = delegate(town, "five")
    assert certificates(unit(town)) == []
    assert unit(town).get(f"/certificates/{one['id']}").status_code == 404
    assert revoke(town, made.json).status_code == 200
    again = delegate(town, "one")
    assert certificates(unit(town)) == [one["id"]]
    for path in ("", "/versions", "/history"):
        assert unit(town).get(f"/certificates/{one['id']}{path}").status_code == 200
    assert revoke(town, again.json).status_code == 200
    assert certificates(unit(town)) == []


def certificates(by: Person) -> list[str]:
    return [row["id"] for row in by.get("/certificates").json["items"]]


def test_a_function_is_delegated_once_by_who_holds_it_to_an_office_of_its_own_level(units: Town) -> None:
    town = units
    assert delegate(town, by="acceptance").status_code == 403
    for to in (FAR_UNIT, JIANGSU):
        assert delegate(town, to=to).json["errors"][0]["code"] == "unknown_office"
    chosen = new_id()
    made = delegate(town, "one", delegation_id=chosen)
    assert delegate(town, "one", delegation_id=chosen).json == made.json
    refused = delegate(town, "five", to=OTHER_UNIT)
    assert (refused.status_code, refused.json["detail"]) == (409, "该功能已委托，请先撤销原委托")
    body = {"post": "power_acceptance", "to_office_id": town.office_ids[UNIT]}
    assert town["acceptance"].put(f"/delegations/{new_id()}", body).status_code == 404
    assert revoke(town, made.json, by="acceptance").status_code == 403
    assert unit(town).post(f"/delegations/{chosen}/revoke", {"version": 1}).status_code == 404
    assert revoke(town, made.json).status_code == 200
    assert revoke(town, {**made.json, "version": 2}).status_code == 409


def test_of_two_delegations_at_one_moment_one_stands(units: Town) -> None:
    assert units["formal"] is not None
    answers = at_once(partial(delegate, units, "one"), partial(delegate, units, "five", to=OTHER_UNIT))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


def test_a_post_that_can_be_delegated_needs_an_office_that_handles_it() -> None:
    steps = [replace(one, by=_taken(list(one.takers))) for one in UNCERTIFIED]
    statuses = [replace(one, turn=_taken(list(one.turns))) if one.turns else one for one in STATUSES]
    with pytest.raises(BrokenKind, match="a post can be delegated, but no office alone handles it"):
        power_new(steps=steps, statuses=statuses, route=None)


def test_what_may_be_delegated_is_said_by_the_declarations(units: Town) -> None:
    town = units
    (offer,) = town["formal"].get("/delegations/offers").json["items"]
    assert (offer["post"], offer["label"], offer["delegated"]) == (FORMAL.code, FORMAL.label, False)
    assert [one["name"] for one in offer["offices"]] == [OTHER_UNIT, UNIT]
    assert [one["code"] for one in offer["matters"]] == ["one", "five"]
    for nobody in (town["acceptance"], town.parties.enterprise):
        assert nobody.get("/delegations/offers").json["items"] == []
    made = delegate(town, "one").json
    assert made["matter_labels"] == [offer["matters"][0]["label"]]
    assert town["formal"].get("/delegations/offers").json["items"][0]["delegated"]
