"""The commands for people's rights over their data. In this room because they concern the tables of all others."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import click
import orjson
from tqdm import tqdm  # type: ignore[import-untyped]

from accounts.access_log import queries as access_log
from accounts.access_log.models import AccessEntry
from accounts.access_log.queries import Filters
from accounts.administration.operations import login
from assets.files import persons as files
from assets.files.storage import open_storage
from composition.persons import HOLDINGS
from core import clock
from core.commands import HasDatabase, table
from core.config import Settings
from core.db import Database
from core.forms.library import FormLibrary
from core.persons import erasing, exporting, receipts, search
from core.persons.erasing import Outcome, Tools
from core.persons.person import Person, person_of
from core.text import clean


class HasSettings(HasDatabase, Protocol):
    """What the command line hands to these commands."""

    @property
    def settings(self) -> Settings:
        """The settings of the installation."""


@click.group("persons")
def persons_group() -> None:
    """What is held of a person (个人信息): export, erase, receipts, reads."""


def _who(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--resident-id", metavar="ID", help="Resident-ID number (公民身份号码), or - to be asked for it."),
        click.option("--mobile", metavar="N", help="Mobile number (手机号), or - to be asked for it."),
    ):
        command = option(command)
    return command


def _person(mobile: str | None, resident_id: str | None) -> Person:
    """The person; with `-` the number is asked for, so that it stands in no list of commands."""
    if mobile == "-":
        mobile = click.prompt("手机号", hide_input=True, err=True)
    if resident_id == "-":
        resident_id = click.prompt("公民身份号码", hide_input=True, err=True)
    try:
        return person_of(mobile=mobile, resident_id=resident_id)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _tools(obj: HasSettings) -> Tools:
    storage = open_storage(obj.settings)
    return Tools(obj.database, HOLDINGS, FormLibrary(obj.database), files.remove, storage.delete)


@contextmanager
def _progress() -> Iterator[Callable[[str, int], object]]:
    with tqdm(unit="行", disable=None) as bar:

        def show(title: str, rows: int) -> None:
            bar.set_description(f"查找 {title}")
            bar.update(rows)

        yield show


@persons_group.command("export")
@_who
@click.option(
    "--to", "path", type=click.Path(dir_okay=False, path_type=Path), help="File; standard output if left out."
)
@click.pass_obj
def export_command(obj: HasSettings, mobile: str | None, resident_id: str | None, path: Path | None) -> None:
    """Export what is held of a person: what, where, since when, what for, why it stays. Adds a receipt to the history.

    With --to a file that exists already is refused, and a readable text is written beside it (FILE.txt); both are for
    the owner only.

    \b
    Examples:
      ./manage persons export --mobile 13800000001 --to zhang.json
      ./manage persons export --resident-id - --to zhang.json
    """
    person = _person(mobile, resident_id)
    with _progress() as show:
        exported = exporting.export(_tools(obj), person, show)
    content = orjson.dumps(exported, option=orjson.OPT_INDENT_2, default=str) + b"\n"
    digest = hashlib.sha256(content).hexdigest()
    if path is not None:
        _write(path, content)
    receipt = receipts.append(obj.database, receipts.EXPORTED, {
        "operator_name": login(), "person": person.kept(HOLDINGS.uses), "records": len(exported["记录"]),
        "digest": digest,
    })  # fmt: skip
    if path is None:
        click.echo(content, nl=False)
    else:
        _write(path.with_name(path.name + ".txt"), exporting.as_text(exported, receipt.number).encode())
    click.echo(f"已导出 {len(exported['记录'])} 条记录；回执 {receipt.number}，SHA-256 {digest}", err=True)


def _write(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.UsageError(f"{path} 已存在，请换一个文件名") from None
    except OSError as error:
        raise click.UsageError(f"无法写入 {path}：{error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@persons_group.command("erase")
@_who
@click.option(
    "--reason", help="Why: the request, by number and date. Kept in the receipt, without the person's number."
)
@click.option("--again", is_flag=True, help="Repeat all erasures there were, after a backup was restored.")
@click.option(
    "--receipts", "given", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"With --again: another {receipts.FILE}, as kept elsewhere; repeatable.",
)  # fmt: skip
@click.pass_obj
def erase_command(
    obj: HasSettings, mobile: str | None, resident_id: str | None, reason: str | None, again: bool,
    given: tuple[Path, ...],
) -> None:  # fmt: skip
    """Erase a person: what is only the person's goes, what the law has kept stays with 已删除 in the person's place.

    It cannot be undone. Interrupted, it goes on when it is called again; called twice, it changes nothing more. The
    number is kept nowhere: a receipt keeps keyed hashes of it, in the history and in person-erasures.jsonl beside the
    data. Backups are not changed: after one is restored, `--again` repeats all erasures by these.

    \b
    Examples:
      ./manage persons erase --mobile 13800000001 --reason "2026年第12号申请"
      ./manage persons erase --again --receipts /mnt/archive/person-erasures.jsonl

    \b
    Exit status:
      0  done
      1  something cannot be erased yet; why is printed
    """
    if again:
        if mobile or resident_id:
            raise click.UsageError("--again 重做全部删除，不能同时指定号码")
        _erase_again(obj, given)
        return
    person = _person(mobile, resident_id)
    reason = person.without(clean(reason or ""))
    if not reason or given:
        raise click.UsageError(
            "请用 --reason 写明依据，例如：2026年第12号申请" if not reason else "--receipts 须与 --again 同用"
        )
    kept = {"operator_name": login(), "person": person.kept(HOLDINGS.uses)}
    begun = receipts.append(obj.database, receipts.BEGUN, {**kept, "reason": reason})
    receipts.note_beside(obj.settings.data_dir / receipts.FILE, begun)
    with _progress() as show:
        outcome = erasing.erase(_tools(obj), person, _because(begun.number), show)
    done = receipts.append(
        obj.database, receipts.ERASED, {**kept, "begun": begun.number, "counts": outcome.as_counts()}
    )
    _forget_pages(obj.database)
    _tell(outcome)
    click.echo(f"回执 {done.number}（{clock.rfc3339(done.at)}）")
    click.echo("备份中仍有其个人信息：恢复备份后请执行 ./manage persons erase --again")
    if outcome.left:
        raise click.exceptions.Exit(1)


def _because(number: int) -> str:
    return f"依申请删除个人信息（回执 {number}）"


def _erase_again(obj: HasSettings, given: tuple[Path, ...]) -> None:
    beside = obj.settings.data_dir / receipts.FILE
    known = receipts.erased(obj.database)
    listed = [person for path in (*given, *([beside] if beside.is_file() else [])) for person in _persons_in(path)]
    keys = {(person.kind, person.key) for person in known}
    new = list({(p.kind, p.key): p for p in listed if (p.kind, p.key) not in keys}.values())
    for person in new:
        # What a restored database does not know any more is known to the next backup again.
        kept = {"operator_name": login(), "person": person.kept(HOLDINGS.uses), "reason": "恢复备份后重做"}
        begun = receipts.append(obj.database, receipts.BEGUN, kept)
        receipts.note_beside(beside, begun)
    number, tools, total = receipts.next_number(obj.database), _tools(obj), Outcome()
    with _progress() as show:
        for person in [*known, *new]:
            _add(total, erasing.erase(tools, person, _because(number), show))
    counts = {"persons": len(known) + len(new), **total.as_counts()}
    done = receipts.append(obj.database, receipts.REPEATED, {"operator_name": login(), "counts": counts})
    _forget_pages(obj.database)
    _tell(total)
    click.echo(f"已重做 {counts['persons']} 人的删除；回执 {done.number}")
    if total.left:
        raise click.exceptions.Exit(1)


def _persons_in(path: Path) -> list[Person]:
    return receipts.persons_in(path.read_text(encoding="utf-8", errors="replace").splitlines())


def _add(total: Outcome, one: Outcome) -> None:
    for name, rows in one.changed.items():
        total.changed[name] = total.changed.get(name, 0) + rows
    for name, rows in one.deleted.items():
        total.deleted[name] = total.deleted.get(name, 0) + rows
    total.moves, total.files = total.moves + one.moves, total.files + one.files
    total.left += one.left


def _tell(outcome: Outcome) -> None:
    if not outcome.anything:
        click.echo("没有可删除的内容")
    for verb, rows in (("已去除个人信息", outcome.changed), ("已删除", outcome.deleted)):
        for name, number in rows.items():
            click.echo(f"{verb}：{HOLDINGS.by_table[name].title} {number} 条")
    if outcome.moves:
        click.echo(f"已删除操作记录的内容 {outcome.moves} 条")
    if outcome.files:
        click.echo(f"已删除附件 {outcome.files} 个")
    for reason in outcome.left:
        click.echo(f"暂不能删除：{reason}", err=True)


def _forget_pages(database: Database) -> None:
    """SQLite's log holds the pages as they were until it is written back."""
    if database.engine.dialect.name == "sqlite":
        with database.look() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


