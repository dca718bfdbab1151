"""Preparing an installation: the schema, reference data, forms, the demo."""

import subprocess
import sys
from pathlib import Path

import click
from sqlalchemy import select

from accounts.demo_accounts import refuse_in_production
from accounts.models import Region
from accounts.regions.loading import area_rows, load_regions
from backups import before_upgrade
from backups.interrupted import refuse_to_open
from core.config import Settings, SettingsError
from core.database import migrate, preparing
from core.db import Base, Database
from core.forms.library import FormLibrary
from core.forms.publishing import publish_files
from core.keys import stored
from demo import loading
from demo.commands import show_progress
from inspection import campaigns
from inspection.dictionaries.seeds import load_seeds

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "cli" / "__main__.py"
FORM_FOLDERS = ("inspection/forms", "inspection/enforcement/forms", "enterprise/production/forms")
"""Folders with the forms that come with the product."""

OWN_FORMS = "forms"
"""Folder in `DATA_DIR` for forms of the installation, which are published at every start."""


def prepare(settings: Settings, database: Database, *, keep_a_copy: bool = False) -> None:
    """Migrate, load the data that comes with the product, publish forms, load the demo; prints what it did.

    A database with data is copied before its schema is changed, with `keep_a_copy` in any case. Running it again
    changes nothing and takes a few queries.
    """
    refuse_to_open(settings, database.engine)
    refuse_in_production(settings, database.engine)
    with preparing.one_at_a_time(database.engine, lambda: click.echo("另一个进程正在准备数据库，等待其完成")):
        migrate.refuse_other_tables(database.engine, newest=Base.metadata)
        current = migrate.is_current(database.engine)
        if keep_a_copy or not current:
            for line in before_upgrade.keep_a_copy(settings, database):
                click.echo(line)
        if not current:
            migrate.upgrade(database.engine)
            click.echo("数据库结构已升级")
        stored.open_keys(database.engine, settings.secret)
        _load_reference(database)
        for folder in FORM_FOLDERS:
            publish_forms(database, ROOT / folder)
        if settings.demo and not settings.production and not loading.is_complete(database):
            _load_demo(settings, database)
        publish_forms(database, settings.data_dir / OWN_FORMS)


def _load_reference(database: Database) -> None:
    with database.read() as session:
        empty = session.scalar(select(Region.code).limit(1)) is None
    with database.write() as session:
        # Only into an empty table, because an administrator may have changed regions later.
        if empty:
            counts = load_regions(session, area_rows())
            click.echo(f"行政区划已载入：{counts.created} 个")
        load_seeds(session)
        campaigns.load_standing(session)


def publish_forms(database: Database, folder: Path) -> None:
    """Publish the forms of a folder. A faulty form is reported but does not keep the server from starting."""
    for outcome in publish_files(FormLibrary(database), folder.glob("*.json")):
        if outcome.new:
            click.echo(f"表单已发布：{outcome.title}")
        for fault in outcome.faults:
            click.echo(f"表单未发布：{fault}", err=True)


def _load_demo(settings: Settings, database: Database) -> None:
    if loading.has_other_users(database):
        return
    click.echo("首次启动，正在装入演示数据：")
    loading.load(database, settings, show_progress)


def is_demo_due(settings: Settings, database: Database) -> bool:
    wanted = settings.demo and not settings.production
    return wanted and not (migrate.is_current(database.engine) and loading.is_complete(database))


def prepare_apart() -> None:
    """Prepare in a separate process, because the demo stores files.

    The storage library starts threads that do not survive a fork: after use in this process, its calls would hang
    in the workers that are forked from it. Raises `SettingsError` when the preparation failed.
    """
    sys.stdout.flush()
    if subprocess.run([sys.executable, str(PROGRAM), "prepare"], check=False).returncode != 0:  # noqa: S603
        raise SettingsError("未能准备就绪（原因见上），请处理后重新启动；DEMO=0 可不装入演示数据")
