"""On PostgreSQL: triggers refuse what is done by mistake, and a role without rights can only add to the history."""

import uuid
from collections.abc import Iterator
from uuid import UUID

import pytest
import sqlalchemy
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from accounts.models import User
from app import create_app
from core.config import Settings
from core.db import Database
from core.models import HistoryEntry, HistoryPayload
from core.workflows import erasure, history
from miniapp_api.http.wiring import KEY
from tests.command_line import Run, command_line
from tests.conftest import DATA_KEY, POSTGRES
from tests.people import PASSWORD, Person, new_id, production
from tests.tampering import rows_of

pytestmark = pytest.mark.skipif(not POSTGRES, reason="roles and triggers are PostgreSQL's")

REFUSED = [
    "UPDATE history SET action = action",
    "DELETE FROM history",
    "UPDATE history_payloads SET salt = salt",
    "DELETE FROM history_payloads",
    "UPDATE history_seals SET count = count",
    "DELETE FROM history_seals",
    "UPDATE sign_ins SET address = address",
    "UPDATE access_log SET address = address",
    "TRUNCATE access_log_subjects, access_log",
    "TRUNCATE history_payloads, history",
    "TRUNCATE history_seals",
    "TRUNCATE sign_ins",
]


@pytest.fixture
def dialect() -> str:
    return "postgresql"


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


@pytest.fixture
def as_server(settings: Settings, run: Run) -> Iterator[Settings]:
    """The settings of a server that connects as a role with the rights that `history grants` gives, and no others."""
    role = f"gongpin_test_{uuid.uuid4().hex[:12]}"
    owner = sqlalchemy.create_engine(settings.database_url, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text(f"CREATE ROLE {role} NOLOGIN"))
        connection.exec_driver_sql(run("history", "grants", role).stdout)
    limited = make_url(settings.database_url).update_query_dict({"options": f"-c role={role}"})
    url = limited.render_as_string(hide_password=False)
    yield settings.model_copy(update={"database_url": url, "data_key": SecretStr(DATA_KEY)})
    with owner.connect() as connection:
        connection.execute(text(f"DROP OWNED BY {role}"))
        connection.execute(text(f"DROP ROLE {role}"))
    owner.dispose()


@pytest.mark.parametrize("statement", REFUSED)
def test_the_owner_changes_nothing_by_mistake(database: Database, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="the history is only added to"), database.write() as session:
        session.execute(text(statement))


@pytest.mark.in_make_test
def test_a_role_without_rights_serves_seals_verifies_and_erases(as_server: Settings) -> None:
    application = create_app(as_server)
    database: Database = application.extensions[KEY].database
    try:
        inspector = signed_in(application.test_client())
        record_id = new_id()
        assert inspector.put(f"/inspections/{record_id}/submission", production()).status_code == 201
        corrected = production(org_name="改名有限公司", version=1, reason="名称有误")
        assert inspector.put(f"/inspections/{record_id}/correction", corrected).status_code == 200
        with command_line(as_server) as run:
            run("history", "seal")
            with database.write() as session:
                assert erasure.erase(session, UUID(record_id), [1], {"reason": "依申请删除"}) == 1
            run("history", "seal")
            assert "完整" in run("history", "verify").stdout
            run("users", "disable", "county_colleague", "--reason", "离职")
            run("prepare")
    finally:
        database.dispose()


def signed_in(client: FlaskClient) -> Person:
    answer = client.post("/api/v1/sessions", json={"username": "county_inspector", "password": PASSWORD})
    assert answer.status_code == 201 and answer.json is not None
    return Person("county_inspector", client, answer.json["token"])


@pytest.mark.parametrize("statement", REFUSED)
def test_such_a_role_can_do_nothing_to_the_history_whatever_it_sets(as_server: Settings, statement: str) -> None:
    database = Database(as_server.database_url)
    try:
        with database.write() as session:
            session.execute(text("SET LOCAL gongpin.history = 'maintenance'"))
            with pytest.raises(ProgrammingError, match="permission denied"):
                session.execute(text(statement))
            session.rollback()
    finally:
        database.dispose()


def test_such_a_role_erases_nothing_without_a_row_of_the_same_moment_that_says_so(as_server: Settings) -> None:
    database = Database(as_server.database_url)
    try:
        with database.write() as session:
            user_id = session.scalars(select(User.id).where(User.username == "county_inspector")).one()
            (first,) = rows_of(session, user_id)
            assert erasure.erase(session, user_id, [], {"reason": "没有删除什么"}) == 0
            another = session.scalars(
                select(HistoryEntry.id).where(HistoryEntry.subject_id != user_id).order_by(HistoryEntry.id)
            ).first()
        with database.write() as session:
            earlier = rows_of(session, user_id)[-1]
            assert earlier.action == history.ERASE
            call = text("SELECT history_erase(:erasure, ARRAY[CAST(:erased AS bigint)])")
            assert session.scalar(call, {"erasure": earlier.id, "erased": first.id}) == 0
        with database.write() as session:
            erasure.erase(session, user_id, [], {"reason": "没有删除什么"})
            newest = rows_of(session, user_id)[-1]
            assert session.scalar(call, {"erasure": newest.id, "erased": another}) == 0
        with database.read() as session:
            assert session.get(HistoryPayload, first.id) is not None
    finally:
        database.dispose()
