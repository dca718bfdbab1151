"""The demo never meets production: a start refuses its accounts, and a command takes them out."""

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from accounts.models import User, UserSession
from accounts.verbs import Role
from app import create_app
from cli import preparation
from core.config import Settings, SettingsError
from core.db import Database
from demo.accounts import accounts_file
from inspection.models import Inspection
from tests.command_line import command_line
from tests.newcomers import make_user, try_sign_in
from tests.people import PASSWORD, Person
from tests.records import save

DEMO = ("demo_changzhou", "demo_tianning", "demo_zhonglou", "demo_xuanwu")


@pytest.fixture
def with_demo(settings: Settings, database: Database) -> Settings:
    """An installation on which the demo was tried, with users of its own besides."""
    for username in DEMO:
        make_user(database, "320402", username, Role.INSPECTOR)
    accounts_file(settings.data_dir).write_text("[]")
    return settings


def in_production(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "environment": "production", "metrics_token": SecretStr("m" * 40), "public_url": "https://example.gov.cn",
        }
    )  # fmt: skip


def test_a_production_start_refuses_living_demo_accounts_with_one_sentence(
    with_demo: Settings, database: Database
) -> None:
    production = in_production(with_demo)
    for start in (lambda: preparation.prepare(production, database), lambda: create_app(production)):
        with pytest.raises(SettingsError, match=r"demo_changzhou.*等 4 个.*demo remove") as refused:
            start()
        assert "\n" not in str(refused.value)
    preparation.prepare(with_demo.model_copy(update={"demo": False}), database)


def test_removing_the_demo_disables_its_accounts_and_lets_production_start(
    with_demo: Settings, database: Database
) -> None:
    client = create_app(with_demo).test_client()
    assert try_sign_in(client, "demo_tianning", PASSWORD).status_code == 201
    production = in_production(with_demo)
    with command_line(production) as run:
        assert "4 个" in run("demo", "remove").stdout
        assert "无变化" in run("demo", "remove").stdout
        assert "完整" in run("history", "verify").stdout
    assert not accounts_file(with_demo.data_dir).exists()
    assert try_sign_in(client, "demo_tianning", PASSWORD).status_code != 201
    with database.read() as session:
        statuses = session.scalars(select(User.status).where(User.username.in_(DEMO))).all()
        assert set(statuses) == {"disabled"} and _open_sessions(session) == 0
        assert session.scalar(select(User.status).where(User.username == "county_inspector")) == "active"
    preparation.prepare(production, database)
    create_app(production)


def _open_sessions(session: Session) -> int:
    open_ones = select(UserSession.id).join(User, User.id == UserSession.user_id)
    return len(session.scalars(open_ones.where(User.username.in_(DEMO), UserSession.ended_at.is_(None))).all())


def test_what_waits_for_a_demo_account_is_named_and_nothing_is_removed(
    with_demo: Settings, database: Database, county_inspector: Person
) -> None:
    draft = save(county_inspector)
    with database.write() as session:
        demo, real = (
            session.scalars(select(User.id).where(User.username == name)).one()
            for name in ("demo_tianning", "county_inspector")
        )
        session.execute(update(Inspection).values(created_by=demo, username="demo_tianning", begun_by=real))
    assert draft
    with command_line(with_demo) as run:
        said = run("demo", "remove", status=1).stderr
        assert "demo_tianning 接手的暂存记录 1 条" in said and "hand-over" in said
    with database.read() as session:
        assert set(session.scalars(select(User.status).where(User.username.in_(DEMO)))) == {"active"}
    assert accounts_file(with_demo.data_dir).exists()
