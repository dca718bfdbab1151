"""The command line: the groups of commands of all rooms. `./manage` runs it through `__main__.py`."""

import importlib
import os
import sys
import tomllib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from core.config import Settings
    from core.db import Database
    from core.workflows.events import Events


class Group(NamedTuple):
    """A group of commands: its module, its name in the module, and its line in `--help`."""

    module: str
    name: str
    summary: str


GROUPS = {
    "users": Group(
        "accounts.administration.user_commands",
        "users",
        "Users: create, list, move, hand over, disable, reset a password.",
    ),
    "offices": Group(
        "accounts.administration.office_commands", "offices_group", "Offices (机关): where users hold their roles."
    ),
    "regions": Group(
        "accounts.regions.commands",
        "regions_group",
        "Regions (行政区划) and their reorganisations (区划调整).",
    ),
    "help": Group(
        "accounts.support.commands", "help_group", "Support groups (技术支持群) of provinces, shown under 使用帮助."
    ),
    "enterprises": Group("enterprise.commands", "enterprises", "The register of enterprises."),
    "catalogues": Group(
        "enterprise.catalogues.commands",
        "catalogues",
        "Catalogues that forms search: HS codes, product features, indicators.",
    ),
    "licences": Group("enterprise.production.commands", "licences", "The register of production licences."),
    "filings": Group("enterprise.filing_commands", "filings", "Filings of enterprises."),
    "files": Group("assets.files.commands", "files", "Uploaded files."),
    "forms": Group("cli.forms", "forms", "Forms: publish, import from and export to Excel, list."),
    "papers": Group(
        "cli.papers", "papers", "Templates of papers (文书模板): list, copy to change, check the own ones."
    ),
    "dictionaries": Group(
        "inspection.dictionaries.commands", "dictionaries", "Dictionaries of product items and test items."
    ),
    "tallies": Group(
        "inspection.commands", "tallies_group", "The kept figures (台账) that statistics and searches read."
    ),
    "inspections": Group("inspection.commands", "inspections_group", "Checks (检查) and spot checks."),
    "spot-checks": Group("inspection.commands", "spot_checks_group", "Spot checks (监督抽查)."),
    "history": Group(
        "cli.history",
        "history_group",
        "The history (操作记录) of records, filings, ratings, codes, users, applications, reorganisations, words.",
    ),
    "ratings": Group("feedback.commands", "ratings", "Ratings (好差评): figures and codes."),
    "idempotency-keys": Group(
        "core.commands", "idempotency_keys_group", "The keys by which writes that are sent again are recognised."
    ),
    "openapi": Group("cli.openapi", "openapi", "Print the OpenAPI document; needs no server, database or settings."),
    "calendar": Group("cli.calendar", "calendar", "The working calendar (工作日历)."),
    "outages": Group("cli.outages", "outages_group", "Outages (系统故障), which move deadlines."),
    "deliveries": Group("core.deliveries.commands", "deliveries_group", "Messages (投递) to the outside world."),
    "persons": Group("cli.persons", "persons_group", "What is held of a person (个人信息): export, erase, receipts."),
    "keys": Group("cli.keys", "keys_group", "The keys (密钥) of the installation."),
    "backup": Group("backups.commands", "backup", "Backups (备份) of database, uploaded files and keys together."),
    "restore": Group("backups.commands", "restore", "Restore a backup into an empty place."),
    "database": Group("core.commands", "database", "The schema of the database."),
    "demo": Group("demo.commands", "demo", "The demo: made-up accounts, enterprises and records."),
}
"""Groups by command name. A module is imported when its group is called: importing all takes a second."""
FORMER_NAMES = {"receipts": "idempotency-keys"}
"""Names of groups up to 0.3.0 that scripts may still use, and the current names."""


class Installation:
    """The object that commands get. Its parts are made on first use: `--help` needs no settings and makes no key."""

    def __init__(self, settings: "Settings | None" = None) -> None:
        self._settings = settings

    @cached_property
    def settings(self) -> "Settings":
        """The settings; a missing key is not made yet. Raises `SettingsError`."""
        from core.config import load_settings

        return self._settings or load_settings(make_key=False)

    @cached_property
    def database(self) -> "Database":
        """The database, with the key of its encrypted columns installed.

        Raises `SettingsError`, also for an unfinished restore and for data whose key is missing.
        """
        from backups.interrupted import refuse_to_open
        from core import logs
        from core.config import give_key
        from core.db import Database
        from core.keys import stored

        logs.configure(self.settings.log_level)
        database = Database(self.settings.resolved_database_url, pool_size=self.settings.database_pool_size)
        refuse_to_open(self.settings, database.engine)
        give_key(self.settings)
        stored.open_keys(database.engine, self.settings.secret)
        return database

    def keep_a_copy(self) -> None:
        """Copy the database before its schema is changed."""
        from backups import before_upgrade

        for line in before_upgrade.keep_a_copy(self.settings, self.database):
            click.echo(line)

    @cached_property
    def events(self) -> "Events":
        """Events with the listeners of all rooms."""
        from composition.listeners import connected

        return connected()


