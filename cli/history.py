"""The commands about the history. They are in this room because they verify the records of all others."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import click
from sqlalchemy import text
from sqlalchemy.orm import Session
from tqdm import tqdm  # type: ignore[import-untyped]

from accounts import integrity as accounts_integrity
from cli import history_processes
from composition import history as composed
from core import clock
from core.commands import HasDatabase
from core.config import Settings
from core.deadlines.outages import OUTAGE
from core.sealing import heads, parts, seals
from core.sealing.checking import Kept, Outcome
from core.sealing.logs import Break
from core.sealing.parts import Part
from core.workflows.integrity import verify_ends
from enterprise import integrity as enterprise_integrity
from enterprise.certificates.integrity import verify_certificates
from enterprise.filings.integrity import verify_filings
from enterprise.filings.results.number_integrity import verify_numbers
from enterprise.filings.results.row_integrity import verify_rows
from enterprise.registrations import integrity as registrations_integrity
from enterprise.systems import KINDS
from feedback import integrity as feedback_integrity
from inspection import integrity as inspection_integrity


class HasSettings(HasDatabase, Protocol):
    """The same, for commands that know where the data lies."""

    @property
    def settings(self) -> Settings:
        """The settings of the installation."""


Step = tuple[str, Callable[[], Iterator[Break]]]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be verified: by which heads, a part or everything, by how many processes."""

    settings: Settings
    kept: Kept
    part: Part | None
    processes: int


def _steps(session: Session, wanted: _Wanted, outcome: Outcome, show: Callable[[int], object]) -> list[Step]:
    """What is verified: everything, or a part of the seals, the users, and in turn the records of another room."""
    history: Step = ("操作记录和登录审计", lambda: history_processes.verify(
        session, wanted.settings, wanted.processes, outcome, wanted.kept, show
    ))  # fmt: skip
    accounts: Step = ("用户、机关、账号申请和区划调整", lambda: accounts_integrity.verify(session))
    rooms: list[Step] = [
        ("检查记录", lambda: inspection_integrity.verify(session)),
        (
            "办件",
            lambda: chain(
                verify_ends(session, OUTAGE),
                enterprise_integrity.verify(session),
                registrations_integrity.verify(session),
                verify_certificates(session),
                verify_filings(session, {kind.code: kind for kind in KINDS}, show),
                verify_rows(session, {kind.code: kind for kind in KINDS}),
                verify_numbers(session, {kind.code: kind for kind in KINDS}),
            ),
        ),
        ("评价", lambda: feedback_integrity.verify(session)),
    ]
    part = wanted.part
    if part is None:
        return [history, *rooms, accounts]
    some: Step = (history[0], lambda: parts.verify(session, composed.LOGS, part, outcome, wanted.kept, show))
    return [some, rooms[part.number % len(rooms)], accounts]


def _breaks(session: Session, wanted: _Wanted, outcome: Outcome, bar: tqdm) -> Iterator[Break]:
    """All breaks; the bar shows the step, and the number of rows and filings verified."""
    verified = 0

    def show_verified(more: int) -> None:
        nonlocal verified
        verified += more
        bar.set_postfix_str(f"{verified} 条")

    steps = _steps(session, wanted, outcome, show_verified)
    bar.total = len(steps)
    for name, breaks in steps:
        bar.set_description(f"核对{name}")
        yield from breaks()
        bar.update()


@click.group("history")
def history_group() -> None:
    """The history (操作记录) of records, filings, ratings, codes, users, applications, reorganisations, words."""


def _kept(settings: Settings, given: tuple[str, ...]) -> Kept:
    """The heads to verify by: those given, each as a file or as itself, and those of the file beside the data."""
    lines: list[str] = []
    for one in given:
        found = heads.parse([one])
        if found.numbered or found.unnumbered:
            lines.append(one)
            continue
        path = Path(one)
        if not path.is_file():
            raise click.BadParameter(f"{one}：既不是链头（64 位十六进制），也没有这个文件", param_hint="--head")
        lines += path.read_text(encoding="utf-8", errors="replace").splitlines()
        if not heads.parse(lines).numbered and not heads.parse(lines).unnumbered:
            raise click.BadParameter(f"{one}：文件中没有链头", param_hint="--head")
    beside = composed.heads_file(settings)
    if beside.is_file():
        lines += beside.read_text(encoding="utf-8", errors="replace").splitlines()
    return heads.parse(lines)


