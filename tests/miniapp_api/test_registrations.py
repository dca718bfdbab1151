"""Registering without an account (自行登记): one filing by a query code, and nothing of anybody else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import Uuid, bindparam, event, select, text

from accounts.models import User
from core.db import Database
from core.models import Todo
from core.workflows import history
from enterprise import integrity as enterprise_integrity
from enterprise.filings.models import Filing
from enterprise.models import Enterprise
from enterprise.queries import by_uscc
from enterprise.registrations import integrity
from enterprise.registrations.declarations import BrokenRegistration, Registration, Registrations
from enterprise.registrations.models import Registered
from enterprise.registrations.registering import FREE
from miniapp_api.http.gates import gate_of
from miniapp_api.http.wiring import KEY
from tests import paperwork, registrants
from tests.mailbox import letters_to
from tests.miniapp_api.test_gates import filled, routes
from tests.newcomers import at_once, code_of, try_sign_in
from tests.parties import WORKS, Parties, act, prepare, upload
from tests.people import PASSWORD, Person, new_id
from tests.registrants import FORM_OF_AGENCY, ID_NUMBER, ORGANISATION, PERSON, UNKNOWN, guest, made, query, register

EMAIL = FORM_OF_AGENCY["email"]


@pytest.fixture(autouse=True)
def _declared(application: APIFlask) -> None:
    registrants.declare(application)


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return prepare(application, sign_in)


def test_whoever_registers_fills_and_sends_one_filing_and_reads_it_later_by_the_query_code(
    client: FlaskClient, parties: Parties
) -> None:
    offers = client.get(f"/api/v1/registrations/{ORGANISATION}").json
    assert offers is not None and [one["kind"] for one in offers["items"]] == ["invented"]
    new = made(client)
    person = guest(client, new)
    filing = person.get(f"/filings/{new['filing_id']}").json
    assert filing is not None and filing["status"] == "draft"
    saved = person.put(f"/filings/{filing['id']}", {"data": {"wish": "备案"}, "version": filing["version"]})
    assert saved.status_code == 200
    file_id = upload(person, paperwork.pdf(new_id()), "材料.pdf", "declaration_attachment")
    body = {"documents": [{"category": "plan", "file_id": file_id}], "version": saved.json["version"]}  # type: ignore[index]
    saved = person.put(f"/filings/{filing['id']}", body)
    assert saved.status_code == 200, saved.get_data(as_text=True)
    assert person.get(f"/files/{file_id}").status_code == 200
    assert act(person, saved.json, "submit").status_code == 200  # type: ignore[arg-type]
    later = query(client, new["query_code"].lower().replace("-", " "))
    assert later.status_code == 201 and later.json["filing_id"] == new["filing_id"]  # type: ignore[index]
    again = Person("guest", client, later.json["token"])  # type: ignore[index]
    assert again.get(f"/filings/{filing['id']}").json["status"] == "first"  # type: ignore[index]
    assert [row["action"] for row in again.get(f"/filings/{filing['id']}/history").json["items"]] == ["open", "submit"]  # type: ignore[index]
    seen = parties.reviewer.get(f"/filings/{filing['id']}")
    assert seen.status_code == 200 and seen.json["uscc"] == UNKNOWN  # type: ignore[index]
    assert person.delete("/sessions/current").status_code == 200
    assert person.get(f"/filings/{filing['id']}").status_code == 401


def test_the_token_reaches_its_one_filing_by_these_routes_and_no_other(
    application: APIFlask, client: FlaskClient
) -> None:
    person = guest(client, made(client))
    other = made(client, name="另一评价有限公司", code=WORKS)
    open_to_it, closed = set(), 0
    for method, rule, view in routes(application):
        gate = gate_of(view)
        if gate is None or gate.public:
            continue
        if gate.by_query:
            open_to_it.add(f"{method} {rule.removeprefix('/api/v1')}")
            continue
        path = filled(rule, filing_id=other["filing_id"]).removeprefix("/api/v1")
        answer = person.call(method, path, **({"json": {}} if method in ("PUT", "POST") else {}))
        closed += 1
        assert code_of(answer) == (403, "forbidden"), f"{method} {rule}"
    assert closed > 80
    assert open_to_it == {
        "GET /filing-kinds/<string:kind>", "GET /filings/<uuid:filing_id>", "PUT /filings/<uuid:filing_id>",
        "POST /filings/<uuid:filing_id>/actions/<string:action>", "GET /filings/<uuid:filing_id>/check",
        "GET /filings/<uuid:filing_id>/receipt", "GET /filings/<uuid:filing_id>/versions",
        "GET /filings/<uuid:filing_id>/history", "GET /filings/<uuid:filing_id>/rows/<string:group>.xlsx",
        "POST /filings/<uuid:filing_id>/rows/<string:group>", "GET /filings/<uuid:filing_id>/rows/<string:group>",
        "GET /filings/<uuid:filing_id>/record.pdf", "GET /filings/<uuid:filing_id>/record.docx",
        "POST /files", "GET /files/<uuid:file_id>",
        "GET /files/<uuid:file_id>/details", "GET /files/<uuid:file_id>/thumbnail", "GET /files/<uuid:file_id>/preview",
        "DELETE /sessions/current",
        # Words that forms choose from, of nobody.
        "GET /catalogues/<string:catalogue>", "GET /catalogues/<string:catalogue>/entries",
        "GET /catalogues/<string:catalogue>/rows",
    }  # fmt: skip


def test_with_the_token_of_one_filing_another_is_not_there_and_none_is_opened(
    client: FlaskClient, database: Database, parties: Parties
) -> None:
    new, other = made(client), made(client, name="另一评价有限公司", code=WORKS)
    person = guest(client, new)
    theirs = parties.enterprise.get("/filings").json["items"][0]["id"]  # type: ignore[index]
    for filing_id in (other["filing_id"], theirs, new_id()):
        for method, path, body in (
            ("GET", "", None), ("GET", "/history", None), ("GET", "/versions", None), ("GET", "/check", None),
            ("PUT", "", {"kind": "data_declaration", "data": {}}), ("PUT", "", {"kind": "invented", "data": {}}),
            ("POST", "/actions/submit", {"version": 1}),
        ):  # fmt: skip
            answer = person.call(method, f"/filings/{filing_id}{path}", **({} if body is None else {"json": body}))
            assert code_of(answer) == (404, "not_found"), f"{method} {path}"
    stranger = guest(client, other)
    file_id = upload(stranger, paperwork.pdf(new_id()), "材料.pdf", "declaration_attachment")
    filing = stranger.get(f"/filings/{other['filing_id']}").json
    body = {"documents": [{"category": "plan", "file_id": file_id}], "version": filing["version"]}  # type: ignore[index]
    assert person.get(f"/files/{file_id}").status_code == 404
    assert stranger.put(f"/filings/{other['filing_id']}", body).status_code == 200
    assert person.get(f"/files/{file_id}").status_code == 404
    taken = person.put(f"/filings/{new['filing_id']}", {**body, "version": 1})
    assert code_of(taken) == (422, "invalid")


def test_typing_the_code_of_a_known_organisation_shows_and_opens_nothing_of_it(
    client: FlaskClient, database: Database, parties: Parties
) -> None:
    statements: list[str] = []
    event.listen(
        database.engine, "before_cursor_execute",
        lambda _c, _cursor, statement, *_more: statements.append(" ".join(statement.split()[:4])),
    )  # fmt: skip

    def seen(code: str) -> tuple[Any, list[str]]:
        statements.clear()
        answer = register(client, code=code, id=new_id())
        assert answer.json is not None
        return (answer.status_code, sorted(answer.json)), list(statements)

    seen(UNKNOWN)  # reads the form for the first time
    assert seen(UNKNOWN) == seen(WORKS) == seen(UNKNOWN)
    before = parties.enterprise.get("/filings").json
    person = guest(client, made(client, code=WORKS))
    assert before["total"] == parties.enterprise.get("/filings").json["total"]  # type: ignore[index]
    assert code_of(person.get("/filings")) == (403, "forbidden")
    assert code_of(person.get(f"/enterprises/{WORKS}")) == (403, "forbidden")
    assert "常州某某电缆" not in person.get(f"/filings/{made(client, code=WORKS)['filing_id']}").get_data(as_text=True)


def test_what_registered_itself_is_no_enterprise_of_the_register(
    client: FlaskClient, database: Database, parties: Parties
) -> None:
    made(client)
    assert parties.reviewer.get("/enterprises?q=评价有限").json["total"] == 0  # type: ignore[index]
    assert FORM_OF_AGENCY["name"] not in parties.reviewer.get("/enterprises").get_data(as_text=True)
    assert parties.reviewer.get(f"/enterprises/{UNKNOWN}").status_code == 404
    with database.read() as session:
        assert by_uscc(session, UNKNOWN) is None
        hidden = session.scalars(select(Enterprise).where(Enterprise.source == "registration")).one()
        assert by_uscc(session, hidden.uscc) is None


def test_nobody_signs_in_as_a_registrant_nor_manages_its_user(
    client: FlaskClient, database: Database, parties: Parties, city_reviewer: Person
) -> None:
    new = made(client)
    name = f"reg-{UUID(new['id']).hex}"
    for password in ("!", "", PASSWORD, new["query_code"]):
        assert try_sign_in(client, name, password).status_code in (401, 422)
    with database.read() as session:
        user_id = session.scalars(select(User.id).where(User.username == name)).one()
    for person in (parties.reviewer, city_reviewer):
        assert name not in person.get("/users").get_data(as_text=True)
        assert code_of(person.post(f"/users/{user_id}/reset-password", {})) == (404, "not_found")
        assert code_of(person.post(f"/users/{user_id}/disable", {"reason": "x"})) == (404, "not_found")


@pytest.mark.parametrize(
    "changes", [{"name": "别的名称"}, {"code": WORKS}, {"query_code": "2222-2222-2222-2222"}, {"query_code": "x"}]
)
def test_whatever_does_not_fit_is_answered_alike(client: FlaskClient, changes: dict[str, str]) -> None:
    new = made(client)
    refused = query(client, **{"query_code": new["query_code"], **changes})
    assert code_of(refused) == (401, "query_failed")
    assert refused.json["title"] == query(client, "3333-3333-3333-3333").json["title"]  # type: ignore[index]


def test_a_line_tries_ten_wrong_codes_in_a_quarter_of_an_hour(client: FlaskClient, clock: Any) -> None:
    new = made(client)
    answers = [query(client, f"WRONG{number}") for number in range(11)]
    assert [answer.status_code for answer in answers] == [*[401] * 10, 429]
    assert query(client, new["query_code"]).status_code == 201  # a shared address keeps no right code out
    clock.shift(timedelta(minutes=15))
    assert query(client, "WRONG").status_code == 401


def test_a_person_registers_by_the_resident_id_and_is_named_by_the_surname_alone(
    client: FlaskClient, database: Database, parties: Parties
) -> None:
    person = {"name": "张三丰", "code": ID_NUMBER, "email": None}
    new = made(client, system=PERSON, **person)
    assert code_of(register(client, PERSON, **{**person, "code": "110101199003070012"})) == (422, "invalid")
    signed_in = query(client, new["query_code"], name="张三丰", code=ID_NUMBER)
    assert signed_in.status_code == 201
    with database.read() as session:
        rows = session.execute(text("SELECT name, id_number, mobile FROM registrations")).all()
        assert all(value.startswith("enc2:") for row in rows for value in row)
        assert session.scalars(select(Filing.org_name).where(Filing.id == UUID(new["filing_id"]))).one() == "张**"
    listed = parties.reviewer.get(f"/registrations?system={PERSON}").json["items"]  # type: ignore[index]
    assert [(one["code"], one["mobile"]) for one in listed] == [("110101********0011", "138****0021")]


def test_a_lost_answer_is_asked_for_again_within_ten_minutes(
    client: FlaskClient, clock: time_machine.Traveller, database: Database
) -> None:
    registration_id = new_id()
    first = register(client, id=registration_id).json
    clock.shift(timedelta(minutes=10) - timedelta(seconds=1))
    again = register(client, id=registration_id).json
    assert first is not None and again is not None
    assert (first["query_code"], first["filing_id"]) == (again["query_code"], again["filing_id"])
    clock.shift(2)
    assert code_of(register(client, id=registration_id)) == (409, "id_taken")
    assert code_of(register(client, id=registration_id, name="别的名称")) == (409, "id_taken")
    with database.read() as session:
        assert len(session.scalars(select(Registered.id)).all()) == 1


def test_of_eight_at_one_moment_one_registration_is_made(application: APIFlask, database: Database) -> None:
    registration_id = new_id()
    answers = at_once(*(lambda: register(application.test_client(), id=registration_id) for _ in range(8)))
    assert {(answer.status_code, answer.json["query_code"]) for answer in answers} == {
        (201, answers[0].json["query_code"])
    }
    with database.read() as session:
        assert len(session.scalars(select(Filing.id).where(Filing.kind == "invented")).all()) == 1


def test_a_lost_code_goes_to_the_registered_address_and_the_former_one_works_until_it_was_used(
    client: FlaskClient, database: Database, clock: time_machine.Traveller
) -> None:
    new = made(client)
    path = f"/api/v1/registrations/{ORGANISATION}/lost-codes"
    asked = {"name": FORM_OF_AGENCY["name"], "code": UNKNOWN, "email": EMAIL}

    def mailed() -> str:
        return letters_to(database, EMAIL)[-1].split("新的查询码：")[1][:19]

    answers = [client.post(path, json=body) for body in (asked, {**asked, "email": "stranger@example.cn"})]
    assert [(answer.status_code, answer.json) for answer in answers] == [(202, {"sends_mail": False})] * 2
    assert len(letters_to(database, EMAIL)) == 1 and letters_to(database, "stranger@example.cn") == []
    clock.shift(timedelta(days=1) - timedelta(seconds=1))
    assert query(client, new["query_code"]).status_code == 201
    clock.shift(1)
    assert query(client, mailed()).status_code == 401  # a day is over
    client.post(path, json=asked)
    assert query(client, mailed()).status_code == 201
    assert query(client, new["query_code"]).status_code == 401
    assert query(client, mailed()).status_code == 201
    with database.read() as session:
        assert list(history.verify(session)) == [] == list(integrity.verify(session))


def test_a_mailed_code_put_into_the_row_of_another_registrant_opens_nothing(
    client: FlaskClient, database: Database
) -> None:
    made(client)
    other = made(client, name="另一评价有限公司", code=WORKS)
    path = f"/api/v1/registrations/{ORGANISATION}/lost-codes"
    client.post(path, json={"name": FORM_OF_AGENCY["name"], "code": UNKNOWN, "email": EMAIL})
    mailed = letters_to(database, EMAIL)[-1].split("新的查询码：")[1][:19]
    with database.write() as session:
        mailed_to = text("SELECT spare_code_hash, spare_until FROM registrations WHERE spare_code_hash IS NOT NULL")
        spare = session.execute(mailed_to).one()
        session.execute(text("UPDATE registrations SET spare_code_hash = NULL"))
        changed = {"hash": spare[0], "until": spare[1], "id": UUID(other["id"])}
        moving = text("UPDATE registrations SET spare_code_hash = :hash, spare_until = :until WHERE id = :id")
        session.execute(moving.bindparams(bindparam("id", type_=Uuid)), changed)
    assert query(client, mailed, name="另一评价有限公司", code=WORKS).status_code == 401


def test_whoever_asks_for_a_lost_code_learns_nothing(client: FlaskClient, database: Database) -> None:
    made(client)
    statements: list[str] = []
    event.listen(
        database.engine, "before_cursor_execute",
        lambda _c, _cursor, statement, *_more: statements.append(" ".join(statement.split()[:4])),
    )  # fmt: skip

    def seen(**changes: str) -> tuple[int, Any, list[str]]:
        statements.clear()
        asked = {"name": FORM_OF_AGENCY["name"], "code": UNKNOWN, "email": EMAIL, **changes}
        answer = client.post(f"/api/v1/registrations/{ORGANISATION}/lost-codes", json=asked)
        return answer.status_code, answer.json, list(statements)

    theirs = seen()
    for changes in ({"code": WORKS}, {"name": "别的名称"}, {"email": "a@example.cn"}, {"code": ID_NUMBER}):
        assert seen(**changes) == theirs


def test_a_query_code_that_was_led_elsewhere_in_the_table_is_named(
    client: FlaskClient, database: Database, parties: Parties
) -> None:
    first, second = made(client), made(client, name="另一评价有限公司", code=WORKS)
    path = f"/api/v1/registrations/{ORGANISATION}/lost-codes"
    client.post(path, json={"name": FORM_OF_AGENCY["name"], "code": UNKNOWN, "email": EMAIL})
    mailed = letters_to(database, EMAIL)[-1].split("新的查询码：")[1][:19]
    assert query(client, mailed).status_code == 201  # a mailed code is a step of its own
    parties.enterprise.post(f"/registrations/{second['id']}/join", {})

    def found() -> list[str]:
        with database.read() as session:
            return [one.reason for one in (*integrity.verify(session), *enterprise_integrity.verify(session))]

    assert found() == []
    works = f"(SELECT id FROM enterprises WHERE uscc = '{WORKS}')"
    office = "(SELECT office_id FROM users WHERE username LIKE 'reg-%' ORDER BY created_at LIMIT 1)"
    for table, column, value in (
        ("registrations", "query_code_hash", "'0'"), ("registrations", "applicant_id", works),
        ("registrations", "status", "'apart'"), ("offices", "level", "'national'"),
    ):  # fmt: skip
        key = "id" if table == "registrations" else f"id = {office} AND id"
        with database.write() as session:
            rows = session.execute(text(f"SELECT id, {column} FROM {table} WHERE {key} IS NOT NULL")).all()
            chosen = rows[-1]
            session.execute(text(f"UPDATE {table} SET {column} = {value} WHERE id = :id"), {"id": chosen[0]})
        assert len(found()) == 1, column
        with database.write() as session:
            session.execute(
                text(f"UPDATE {table} SET {column} = :old WHERE id = :id"), {"old": chosen[1], "id": chosen[0]}
            )
        assert found() == []
    assert first["id"] != second["id"]


class TestConsent:
    """A known organisation takes over what was registered with its code, by its own or its bureau's consent."""

    def test_its_own_user_takes_it_over_and_whoever_registered_reaches_that_filing_alone(
        self, client: FlaskClient, parties: Parties, database: Database
    ) -> None:
        new = made(client, code=WORKS)
        listed = parties.enterprise.get("/registrations").json["items"]  # type: ignore[index]
        assert [(one["id"], one["actions"]) for one in listed] == [(new["id"], ["join", "keep_apart"])]
        before = parties.enterprise.get("/filings").json["total"]  # type: ignore[index]
        joined = parties.enterprise.post(f"/registrations/{new['id']}/join", {})
        assert joined.status_code == 200 and joined.json["status"] == "joined"
        assert parties.enterprise.post(f"/registrations/{new['id']}/join", {}).status_code == 200
        assert parties.enterprise.get("/filings").json["total"] == before + 1  # type: ignore[index]
        person = guest(client, new)
        assert person.get(f"/filings/{new['filing_id']}").status_code == 200
        theirs = next(
            one["id"]
            for one in parties.enterprise.get("/filings").json["items"]
            if one["id"] != new["filing_id"]  # type: ignore[index]
        )
        assert person.get(f"/filings/{theirs}").status_code == 404
        assert code_of(person.get("/filings")) == (403, "forbidden")
        file_id = upload(parties.enterprise, paperwork.pdf(new_id()), "材料.pdf", "declaration_attachment")
        assert person.get(f"/files/{file_id}").status_code == 404
        with database.read() as session:
            assert list(history.verify(session)) == []
            rows = history.read(session, UUID(new["filing_id"]))
            assert rows[-1]["action"] == "join_applicant"

    def test_its_bureau_may_and_another_bureau_and_another_enterprise_may_not(
        self, client: FlaskClient, parties: Parties
    ) -> None:
        new = made(client, code=WORKS, region_code="320102")  # typed in another city
        path = f"/registrations/{new['id']}"
        far = parties.far_reviewer.get("/registrations").json["items"]  # type: ignore[index]
        assert [(one["id"], one["actions"]) for one in far] == [(new["id"], ["keep_apart"])]
        assert code_of(parties.far_reviewer.post(f"{path}/join", {})) == (403, "forbidden")
        assert parties.other_enterprise.get("/registrations").json["total"] == 0  # type: ignore[index]
        assert code_of(parties.other_enterprise.post(f"{path}/join", {})) == (404, "not_found")
        assert parties.reviewer.post(f"{path}/join", {}).status_code == 200

    def test_what_is_left_apart_carries_the_reason_and_the_first_decision_wins(
        self, client: FlaskClient, parties: Parties, database: Database
    ) -> None:
        new = made(client, code=WORKS)
        path = f"/registrations/{new['id']}"
        with database.read() as session:
            open_todos = select(Todo.title).where(Todo.subject_id == UUID(new["id"]), Todo.closed_at.is_(None))
            assert len(session.scalars(open_todos).all()) == 1
        assert code_of(parties.reviewer.post(f"{path}/keep-apart", {})) == (422, "invalid")
        kept = parties.reviewer.post(f"{path}/keep-apart", {"opinion": "不是本单位人员"})
        assert kept.status_code == 200 and kept.json["actions"] == ["join"]
        assert code_of(parties.enterprise.post(f"{path}/keep-apart", {"opinion": "x"})) == (409, "wrong_status")
        with database.read() as session:
            assert session.scalars(open_todos).all() == []
        assert new["filing_id"] not in parties.enterprise.get("/filings").get_data(as_text=True)

    def test_an_organisation_that_nobody_knows_cannot_be_joined(self, client: FlaskClient, parties: Parties) -> None:
        new = made(client)
        listed = parties.reviewer.get("/registrations?status=new").json["items"]  # type: ignore[index]
        assert [(one["known_as"], one["actions"]) for one in listed] == [(None, ["keep_apart"])]
        assert code_of(parties.reviewer.post(f"/registrations/{new['id']}/join", {})) == (409, "not_known")

    def test_a_registrant_decides_about_nothing(self, client: FlaskClient, parties: Parties) -> None:
        new = made(client, code=WORKS)
        person = guest(client, new)
        assert code_of(person.get("/registrations")) == (403, "forbidden")
        assert code_of(person.post(f"/registrations/{new['id']}/join", {})) == (403, "forbidden")