class Commands(click.Group):
    """Imports a group when it is called, and turns failures into a message on standard error and an exit status.

    Status 1: refused by a rule. Status 2: settings, file or database cannot be used.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *GROUPS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = FORMER_NAMES.get(cmd_name, cmd_name)
        if name not in GROUPS:
            return super().get_command(ctx, name)
        group = GROUPS[name]
        command: click.Command = getattr(importlib.import_module(group.module), group.name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = {name: command.get_short_help_str(limit=200) for name, command in self.commands.items()}
        rows |= {name: group.summary for name, group in GROUPS.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(rows.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            refusal = _refusal(error)
            if refusal is None:
                raise
            raise refusal from error


def _refusal(error: Exception) -> click.exceptions.Exit | None:
    """Print the message for a failure that the administrator can mend; its exit. None for a fault of the program."""
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from assets.tables.workbook_checks import SpreadsheetError
    from backups.archive import BackupError
    from core.config import SettingsError
    from core.database import disk
    from core.database.migrate import SchemaError
    from core.errors import Problem
    from core.privacy import Unopened

    match error:
        case Problem():
            lines = [fault.message for fault in error.errors] or [error.detail or error.title]
            return _failure("\n".join(lines), 1)
        case SettingsError() | SpreadsheetError() | SchemaError() | BackupError():
            return _failure(str(error), 2)
        case Unopened():
            hint = "数据库中有内容无法解开，可能被改动或移动过；请执行 ./manage history verify 追查"
            return _failure(f"{hint}\n({error})", 2)
        case OperationalError() | ProgrammingError():
            if disk.is_full(error):
                return _failure("磁盘空间不足，无法继续：请清理磁盘（DATA_DIR 或数据库所在的磁盘）后重试", 2)
            reason = str(error.orig).strip().splitlines()[0]
            hint = "无法使用数据库，请检查 DATABASE_URL；若尚未建表，请先执行 ./manage database upgrade"
            return _failure(f"{hint}\n({reason})", 2)
    return None


def _failure(message: str, status: int) -> click.exceptions.Exit:
    click.echo(message, err=True)
    return click.exceptions.Exit(status)


def _version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        project = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
        click.echo(project["project"]["version"])
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Administration of this installation. Settings come from the environment, as for the server.

    \b
    First steps of an installation without the demo:
      DEMO=0 make run
      ./manage users create --level province --region 320000 --username jiangsu
      ./manage enterprises import register.xlsx
      ./manage licences import licences.xlsx
    """
    # All files that are written, the SQLite file included, are for the owner only.
    os.umask(0o077)
    if ctx.obj is None:
        ctx.obj = Installation()


@cli.command()
@click.pass_obj
def serve(obj: Installation) -> None:
    """Start the server (as `make run` does): prepare, show the address, serve until stopped.

    Uses HOST, PORT, DATA_DIR, DATABASE_URL and DEMO. With ENVIRONMENT=production no setting has a made-up default:
    missing ones are named, and no demo is loaded.

    \b
    Examples:
      ./manage serve
      HOST=0.0.0.0 PORT=8080 DEMO=0 ./manage serve
    """
    from cli import serving

    serving.serve(obj.settings, obj.database)


@cli.command()
@click.option("--keep-a-copy", is_flag=True, help="Copy the database even if its schema is not upgraded.")
@click.pass_obj
def prepare(obj: Installation, keep_a_copy: bool) -> None:
    """Prepare as `serve` does: migrate, load the data that comes with the product, publish forms.

    \b
    Example:
      ./manage prepare
    """
    from cli import preparation

    preparation.prepare(obj.settings, obj.database, keep_a_copy=keep_a_copy)
    click.echo("已就绪")


def main() -> None:
    """Entry point of the command line; ends the process."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show Chinese gets escapes instead of a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="./manage")
