"""A key that one filing holds at a time (占用): an electrician's ID, in every application that names it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from enterprise.filings.declaring.declarations import Claim
from enterprise.filings.models import Filing
from tests.enterprise.filings.test_posts import DATA
from tests.kinds.power_new import DECIDING, power_new
from tests.kinds.town import Town, named
from tests.newcomers import at_once
from tests.people import Person, new_id


def _leader(_filing: Filing, data: Mapping[str, Any]) -> Sequence[str]:
    return [data["leader_id"]]


CLAIM = Claim("electrician", _leader, ["queued", "returned", *DECIDING, "issued"], "该身份证号码已被使用")


@pytest.fixture(autouse=True)
def claiming(town: Town) -> None:
    town.declare(power_new(claims=[CLAIM]))


def drafted(town: Town, by: Person) -> dict[str, Any]:
    body = {"kind": "power_new", "data": DATA, "documents": named(("finance", town.file(by)))}
    answer = by.put(f"/filings/{new_id()}", body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.json)


def send(by: Person, filing: dict[str, Any], **more: Any) -> Any:
    return by.post(f"/filings/{filing['id']}/actions/submit", {"version": filing["version"], **more})


def test_an_id_is_used_once_and_free_again_after_a_refusal(town: Town) -> None:
    first, second = town.parties.enterprise, town.parties.other_enterprise
    one, other = drafted(town, first), drafted(town, second)
    assert send(first, one).status_code == 200
    refused = send(second, other)
    assert (refused.status_code, refused.json["detail"]) == (409, "该身份证号码已被使用")
    town.act(town["formal"], one, "return", comment="请补正", data={"parts": "负责人"})
    assert send(second, other, comment="再试").status_code == 409
    town.act(first, one, "submit")
    town.act(town["acceptance"], one, "refuse", comment="不予受理")
    assert send(second, other, comment="又试").status_code == 200


def test_of_two_that_are_sent_at_one_moment_one_holds_it(town: Town) -> None:
    first, second = town.parties.enterprise, town.parties.other_enterprise
    one, other = drafted(town, first), drafted(town, second)
    answers = at_once(partial(send, first, one), partial(send, second, other))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