@persons_group.command("receipts")
@click.option("--last", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many, the newest.")
@click.pass_obj
def receipts_command(obj: HasSettings, last: int) -> None:
    """List the receipts of exports and erasures: number, when, what, who ran it, what came of it.

    \b
    Example:
      ./manage persons receipts --last 20
    """
    rows = [
        [
            str(one.number), f"{one.at.astimezone(clock.LOCAL):%Y-%m-%d %H:%M}", _ACTIONS.get(one.action, one.action),
            str(one.kept.get("operator_name") or ""), _what(one.kept),
        ]
        for one in receipts.listed(obj.database)
    ]  # fmt: skip
    table(["回执", "时间", "事项", "执行人", "说明"], rows[-last:])


_ACTIONS = {
    receipts.EXPORTED: "导出", receipts.BEGUN: "开始删除", receipts.ERASED: "删除完成", receipts.REPEATED: "重做删除",
}  # fmt: skip


def _what(kept: Any) -> str:
    if "digest" in kept:
        return f"{kept['records']} 条记录，SHA-256 {kept['digest'][:16]}…"
    if "counts" in kept:
        counts = kept["counts"]
        rows = sum(counts["changed"].values()) + sum(counts["deleted"].values())
        return f"{rows} 行，操作记录 {counts['moves']} 条，附件 {counts['files']} 个，暂留 {counts['left']} 处"
    return str(kept.get("reason") or "")


@persons_group.command("reads")
@_who
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only from this day on.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Only until the end of this day.")
@click.pass_obj
def reads_command(
    obj: HasSettings, mobile: str | None, resident_id: str | None, since: datetime | None, until: datetime | None
) -> None:
    """Say who read or exported a person's records, over all offices: when, from where, by which operation.

    Exports of which not all records were noted are named at the end, with what was asked for: they may hold the person
    too.

    \b
    Examples:
      ./manage persons reads --mobile 13800000001
      ./manage persons reads --resident-id - --since 2026-01-01 --until 2026-06-30
    """
    person = _person(mobile, resident_id)
    with _progress() as show:
        found = search.find(obj.database, HOLDINGS, FormLibrary(obj.database), person, show)
    subjects = {one for ids in found.rows.values() for one in ids if isinstance(one, UUID)}
    subjects |= {subject_id for _, subject_id in found.moves}
    filters = Filters(
        since=since.replace(tzinfo=clock.LOCAL) if since else None,
        until=until.replace(tzinfo=clock.LOCAL) + timedelta(days=1) if until else None,
    )
    with obj.database.read() as session:
        read_by = access_log.of_records(session, subjects, filters)
        others = access_log.not_wholly_noted(session, _types(found), filters)
    rows = [[*_reader(one.entry), " ".join(map(str, one.subjects)), str(one.entry.rows or "")] for one in read_by]
    table(["时间", "用户名", "操作人", "单位", "来源地址", "操作", "记录", "条数"], rows)
    known = {one.entry.id for one in read_by}
    others = [one for one in others if one.id not in known]
    if others:
        click.echo(f"另有 {len(others)} 次导出未逐条记录编号，按其筛选条件可能含有此人：")
        table(
            ["时间", "用户名", "操作人", "单位", "来源地址", "操作", "筛选条件", "条数"],
            [[*_reader(one), one.asked or "", str(one.rows or "中断")] for one in others],
        )
    click.echo(f"此人的 {len(subjects)} 条记录被查阅、导出 {len(read_by)} 次", err=True)


def _types(found: search.Found) -> set[str]:
    """The types under which the access log knows the records that were found."""
    subjects = [HOLDINGS.by_table[name].subject for name in found.rows]
    return {kind for one in subjects if one for kind in one.types} | {kind for kind, _ in found.moves}


def _reader(entry: AccessEntry) -> list[str]:
    at = f"{entry.at.astimezone(clock.LOCAL):%Y-%m-%d %H:%M:%S}"
    return [at, entry.username, entry.operator_name or "", entry.office_name, entry.address, entry.operation]
