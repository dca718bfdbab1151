"""A file is for whoever may read the record that claims it: registry of subjects × roles × near and foreign regions."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from apiflask import APIFlask
from pydantic import SecretStr
from sqlalchemy import select, update

from accounts.models import AccountApplication, User
from accounts.verbs import Role
from app import create_app
from assets.files.models import File
from cli.preparation import prepare
from core import privacy
from core.config import Settings
from core.db import Base, Database
from enterprise.filings.models import Filing
from enterprise.production.models import Licence, SelfCheckTopic
from feedback.models import Rating, RatingCode
from inspection.dictionaries.models import DictionaryEntry
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.models import CorrectionRequest, Inspection
from miniapp_api.http.limits import limiter
from miniapp_api.http.wiring import KEY
from tests.conftest import DATA_KEY
from tests.newcomers import make_users
from tests.people import PASSWORD, Person

NEAR, FOREIGN = "320400", "330100"
POSTS = [role for role in Role if role is not Role.ENTERPRISE]
"""An enterprise has no office; what it reads is tested with its filings and ratings."""

INSPECTORS = {Role.INSPECTOR, Role.DICTIONARY_KEEPER, Role.INSPECTION_APPROVER}
RATING_STAFF = {Role.RATING_OFFICER, Role.RATING_HANDLER, Role.RATING_SUPERVISOR}
READERS: dict[str, tuple[type[Base], set[Role]]] = {
    "account_application": (AccountApplication, {Role.ACCOUNT_APPROVER}),
    "user": (User, {Role.ACCOUNT_APPROVER}),
    "inspection": (Inspection, INSPECTORS),
    "spot_check": (Inspection, INSPECTORS),
    "correction_request": (CorrectionRequest, INSPECTORS),
    "dictionary_entry": (DictionaryEntry, INSPECTORS),
    "rating": (Rating, RATING_STAFF),
    "rating_code": (RatingCode, RATING_STAFF),
    "licence": (Licence, {Role.LICENCE_REVIEWER, Role.INSPECTOR}),
    "self_check_topic": (SelfCheckTopic, {Role.LICENCE_REVIEWER}),
    "filing": (Filing, set()),  # an office fetches only what a filing sent: enterprise/filings/queries.py
}
"""By subject type: its table, and the roles that read such a record of their own region."""


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[APIFlask]:
    """With the demo, which has a subject of each type."""
    folder: Path = tmp_path_factory.mktemp("demo")
    settings = Settings(
        data_dir=folder, data_key=SecretStr(DATA_KEY), demo=True, log_level="ERROR",
        sign_in_limit="10000 per minute", application_limit="10000 per minute",
    )  # fmt: skip
    privacy.install(DATA_KEY)
    database = Database(settings.resolved_database_url)
    prepare(settings, database)
    make_users(database, {f"{role}_{code}": (code, role) for role in POSTS for code in (NEAR, FOREIGN)})
    database.dispose()
    application = create_app(settings)
    yield application
    application.extensions[KEY].database.dispose()


@pytest.fixture(scope="module")
def people(application: APIFlask) -> dict[tuple[Role, str], Person]:
    limiter.reset()
    found = {}
    for role in POSTS:
        for code in (NEAR, FOREIGN):
            client, username = application.test_client(), f"{role}_{code}"
            answer = client.post("/api/v1/sessions", json={"username": username, "password": PASSWORD})
            assert answer.json is not None
            found[role, code] = Person(username, client, answer.json["token"])
    item = {"name": "试制电缆", "regulation_type": "licence"}
    assert found[Role.INSPECTOR, NEAR].put(f"/products/06/items/{uuid4()}", item).status_code == 201
    return found


def one_of(database: Database, subject_type: str) -> UUID:
    """A subject that lies in `NEAR`, and is not a draft of somebody."""
    table = READERS[subject_type][0]
    wanted = select(table.id)  # type: ignore[attr-defined]
    if table is Inspection:
        record_type = {"inspection": CHECK, "spot_check": SPOT_CHECK}[subject_type]
        wanted = wanted.where(Inspection.record_type == record_type, Inspection.status == "submitted")
    if table is AccountApplication:
        wanted = wanted.where(AccountApplication.status == "pending")
    if table is User:
        wanted = wanted.where(User.username == "demo_tianning")
    if table is DictionaryEntry:
        wanted = wanted.where(DictionaryEntry.area1 != "")
    elif hasattr(table, "area2"):
        wanted = wanted.where(table.area2 == NEAR)
    with database.read() as session:
        return session.scalars(wanted.limit(1)).one()


def claim(database: Database, subject_type: str, subject_id: UUID) -> UUID:
    """Let the demo's one file be claimed by the subject."""
    with database.write() as session:
        session.execute(update(File).values(claimed_type=subject_type, claimed_id=subject_id, unclaimed_since=None))
        return session.scalars(select(File.id)).one()


def test_every_type_of_the_registry_is_tested(application: APIFlask) -> None:
    # The demo has none of these: `test_notices.py`, `test_registrations.py`, `test_enforcement_papers.py`,
    # `test_certificates.py`.
    elsewhere = {"notice", "registration", "enforcement_paper", "certificate"}
    assert set(application.extensions[KEY].filings.subjects.types()) == set(READERS) | elsewhere


@pytest.mark.parametrize("subject_type", READERS)
def test_a_file_is_found_by_roles_that_read_such_records_and_in_their_own_region(
    subject_type: str, application: APIFlask, people: dict[tuple[Role, str], Person]
) -> None:
    database = application.extensions[KEY].database
    file_id = claim(database, subject_type, one_of(database, subject_type))
    found = {
        (role, code) for (role, code), person in people.items() if person.get(f"/files/{file_id}").status_code == 200
    }
    assert found == {(role, NEAR) for role in READERS[subject_type][1]}
