"""Accounts of who registers without an officer (自行注册): persons and organisations, in one system and no other."""

from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import update

from accounts import integrity as accounts_integrity
from accounts.models import User
from core.db import Database
from core.workflows import history
from enterprise.filings import integrity as filings_integrity
from enterprise.registrations import integrity
from enterprise.registrations.declarations import BrokenRegistration, Registration, Registrations
from miniapp_api.http.wiring import KEY
from tests import registrants
from tests.documented import INVENTED
from tests.enterprise.filings.invented import campaign, invented
from tests.miniapp_api.test_gates import filled, routes
from tests.newcomers import code_of, try_sign_in
from tests.parties import WORKS, Parties, prepare
from tests.people import PASSWORD, Person, new_id
from tests.registrants import ID_NUMBER, ORGANISATION, PERSON, query, register

NAME = "zhang_sanfeng"
ACCOUNT = {"username": NAME, "password": PASSWORD}
ZHANG = {"name": "张三丰", "code": ID_NUMBER, "email": None}


@pytest.fixture(autouse=True)
def _declared(application: APIFlask) -> None:
    registrants.declare(application)


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return prepare(application, sign_in)


def signed_in(client: FlaskClient, system: str = PERSON, account: dict[str, str] = ACCOUNT, **who: Any) -> Person:
    """Whoever has registered with an account, signed in by name and password."""
    answer = register(client, system, id=new_id(), account=account, **who)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    begun = try_sign_in(client, account["username"], account["password"])
    assert begun.status_code == 201, begun.get_data(as_text=True)
    return Person(account["username"], client, begun.json["token"])  # type: ignore[index]


def opened(by: Person, kind: str = "invented") -> Any:
    return by.put(f"/filings/{new_id()}", {"kind": kind, "data": {"wish": "备案"}})


def listed(by: Person) -> set[str]:
    return {row["id"] for row in by.get("/filings").json["items"]}  # type: ignore[index]


def test_a_person_with_an_account_files_again_and_again_and_reads_only_the_own_filings(
    client: FlaskClient, database: Database, parties: Parties
) -> None:
    person = signed_in(client, **ZHANG)
    (first,) = listed(person)
    me = person.get("/me").json
    assert me["enterprise"]["uscc"] is None and me["enterprise"]["name"] == "张**"  # type: ignore[index]
    second = opened(person)
    assert (second.status_code, second.json["uscc"], second.json["org_name"]) == (201, "", "张**")
    assert listed(person) == {first, second.json["id"]}
    other = signed_in(client, account={**ACCOUNT, "username": "li_si"}, name="李四", code="110101199003070038")
    assert other.get(f"/filings/{first}").status_code == 404
    assert listed(other).isdisjoint(listed(person))
    sent = person.post(f"/filings/{second.json['id']}/actions/submit", {"version": second.json["version"]})
    assert sent.status_code == 200, sent.get_data(as_text=True)
    assert parties.reviewer.get(f"/filings/{second.json['id']}").status_code == 200
    back = {"version": sent.json["version"], "comment": "请补正"}  # type: ignore[index]
    returned = parties.reviewer.post(f"/filings/{second.json['id']}/actions/ask", back)
    assert returned.status_code == 200, returned.get_data(as_text=True)
    assert [todo["title"] for todo in person.get("/todos").json["items"]] == ["待补正：张**"]  # type: ignore[index]
    assert other.get("/todos").json["items"] == []  # type: ignore[index]
    with database.read() as session:
        found = [*history.verify(session), *integrity.verify(session), *accounts_integrity.verify(session)]
        assert found == []


def test_a_kind_for_organisations_is_opened_by_no_person(application: APIFlask, client: FlaskClient) -> None:
    kinds = application.extensions[KEY].filings.kinds
    person = signed_in(client, **ZHANG)
    kinds["invented"] = invented(applicants=["organisation"])
    refused = opened(person)
    assert (refused.status_code, refused.json["detail"]) == (403, "“虚构事项”由单位办理，个人不能发起")
    with pytest.raises(BrokenRegistration, match="invented: no person may apply for it"):
        Registrations([Registration(PERSON, "invented", "评审员报名", "person")], kinds)