@history_group.command("verify")
@click.option(
    "--head",
    "given",
    multiple=True,
    metavar="FILE|VALUE",
    help="A head that was kept elsewhere, as `NUMBER:HEAD` or HEAD, or a file of such lines (log, mail); repeatable.",
)
@click.option("--next-part", is_flag=True, help="Only a part, behind the one before: what the server does each night.")
@click.option(
    "--processes", type=click.IntRange(1, 64), default=history_processes.processes, show_default="as many as cores",
    help="Processes to use side by side, where there is much to verify.",
)  # fmt: skip
@click.pass_obj
def verify_command(obj: HasSettings, given: tuple[str, ...], next_part: bool, processes: int) -> None:
    """Verify the history, its seals, and that every record matches its last entry.

    Shows changed, removed and added entries, changed and removed payloads, records that are missing or were changed
    without an entry, users whose rights, password or WeChat bindings and offices whose regions were changed in the
    tables, sign-ins that are missing, and filings and ratings whose content is not what was sent. Payloads that were
    erased by law are no break. The heads in the file history-heads.txt beside the data are compared too.

    \b
    Examples:
      ./manage history verify
      ./manage history verify --head /mnt/archive/history-heads.txt
      ./manage history verify --head 4711:9f86d081…

    \b
    Exit status:
      0  no break
      1  there are breaks, one per line: where, reason
    """
    kept = _kept(obj.settings, given)
    breaks, outcome = 0, Outcome()
    with obj.database.read() as session, tqdm(unit="步", disable=None) as bar:
        part = parts.next_part(session) if next_part else None
        wanted = _Wanted(obj.settings, kept, part, processes)
        for broken in _breaks(session, wanted, outcome, bar):
            breaks += 1
            with bar.external_write_mode(file=sys.stderr):
                click.echo(str(broken), err=True)
    if part is not None:
        parts.note(obj.database, part, breaks)
        for log, ids in outcome.stray.items():
            seals.reopen(obj.database, log, ids)
    if outcome.unsealed and outcome.oldest_unsealed is not None and part is None:
        oldest = clock.rfc3339(outcome.oldest_unsealed)
        click.echo(
            f"有 {outcome.unsealed} 行尚未封印（最早的是 {oldest}）：服务器运行时每分钟封印一次，"
            "也可执行 ./manage history seal；未封印的行若被整行删除，核对看不出来",
            err=True,
        )
    if breaks:
        click.echo(f"发现 {breaks} 处异常，请保留数据库备份并追查", err=True)
        raise click.exceptions.Exit(1)
    if part is None:
        composed.found_whole(obj.database)
    click.echo("操作记录完整，记录与操作记录一致")
    if outcome.head is not None:
        click.echo(f"共核对 {outcome.rows} 行、{outcome.seals} 个封印；最后一个封印的链头：{outcome.head}")


@history_group.command("seal")
@click.pass_obj
def seal_command(obj: HasSettings) -> None:
    """Seal what was committed since the last seal, as the server does each minute, and print the newest head.

    \b
    Example:
      ./manage history seal
    """
    made = composed.seal(obj.database, obj.settings)
    if not made:
        click.echo("没有新的内容需要封印")
        return
    click.echo(f"已封印 {sum(one.rows for one in made)} 行；最新链头：{made[-1].no} {made[-1].at} {made[-1].head}")


_GRANTS = """\
-- {role} may read everything and change everything but the history. To be run by the owner of the tables, after
-- each upgrade again.
BEGIN;
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
REVOKE UPDATE, DELETE ON history, history_payloads, history_seals FROM {role};
REVOKE UPDATE ON sign_ins, access_log, access_log_subjects FROM {role};
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role};
GRANT EXECUTE ON FUNCTION history_erase(bigint, bigint[]) TO {role};
COMMIT;"""


@history_group.command("grants")
@click.argument("role")
@click.pass_obj
def grants_command(obj: HasSettings, role: str) -> None:
    """Print the statements that give a PostgreSQL role all that the server needs, and no right to change the history.

    \b
    Example:
      ./manage history grants gongpin_server | psql "$OWNER_DATABASE_URL" -v ON_ERROR_STOP=1
    """
    if obj.database.engine.dialect.name != "postgresql":
        raise click.UsageError("仅用于 PostgreSQL：SQLite 没有角色，谁能写数据文件，谁就能改动其中的一切")
    quote = obj.database.engine.dialect.identifier_preparer.quote
    with obj.database.read() as session:
        schema = session.scalar(text("SELECT current_schema()"))
    click.echo(_GRANTS.format(role=quote(role), schema=quote(schema)))
