"""The demo: what it holds, that it holds together, and that it is loaded once."""

import json
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from pydantic import SecretStr
from sqlalchemy import func, select, text

from accounts.models import AccountApplication, Region, User
from accounts.sign_in import captchas
from accounts.sign_in.passwords import password_fault
from app import create_app
from assets.files.models import File
from cli.preparation import prepare
from core import clock, privacy
from core.config import Settings
from core.db import Base, Database
from core.errors import Problem
from core.identifiers import uscc_fault, uscc_warnings
from core.models import Todo
from core.workflows import history
from demo import loading
from demo.accounts import Account, accounts_file, read_accounts
from enterprise.filings.integrity import verify_filings
from enterprise.filings.models import Filing
from enterprise.models import Enterprise, EnterpriseProduct
from enterprise.production.models import Licence, SelfCheckTopic
from enterprise.systems import KINDS
from feedback import integrity as feedback_integrity
from feedback.models import Rating, RatingCode
from feedback.statistics import tallies as rating_tallies
from inspection import integrity as inspection_integrity
from inspection.models import CorrectionRequest, Inspection
from inspection.statistics import tallies
from miniapp_api.http.limits import limiter
from miniapp_api.http.wiring import KEY
from tests.conftest import DATA_KEY, DIALECTS
from tests.databases import copy_sqlite, postgres_database
from tests.people import Person

Load = Callable[[], bool]