def test_the_account_has_rights_in_its_system_and_in_no_other(application: APIFlask, client: FlaskClient) -> None:
    kinds = application.extensions[KEY].filings.kinds
    kinds["invented_campaign"] = campaign()
    INVENTED.update({"invented_campaign", *campaign().labels, *(step.action for step in campaign().steps)})
    organisation = signed_in(client, ORGANISATION)
    shown = {row["code"] for row in organisation.get("/filing-kinds").json["items"]}  # type: ignore[index]
    assert shown == {"invented", "invented_campaign"}
    refused = opened(organisation, "data_declaration")
    assert refused.status_code == 403, refused.get_data(as_text=True)
    for method, rule, view in routes(application):
        gate = view._gate
        if gate.public or not gate.verbs or gate.by_query or gate.in_system:
            continue
        path = filled(rule).removeprefix("/api/v1")
        answer = organisation.call(method, path, **({"json": {}} if method in ("PUT", "POST") else {}))
        assert code_of(answer) == (403, "forbidden"), f"{method} {rule}"


def test_a_strangers_code_shows_and_opens_nothing_until_the_organisation_consents(
    client: FlaskClient, database: Database, parties: Parties
) -> None:
    own = {row["id"] for row in parties.enterprise.get("/filings").json["items"]}  # type: ignore[index]
    todos = parties.enterprise.get("/todos").json["total"]  # type: ignore[index]
    stranger = signed_in(client, ORGANISATION, {**ACCOUNT, "username": "stranger_1"}, name="某某公司", code=WORKS)
    second = opened(stranger)
    assert (second.status_code, second.json["uscc"]) == (201, WORKS)
    assert len(listed(stranger)) == 2 and listed(stranger).isdisjoint(own)
    # The organisation has a registration to decide on, and neither filings nor to-dos of somebody who typed its code.
    assert listed(parties.enterprise) == own and parties.enterprise.get("/todos").json["total"] == todos  # type: ignore[index]
    (row,) = parties.enterprise.get("/registrations").json["items"]  # type: ignore[index]
    assert parties.enterprise.post(f"/registrations/{row['id']}/join", {}).status_code == 200
    assert listed(parties.enterprise) == own | listed(stranger) and second.json["id"] in listed(stranger)
    # What the organisation has in other systems stays closed to the account.
    assert all(one["kind"] == "invented" for one in stranger.get("/filings").json["items"])  # type: ignore[index]
    with database.read() as session:
        found = [*history.verify(session), *integrity.verify(session), *accounts_integrity.verify(session)]
        kinds = {"invented": invented()}
        assert [*found, *filings_integrity.verify_filings(session, kinds)] == []


def test_the_query_code_still_reaches_the_one_filing_beside_the_account(client: FlaskClient) -> None:
    answer = register(client, PERSON, id=new_id(), account=ACCOUNT, **ZHANG).json
    assert answer is not None
    again = query(client, answer["query_code"], name="张三丰", code=ID_NUMBER).json
    assert again is not None
    by_code = Person("guest", client, again["token"])
    assert by_code.get(f"/filings/{answer['filing_id']}").status_code == 200
    assert by_code.get("/filings").status_code == 403


@pytest.mark.parametrize(
    ("account", "path", "code"),
    [
        ({**ACCOUNT, "username": WORKS}, "/account/username", "enterprise_name"),
        ({**ACCOUNT, "username": "reg-0001"}, "/account/username", "enterprise_name"),
        ({**ACCOUNT, "password": "12345678"}, "/account/password", "weak_password"),
    ],
)
def test_names_of_enterprises_and_weak_passwords_are_refused(
    client: FlaskClient, account: dict[str, str], path: str, code: str
) -> None:
    refused = register(client, PERSON, account=account, **ZHANG)
    assert refused.status_code == 422 and refused.json is not None
    assert [(fault["path"], fault["code"]) for fault in refused.json["errors"]] == [(path, code)]


def test_a_name_that_somebody_has_registers_nothing(client: FlaskClient, database: Database) -> None:
    signed_in(client, **ZHANG)
    refused = register(client, PERSON, id=new_id(), account=ACCOUNT, **ZHANG)
    assert code_of(refused) == (409, "username_taken")
    with database.read() as session:
        assert list(history.verify(session)) == [] == list(integrity.verify(session))


def test_the_bureau_disables_such_an_account(client: FlaskClient, parties: Parties) -> None:
    signed_in(client, **ZHANG)
    (user,) = parties.reviewer.get(f"/users?q={NAME}").json["items"]  # type: ignore[index]
    disabled = parties.reviewer.post(f"/users/{user['id']}/disable", {"reason": "冒用他人身份"})
    assert disabled.status_code == 200, disabled.get_data(as_text=True)
    assert try_sign_in(client, NAME, PASSWORD).status_code == 403


def test_rights_that_were_widened_in_the_table_are_named(client: FlaskClient, database: Database) -> None:
    signed_in(client, **ZHANG)
    with database.write() as session:
        session.execute(update(User).where(User.username == NAME).values(system=None))
    with database.read() as session:
        (found,) = accounts_integrity.verify(session)
        assert found.reason == "its roles, office or password were changed"
