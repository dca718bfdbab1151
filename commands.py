"""The command line: one group a room, wired together. `./manage` runs it, by way of `app.py`."""

import os
import sys
from functools import cached_property
from typing import Any

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

import start_up
from accounts.commands import offices_group, regions_group, users
from assets.file_commands import files
from assets.form_commands import forms
from assets.spreadsheets import SpreadsheetError
from core import logs, privacy
from core.commands import calendar, receipts_group
from core.commands import database as database_group
from core.config import Settings, SettingsError, load_settings
from core.db import Database
from core.errors import Problem
from core.migrate import SchemaError
from demo.commands import demo
from enterprise.commands import enterprises
from enterprise.filing_commands import filings
from enterprise.production.commands import licences
from feedback.commands import ratings
from history_commands import history_group
from inspection.commands import dictionaries, tallies_group


class Installation:
    """What commands are handed. Made when it is first asked for: `--help` needs no settings and makes no keys."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings

    @cached_property
    def settings(self) -> Settings:
        """The settings; raises `SettingsError`."""
        return self._settings or load_settings()

    @cached_property
    def database(self) -> Database:
        """The database, with the keys for what is encrypted in it."""
        logs.configure(self.settings.log_level)
        privacy.install(self.settings.data_key.get_secret_value())
        return Database(self.settings.resolved_database_url, pool_size=self.settings.database_pool_size)


class Commands(click.Group):
    """Turns refusals into a message on standard error and an exit status: 1 refused, 2 cannot be used."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Problem as problem:
            lines = [fault.message for fault in problem.errors] or [problem.detail or problem.title]
            raise _failure("\n".join(lines), 1) from problem
        except (SettingsError, SpreadsheetError, SchemaError) as error:
            raise _failure(str(error), 2) from error
        except (OperationalError, ProgrammingError) as error:
            reason = str(error.orig).strip().splitlines()[0]
            hint = "无法使用数据库，请检查 DATABASE_URL；若尚未建表，请先执行 ./manage database upgrade"
            raise _failure(f"{hint}\n({reason})", 2) from error


def _failure(message: str, status: int) -> click.exceptions.Exit:
    click.echo(message, err=True)
    return click.exceptions.Exit(status)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
    # Whatever is written, the SQLite file included, is for the owner only.
    os.umask(0o077)
    if ctx.obj is None:
        ctx.obj = Installation()


@cli.command()
@click.pass_obj
def serve(obj: Installation) -> None:
    """Start the server (what `make run` does): prepare, say where to go, serve until stopped.

    Honours HOST, PORT, DATA_DIR, DATABASE_URL and DEMO. With ENVIRONMENT=production nothing is made up:
    missing settings are named, and no demo is loaded.

    \b
    Examples:
      ./manage serve
      HOST=0.0.0.0 PORT=8080 DEMO=0 ./manage serve
    """
    start_up.serve(obj.settings, obj.database)


@cli.command()
@click.pass_obj
def prepare(obj: Installation) -> None:
    """Do what `serve` does before it serves: migrate, load what comes with the product, publish forms.

    \b
    Example:
      ./manage prepare
    """
    start_up.prepare(obj.settings, obj.database)
    click.echo("已就绪")


for group in (
    users, offices_group, regions_group, enterprises, licences, filings, files, forms, dictionaries, tallies_group,
    history_group, ratings, receipts_group, calendar, database_group, demo,
):  # fmt: skip
    cli.add_command(group)


def main() -> None:
    """Entry of the command line; ends the process."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show Chinese gets escapes instead of a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="./manage")
