"""The command that loads the demo."""

import sys
from pathlib import Path
from typing import Protocol

import click

from core.config import Settings
from core.db import Database
from core.workflows.events import Events
from demo import accounts, loading, removal


class Installation(Protocol):
    """What the command uses of the command line's object."""

    @property
    def settings(self) -> Settings:
        """The installation's settings."""

    @property
    def database(self) -> Database:
        """The installation's database."""


class InstallationWithEvents(Installation, Protocol):
    """The same, for commands that change users."""

    @property
    def events(self) -> Events:
        """Events with the listeners of all rooms."""


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
        print_accounts(obj.settings.data_dir)
    else:
        file = accounts.accounts_file(obj.settings.data_dir)
        click.echo(f"演示数据此前已装入，无变化；账号和密码在 {file.absolute()}")


@demo.command("remove")
@click.pass_obj
def remove_command(obj: InstallationWithEvents) -> None:
    """Disable all demo accounts, end their sessions, and delete the file of their passwords. Again, it changes nothing.

    Kept are the records, filings, ratings and enterprises of the demo: their histories cannot be taken out of the
    history of all. An installation that is to hold none of them begins with another DATABASE_URL or DATA_DIR.
    Refused, with a list, while work of other users waits for a demo account.

    \b
    Example:
      ./manage demo remove
    """
    done = removal.remove(obj.database, obj.settings, obj.events)
    if not done.disabled and not done.file:
        click.echo("没有可用的演示账号，无变化")
        return
    click.echo(f"已停用演示账号 {len(done.disabled)} 个，原有登录全部失效；密码文件已删除")
    if done.kept:
        click.echo(
            f"保留了演示账号填报的检查记录 {done.kept} 条及其操作记录（不能从操作记录中取出）；"
            "正式使用如不需要它们，请另设 DATABASE_URL 或 DATA_DIR"
        )