def quiet(_part: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def made_ready(url: str, data_dir: Path, *, demo: bool) -> Settings:
    settings = Settings(
        data_dir=data_dir, database_url=url, data_key=SecretStr(DATA_KEY), demo=demo, log_level="ERROR",
        sign_in_limit="10000 per minute",
    )  # fmt: skip
    privacy.install(DATA_KEY)
    database = Database(url)
    prepare(settings, database)
    database.dispose()
    return settings


@pytest.fixture(
    scope="module",
    params=["sqlite", *(pytest.param(name, marks=pytest.mark.only_in_rounds) for name in DIALECTS[1:])],
)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An installation with the demo, as `make run` makes it. Tests only read it."""
    folder = tmp_path_factory.mktemp("demo")
    if request.param == "sqlite":
        yield made_ready(f"sqlite:///{folder / 'demo.sqlite3'}", folder, demo=True)
        return
    with postgres_database() as url:
        yield made_ready(url.render_as_string(hide_password=False), folder, demo=True)


@pytest.fixture
def demo(installed: Settings) -> Iterator[Database]:
    database = Database(installed.resolved_database_url)
    yield database
    database.dispose()


@pytest.fixture(scope="module")
def prepared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared SQLite file without the demo, to be copied."""
    folder = tmp_path_factory.mktemp("prepared")
    made_ready(f"sqlite:///{folder / 'prepared.sqlite3'}", folder, demo=False)
    return folder / "prepared.sqlite3"


@pytest.fixture
def fresh(prepared_file: Path, tmp_path: Path) -> Iterator[Database]:
    database = Database(copy_sqlite(prepared_file, tmp_path / "fresh.sqlite3"))
    yield database
    database.dispose()


def in_folder(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, data_key=SecretStr(DATA_KEY), demo=True)


def counts(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {
            name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in Base.metadata.tables
        }


# ---- what it holds


def test_every_county_of_the_province_has_enterprises_with_valid_codes(demo: Database) -> None:
    with demo.read() as session:
        enterprises = session.scalars(select(Enterprise)).all()
        counties = set(session.scalars(select(Region.code).where(Region.area1 == "320000", Region.level == "county")))
    assert len(enterprises) >= 2000
    assert {enterprise.region_code for enterprise in enterprises} == counties
    assert len(counties) == 95
    assert all(uscc_fault(e.uscc) is None and uscc_warnings(e.uscc) == [] for e in enterprises)
    assert len({enterprise.name for enterprise in enterprises}) == len(enterprises)


def test_every_name_shows_that_it_is_made_up(demo: Database) -> None:
    with demo.read() as session:
        for enterprise in session.scalars(select(Enterprise)):
            assert "某" in enterprise.name
            assert (enterprise.legal_representative or "").endswith("某某")
            assert "DEM" in enterprise.uscc
        assert all("某" in (name or "") for name in session.scalars(select(Inspection.org_name)))


def test_searches_find_several_products(demo: Database) -> None:
    with demo.read() as session:
        products = set(session.scalars(select(EnterpriseProduct.product_code).distinct()))
        several = session.scalar(
            select(func.count()).select_from(
                select(EnterpriseProduct.enterprise_id).group_by("enterprise_id").having(func.count() > 1).subquery()
            )
        )
    assert len(products) == 13
    assert several


def test_checks_of_every_outcome_are_spread_over_offices(demo: Database) -> None:
    with demo.read() as session:
        records = session.scalars(select(Inspection)).all()
    submitted = [record for record in records if record.status == "submitted"]
    checks = [record for record in submitted if record.record_type == "check"]
    spots = [record for record in submitted if record.record_type == "spot_check"]
    assert len(checks) >= 150 and len(spots) >= 30
    assert {c.kind for c in checks} == {"production", "sales"}
    assert {c.disposal_state for c in checks} == {"none", "in_progress", "done", "na"}
    assert any(c.unable for c in checks)
    assert {s.conclusion for s in spots} == {"pass", "fail", None}
    assert {c.level for c in checks} == {"province", "city", "county"}
    assert len({c.area2 for c in checks}) > 10
    assert len({c.area3 for c in checks if c.area2 == "320400"} - {None}) >= 6
    assert all(r.check_date and timedelta() <= clock.today() - r.check_date <= timedelta(days=60) for r in submitted)


def test_there_are_drafts_an_application_and_todos(demo: Database) -> None:
    with demo.read() as session:
        drafts = session.scalars(select(Inspection).where(Inspection.status == "draft")).all()
        assert [draft.username for draft in drafts] == ["demo_tianning"] * 2
        # A draft about an enterprise of another product is asked about at once.
        made_by = (
            select(EnterpriseProduct.product_code)
            .join(Enterprise)
            .where(Enterprise.uscc.in_([draft.uscc for draft in drafts]))
        )
        assert list(session.scalars(made_by)).count("06") == 2
        (application,) = session.scalars(select(AccountApplication)).all()
        assert (application.status, application.area2) == ("pending", "320400")
        kinds = set(session.scalars(select(Todo.kind).where(Todo.closed_at.is_(None))))
    assert kinds == {
        "disposal_in_progress", "inspection_refused", "spot_check_failed", "account_application_pending", "filing",
        "enforcement_approval", "rating_follow_up", "rating_review",
        "correction_returned", "correction_requested",
    }  # fmt: skip


def test_one_record_is_voided_one_returned_and_one_waits_for_its_correction(demo: Database) -> None:
    with demo.read() as session:
        (voided,) = session.scalars(select(Inspection).where(Inspection.status == "voided")).all()
        returned = session.scalars(select(Inspection).where(Inspection.status == "submitted")).all()
        (request,) = session.scalars(select(CorrectionRequest)).all()
        asked = session.get_one(Inspection, request.inspection_id)
    assert voided.voided and voided.voided["reason"].startswith("重复录入")
    (wrong,) = (record for record in returned if record.returned)
    assert (request.status, request.base_version, asked.status) == ("pending", asked.version, "submitted")
    assert len({voided.id, wrong.id, asked.id}) == 3
    assert {record.username for record in (voided, wrong, asked)} == {"demo_tianning"}


def test_there_are_ratings_with_follow_ups_in_several_states_and_codes_to_scan(demo: Database) -> None:
    with demo.read() as session:
        rated = session.scalars(select(Rating)).all()
        made = session.scalars(select(RatingCode)).all()
    assert len(rated) == 48
    assert {rating.level for rating in rated} == {1, 2, 3, 4, 5}
    states = sorted(rating.status for rating in rated if rating.level < 3)
    assert states == ["closed", "closed", "fed_back", "rectifying", "to_verify", "verified"]
    assert {rating.publicity for rating in rated} == {"shown", "pending"}
    assert {(code.kind, code.status) for code in made} == {
        ("per_visit", "active"), ("per_visit", "not_generated"), ("per_matter", "active"),
    }  # fmt: skip
    assert sum(code.ratings for code in made) == 48


def test_there_are_licences_with_declarations_a_rectification_and_a_topic(demo: Database) -> None:
    with demo.read() as session:
        licences = {licence.id: licence for licence in session.scalars(select(Licence))}
        filings = session.scalars(select(Filing)).all()
        (topic,) = session.scalars(select(SelfCheckTopic)).all()
        (template,) = session.scalars(select(File)).all()
    declarations = [filing for filing in filings if filing.kind == "data_declaration"]
    assert len(licences) == len(declarations) == 20
    assert {filing.subject_id for filing in declarations} == set(licences)
    assert sorted(filing.status for filing in declarations) == ["pending"] + ["update"] * 19
    (pending,) = (filing for filing in declarations if filing.status == "pending")
    assert (pending.sent, pending.area3) == (1, "320402")
    assert len([licence for licence in licences.values() if licence.uscc == pending.uscc]) == 2
    orders = {filing.status: filing for filing in filings if filing.kind == "rectification"}
    assert set(orders) == {"to_upload", "cancelled"}
    rectification = orders["to_upload"]
    assert rectification.uscc == pending.uscc
    assert rectification.due_on is not None and rectification.due_on > clock.today()
    assert (topic.active, topic.template_id, topic.area3) == (True, template.id, "320402")
    assert template.claimed_id == topic.id and template.unclaimed_since is None


def test_history_and_figures_hold(demo: Database) -> None:
    with demo.read() as session:
        assert list(history.verify(session)) == []
        assert list(inspection_integrity.verify(session)) == []
        assert list(verify_filings(session, {kind.code: kind for kind in KINDS})) == []
        assert list(feedback_integrity.verify(session)) == []
    with demo.write() as session:
        found = tallies.reconcile(session)
        rated = rating_tallies.reconcile(session)
        session.rollback()
    assert rated.wrong == 0
    assert (found.mended, found.added, found.emptied) == (0, 0, 0)


# ---- accounts


def test_the_accounts_file_is_for_its_owner_and_has_who_the_contract_asks_for(installed: Settings) -> None:
    path = accounts_file(installed.data_dir)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    accounts = json.loads(path.read_text())
    known = {"username", "password", "roles", "level", "region_code", "note"}
    assert all(set(account) == known for account in accounts if "uscc" not in account)
    places = {(account["level"], account["region_code"]) for account in accounts if "inspector" in account["roles"]}
    city = {code for level, code in places if level == "city"}
    counties = {code for level, code in places if level == "county"}
    assert ("province", "320000") in places and city == {"320400"}
    assert len({code for code in counties if code.startswith("3204")}) >= 2
    assert {code for code in counties if not code.startswith("3204")}
    (reviewer,) = (account for account in accounts if "licence_reviewer" in account["roles"])
    assert (reviewer["level"], reviewer["region_code"]) == ("county", "320402")
    for role in ("rating_officer", "rating_handler", "rating_supervisor"):
        (post,) = (account for account in accounts if role in account["roles"])
        assert (post["level"], post["region_code"]) == ("county", "320402")
    (owner,) = (account for account in accounts if "uscc" in account)
    assert set(owner) == {*known, "uscc"}
    assert (owner["username"], owner["roles"], owner["level"]) == (owner["uscc"], ["enterprise"], None)


def test_demo_users_sign_in_without_changing_their_password(installed: Settings) -> None:
    with signed_in(installed) as people:
        assert len(people) == 11
        for account, person in people:
            assert password_fault(account.password, account.username) is None
            me = person.get("/me").json
            assert me["must_change_password"] is False
            assert (me["level"], me["roles"]) == (account.level, account.roles)
            if "inspector" in account.roles:
                assert person.get("/inspections?status=submitted").json["total"] > 0


def test_the_enterprise_and_its_reviewer_find_something_to_do(installed: Settings) -> None:
    with signed_in(installed) as people:
        owner = next(person for account, person in people if account.uscc)
        reviewer = next(person for account, person in people if "licence_reviewer" in account.roles)
        assert owner.get("/licences").json["total"] == 2
        assert owner.get("/todos").json["items"][0]["colour"] == "yellow"
        listed = {row["kind"] + "/" + row["status"]: row for row in owner.get("/filings").json["items"]}
        assert set(listed) == {
            "data_declaration/pending", "data_declaration/update", "rectification/to_upload", "rectification/cancelled",
        }  # fmt: skip
        assert "withdraw" in listed["data_declaration/pending"]["actions"]
        (topic,) = owner.get("/self-check-topics").json["items"]
        template = owner.get(f"/files/{topic['template_file_id']}")
        assert template.status_code == 200 and template.data[:2] == b"PK"
        (pending,) = reviewer.get("/filings?kind=data_declaration&status=pending").json["items"]
        assert {"approve", "return"} <= set(pending["actions"])


@contextmanager
def signed_in(installed: Settings) -> Iterator[list[tuple[Account, Person]]]:
    """Everybody in the accounts file, signed in; an enterprise reads the captcha."""
    application = create_app(installed)
    limiter.reset()
    client = application.test_client()
    database: Database = application.extensions[KEY].database
    people = []
    for account in read_accounts(installed.data_dir):
        body = {"username": account.username, "password": account.password, "operator_name": "某人"}
        if account.uscc:
            with database.write() as session:
                captcha_id, text = captchas.issue(session)
            body |= {"captcha_id": str(captcha_id), "captcha": text}
        answer = client.post("/api/v1/sessions", json=body)
        assert answer.status_code == 201 and answer.json is not None
        people.append((account, Person(account.username, client, answer.json["token"])))
    yield people
    database.dispose()


def test_passwords_differ_between_installations(fresh: Database, tmp_path: Path, prepared_file: Path) -> None:
    other = Database(copy_sqlite(prepared_file, tmp_path / "other.sqlite3"))
    found = []
    for name, database in (("one", fresh), ("two", other)):
        (tmp_path / name).mkdir()
        loading.load(database, in_folder(tmp_path / name), quiet)
        found += [account.password for account in read_accounts(tmp_path / name)]
    other.dispose()
    assert len(set(found)) == len(found) == 22


# ---- once


def test_loading_again_changes_nothing(fresh: Database, tmp_path: Path) -> None:
    assert loading.load(fresh, in_folder(tmp_path), quiet) is True
    before, file = counts(fresh), accounts_file(tmp_path).read_bytes()
    assert loading.load(fresh, in_folder(tmp_path), quiet) is False
    assert counts(fresh) == before
    assert accounts_file(tmp_path).read_bytes() == file


@pytest.mark.parametrize(
    ("part", "done"),
    [
        pytest.param("演示账号", 0, marks=pytest.mark.only_in_rounds),
        ("演示账号", 1),
        pytest.param("企业名录", 500, marks=pytest.mark.only_in_rounds),
        ("检查与抽查记录", 60),
        pytest.param("检查与抽查记录", 188, marks=pytest.mark.only_in_rounds),
        pytest.param("许可证与申报", 0, marks=pytest.mark.only_in_rounds),
        ("许可证与申报", 20),
        pytest.param("好差评", 48, marks=pytest.mark.only_in_rounds),
    ],
)
def test_an_interrupted_load_is_taken_up_on_another_day_and_doubles_nothing(
    fresh: Database, tmp_path: Path, part: str, done: int
) -> None:
    reached = []

    def interrupt(now: str, number: int, _total: int) -> None:
        reached.append((now, number))
        if now == part and number >= done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loading.load(fresh, in_folder(tmp_path), interrupt)
    assert not loading.is_complete(fresh)
    known = {account.username: account.password for account in read_accounts(tmp_path)}
    with time_machine.travel(clock.now() + timedelta(days=1)):
        assert loading.load(fresh, in_folder(tmp_path), quiet) is True
    loaded = counts(fresh)
    assert (loaded["users"], loaded["enterprises"], loaded["inspections"]) == (26, 2280, 190)
    assert loaded["account_applications"] == 1
    assert (loaded["licences"], loaded["filings"], loaded["self_check_topics"], loaded["files"]) == (20, 22, 1, 1)
    assert (loaded["rating_codes"], loaded["ratings"], loaded["rating_follow_ups"]) == (5, 48, 6)
    assert known.items() <= {a.username: a.password for a in read_accounts(tmp_path)}.items()
    with fresh.read() as session:
        assert list(history.verify(session)) == []


def test_a_demo_of_an_earlier_version_stays_as_it_is(fresh: Database, tmp_path: Path) -> None:
    settings = in_folder(tmp_path)
    loading.load(fresh, settings, quiet)
    path = accounts_file(tmp_path)
    earlier = [account for account in json.loads(path.read_text()) if "inspector" in account["roles"]]
    path.write_text(json.dumps(earlier))
    before = counts(fresh)
    prepare(settings, fresh)
    assert counts(fresh) == before
    assert json.loads(path.read_text()) == earlier
    assert [account.username for account in read_accounts(tmp_path)] == [account["username"] for account in earlier]


def test_an_installation_in_earnest_use_gets_no_demo(database: Database, settings: Settings) -> None:
    prepare(settings.model_copy(update={"demo": False}), database)
    before = counts(database)
    with pytest.raises(Problem, match="正式用户"):
        loading.load(database, settings, quiet)
    prepare(settings, database)
    assert counts(database) == before
    assert not accounts_file(settings.data_dir).exists()


def test_nobody_but_the_listed_accounts_has_a_known_password(installed: Settings, demo: Database) -> None:
    listed = {account.username for account in read_accounts(installed.data_dir)}
    with demo.read() as session:
        others = session.scalars(select(User).where(User.username.not_in(listed))).all()
        applied = session.scalars(select(AccountApplication.password_hash)).one()
    assert all(re.fullmatch(r"demo_\d{6}", user.username) for user in others)
    assert len({user.password_hash for user in others}) == 1
    assert applied not in {user.password_hash for user in others}
