"""The command that loads the demo."""

import sys
from pathlib import Path
from typing import Protocol

import click

from core.config import Settings
from core.db import Database
from demo import accounts, loading


class Installation(Protocol):
    """What the command uses of the command line's object."""

    @property
    def settings(self) -> Settings:
        """The installation's settings."""

    @property
    def database(self) -> Database:
        """The installation's database."""


def show_progress(part: str, done: int, total: int) -> None:
    """Print a line per part: on a terminal with a running count, elsewhere when the part is done."""
    terminal = sys.stdout.isatty()
    if done == total or terminal:
        click.echo(f"\r  {part} {done}/{total}" if terminal else f"  {part} {total}", nl=done == total)


def print_accounts(data_dir: Path) -> None:
    """The demo accounts with their passwords."""
    for account in accounts.read_accounts(data_dir):
        click.echo(f"  {account.username:<23}{account.password:<16}{account.note}")


@click.group()
def demo() -> None:
    """The demo: made-up accounts, enterprises and records."""


@demo.command("load")
@click.pass_obj
def load_command(obj: Installation) -> None:
    """Load the demo into an installation that has no users of its own; loading again changes nothing.

    `make run` does this at the first start unless DEMO=0. The passwords are made for this installation
    and written to demo-accounts.json in DATA_DIR, readable by its owner only.

    \b
    Example:
      ./manage demo load
    """
    if obj.settings.production:
        raise click.UsageError("生产环境（ENVIRONMENT=production）不装入演示数据")
    if loading.load(obj.database, obj.settings, show_progress):
        click.echo("演示数据已装入")
    else:
        click.echo("演示数据此前已装入，无变化")
    print_accounts(obj.settings.data_dir)