def test_all_faults_come_at_once_and_a_system_that_takes_nobody_is_not_there(client: FlaskClient) -> None:
    faulty = register(client, name="！！", code="1", mobile="1", email="x", region_code="999999")
    assert {fault["path"] for fault in faulty.json["errors"]} == {  # type: ignore[index]
        "/name", "/code", "/mobile", "/email", "/region_code"
    }  # fmt: skip
    assert code_of(register(client, "production")) == (404, "not_found")
    assert client.get("/api/v1/registrations/production").status_code == 404
    assert code_of(register(client, kind="data_declaration")) == (404, "not_found")


def test_a_line_that_registers_often_has_to_be_a_person(client: FlaskClient) -> None:
    answers = [register(client, address="203.0.113.9") for _ in range(FREE + 1)]
    assert [answer.status_code for answer in answers] == [*[201] * FREE, 403]
    assert code_of(answers[-1]) == (403, "captcha_required")
    assert register(client, address="203.0.113.10").status_code == 201


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_declaration_that_cannot_work_is_refused_with_its_name(application: APIFlask) -> None:
    kinds = application.extensions[KEY].filings.kinds
    with pytest.raises(BrokenRegistration, match="x/no_kind"):
        Registrations([Registration("x", "no_kind", "某", "person")], kinds)
    with pytest.raises(BrokenRegistration, match="x/rectification: its applicant opens none"):
        Registrations([Registration("x", "rectification", "某", "organisation")], kinds)
    twice = Registration("x", "invented", "某", "person")
    with pytest.raises(BrokenRegistration, match="twice"):
        Registrations([twice, twice], kinds)
