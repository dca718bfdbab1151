"""Every kind × status × action × role, every required field and document.

A new kind is covered by being in the list.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask

from enterprise.filings.declaring.declarations import APPLICANT, BACK, By
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.models import DELETED
from enterprise.production.kinds import KINDS
from enterprise.production.kinds.posts import OFFICE
from miniapp_api.http.wiring import KEY
from tests.enterprise.filings.filled import filled, may_end_in, required_paths, standing
from tests.parties import Parties
from tests.people import Person

CASES = [pytest.param(kind, status, id=f"{kind.code}-{status}") for kind in KINDS for status in kind.labels]
SENDINGS = [
    pytest.param(kind, step, id=f"{kind.code}-{step.source}") for kind in KINDS for step in kind.steps if step.sends
]

Stand = Callable[..., dict[str, Any]]


@pytest.fixture
def engine(application: APIFlask) -> Filings:
    found: Filings = application.extensions[KEY].filings
    return found


@pytest.fixture
def stand(application: APIFlask, engine: Filings, parties: Parties) -> Stand:
    """Puts a filing into a status; what a step needs to be told of it."""

    def put(kind: FilingKind, status: str, **changes: Any) -> dict[str, Any]:
        with application.extensions[KEY].database.write() as session:
            filing_id: UUID = standing(session, engine, kind, status, **changes)
        return {"id": str(filing_id), "version": 1}

    return put


def act(person: Person, filing: dict[str, Any], action: str, comment: str | None = "意见") -> Any:
    body = {"version": filing["version"], "comment": comment}
    return person.post(f"/filings/{filing['id']}/actions/{action}", body)


@pytest.mark.parametrize(("kind", "status"), CASES)
def test_a_step_is_taken_by_whom_and_from_where_it_is_declared_and_refused_otherwise(
    kind: FilingKind, status: str, parties: Parties, county_inspector: Person, stand: Stand
) -> None:
    sides: list[tuple[Person, By]] = [(parties.enterprise, APPLICANT), (parties.reviewer, OFFICE)]
    strangers = (parties.other_enterprise, parties.far_reviewer)
    filing = stand(kind, status)
    guarded = set()
    for action in dict.fromkeys(step.action for step in kind.steps):
        step = kind.step(action, status)
        for person in strangers:
            assert act(person, filing, action).status_code == 404
        assert act(county_inspector, filing, action).status_code == 403
        for person, side in sides:
            answer = act(person, filing, action)
            if status == DELETED:
                assert answer.status_code == 404
            elif step is None:
                assert (answer.status_code, answer.json["current_status"]) == (409, status), (action, side)
            elif side not in step.takers:
                assert answer.status_code == 403, (action, side)
            elif step.guard is not None and answer.status_code == 409:
                # What its guard asks for is not true of every filing; that is played beside this suite.
                assert answer.json["current_status"] == status
                guarded.add(action)
            else:
                assert answer.status_code == 200, (action, side, answer.get_data(as_text=True))
                asker = next((s.source for s in kind.steps if s.asks_back), None)
                assert answer.json["status"] in may_end_in(kind, step.target, asker)
                if answer.json["status"] != DELETED:
                    moves = parties.enterprise.get(f"/filings/{filing['id']}/history").json["items"]
                    target = asker if step.target == BACK else step.target
                    assert (action, status, target) in [(m["action"], m["from"], m["to"]) for m in moves]
                filing = stand(kind, status)
    shown = {side: person.get(f"/filings/{filing['id']}") for person, side in sides}
    if status == DELETED:
        assert {answer.status_code for answer in shown.values()} == {404}
        return
    for side, answer in shown.items():
        steps = [step for step in kind.steps if step.source == status and side in step.takers]
        declared = [step.action for step in steps if step.action not in guarded]
        assert [action for action in answer.json["actions"] if action != "save"] == declared
        assert ("save" in answer.json["actions"]) == (side == APPLICANT and status in kind.editable)
        assert (answer.json["status"], answer.json["version"]) == (status, 1)


@pytest.mark.parametrize(("kind", "status"), CASES)
def test_the_working_copy_is_saved_by_its_enterprise_while_it_may_be_changed(
    kind: FilingKind, status: str, parties: Parties, stand: Stand, engine: Filings
) -> None:
    filing = stand(kind, status)
    body = {"data": filled(engine, kind), "version": 1}
    for person in (parties.other_enterprise, parties.far_reviewer):
        assert person.put(f"/filings/{filing['id']}", body).status_code == 404
    own, office = (person.put(f"/filings/{filing['id']}", body) for person in (parties.enterprise, parties.reviewer))
    if status == DELETED:
        assert (own.status_code, office.status_code) == (404, 404)
        return
    assert office.status_code == 403
    if status in kind.editable:
        assert (own.status_code, own.json["version"], own.json["status"]) == (200, 2, status)
    else:
        assert (own.status_code, own.json["current_status"]) == (409, status)


@pytest.mark.parametrize(("kind", "step"), SENDINGS)
def test_every_required_field_and_document_that_is_missing_is_named(
    kind: FilingKind, step: Any, parties: Parties, stand: Stand, engine: Filings
) -> None:
    good, bad = filled(engine, kind), filled(engine, kind, problem=True)
    missing = [*required_paths(engine, kind, good), *required_paths(engine, kind, bad)]
    assert missing
    for path, data in missing:
        filing = stand(kind, step.source, data=data)
        answer = act(parties.enterprise, filing, step.action)
        assert answer.status_code == 422, (path, answer.get_data(as_text=True))
        assert path in [fault["path"] for fault in answer.json["errors"]]
        after = parties.enterprise.get(f"/filings/{filing['id']}").json
        assert (after["status"], after["sent"]) == (step.source, 1)
    for document in kind.documents:
        data = good if document.required == "always" else bad
        filing = stand(kind, step.source, data=data, without=document.category.code)
        answer = act(parties.enterprise, filing, step.action)
        if document.required == "never":
            assert answer.status_code == 200
        else:
            assert answer.status_code == 422
            assert [fault["path"] for fault in answer.json["errors"]] == ["/documents"]
            assert document.category.label in answer.json["errors"][0]["message"]
    for data in (good, bad):
        assert act(parties.enterprise, stand(kind, step.source, data=data), step.action).status_code == 200


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_step_that_needs_a_reason_is_not_taken_without_one(kind: FilingKind, parties: Parties, stand: Stand) -> None:
    sides = {APPLICANT.code: parties.enterprise, OFFICE.code: parties.reviewer}
    for step in (step for step in kind.steps if step.comment and step.source is not None):
        for comment in (None, "", " \u3000"):
            answer = act(sides[step.takers[0].code], stand(kind, step.source), step.action, comment)
            assert answer.status_code == 422
            assert [fault["path"] for fault in answer.json["errors"]] == ["/comment"]


def test_an_action_that_no_step_has_is_not_there(parties: Parties, stand: Stand) -> None:
    filing = stand(KINDS[0], "pending")
    assert act(parties.reviewer, filing, "bless").status_code == 404
