"""网上一事一评: a finished filing puts 好差评 into the to-dos of its enterprise, by the listener in `composition/`."""

from collections.abc import Callable

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from accounts.models import Office
from core.db import Database
from enterprise.filings.models import Filing
from feedback.models import Rating, RatingCode
from feedback.ratings.fields import Sent, read_form
from feedback.ratings.rating_window import RatingRules
from feedback.ratings.submitting import Sender, submit
from miniapp_api.http.wiring import KEY
from tests.parties import DECLARATION, Parties, act, open_declaration, prepare
from tests.people import Person


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return prepare(application, sign_in)


def todos(person: Person) -> list[str]:
    answer = person.get("/todos")
    assert answer.json is not None
    return [todo["kind"] for todo in answer.json["items"]]


def test_an_approved_declaration_is_rated_once_by_its_enterprise(
    parties: Parties, application: APIFlask, database: Database
) -> None:
    row = open_declaration(parties)
    body = {"data": DECLARATION, "documents": [], "version": row["version"]}
    saved = parties.enterprise.put(f"/filings/{row['id']}", body).json
    sent = act(parties.enterprise, saved, "submit").json
    assert act(parties.reviewer, sent, "approve").status_code == 200
    assert "rate_service" in todos(parties.enterprise)
    assert "rate_service" not in todos(parties.other_enterprise)
    with database.read() as session:
        code = session.scalars(select(RatingCode)).one()
        filing = session.get_one(Filing, code.filing_id)
        office = session.get_one(Office, code.office_id)
    assert (str(filing.id), filing.enterprise_id) == (row["id"], code.enterprise_id)
    assert (office.region_code, code.org_name) == ("320402", office.name)
    form = Sent("孙某", "13800000007", 5, [513], "")
    with application.extensions[KEY].database.write() as session:
        submit(session, RatingRules(), read_form(code.token or "", form), Sender("192.0.2.1", ""))
    assert "rate_service" not in todos(parties.enterprise)
    with database.read() as session:
        assert session.scalars(select(Rating.channel)).all() == ["web_todo"]
