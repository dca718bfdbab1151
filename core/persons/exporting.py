"""Exporting a person (个人信息保护法 art. 45): what is held, where, since when, what for and why it stays.

Of the person's own records everything that is declared personal, of other records only the words in which the number
stands. Numbers of others in such words are masked, and the names of officers who acted are left to the office's papers.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.models import HistoryEntry, HistoryPayload
from core.persons import answers
from core.persons.erasing import ACTING, Tools
from core.persons.holdings import Column, Fate, Holding, Holds
from core.persons.person import Person, within
from core.persons.reasons import CREDENTIAL, DUTY
from core.persons.search import Progress, answers_of, find, names, number_in, rows_of
from core.workflows.erasure import DIGESTS

_SECRETS = ("_hash", "_key")
"""What columns end in that say nothing to a person, or would help to sign in."""
_FATES = {Fate.ERASE: "可删除", Fate.PSEUDONYMISE: "可去除本人信息后留存", Fate.KEEP: "依法留存"}


def export(tools: Tools, person: Person, progress: Progress = lambda _t, _n: None) -> dict[str, Any]:
    """All that is held of a person, as JSON."""
    found = find(tools.database, tools.holdings, tools.forms, person, progress)
    records = []
    with tools.database.read() as session:
        for holding in tools.holdings.roots:
            for row_id in sorted(found.rows.get(holding.table.name, ()), key=str):
                table = holding.table
                for root in rows_of(session, select(table).where(table.c[holding.key[0]] == row_id)):
                    records.append(_record(session, tools, holding, root, person))
        moves = [
            {"类型": kind, "编号": str(subject_id), "操作": _moves(session, subject_id, person, seqs)}
            for (kind, subject_id), seqs in sorted(found.moves.items(), key=str)
        ]
    return {
        "号码类型": {"mobile": "手机号", "resident_id": "公民身份号码"}[person.kind], "号码": person.number,
        "导出时间": clock.rfc3339(clock.now()), "记录": records, "其他操作记录": moves,
    }  # fmt: skip


def _record(
    session: Session, tools: Tools, holding: Holding, root: Mapping[str, Any], person: Person
) -> dict[str, Any]:
    own = any(person.is_whole(one.holds == Holds.NUMBER, one.use, root[one.name]) for one in holding.columns)
    rows: list[tuple[Holding, Mapping[str, Any]]] = [(holding, root)]
    for child in tools.holdings.children(holding):
        link = child.table.c[str(child.link)]
        chosen = select(child.table).where(link == root[child.parent_key])
        rows += [(child, row) for row in rows_of(session, chosen)]
    parts = [_part(tools, one, row, person, own=own) for one, row in rows]
    shown = parts[0] | {"本人的记录": own, "相关": [part for part in parts[1:] if part["内容"]]}
    if holding.subject is not None:
        shown["操作记录"] = _moves(session, root[holding.key[0]], person, None if own else set())
    return shown


def _part(tools: Tools, holding: Holding, row: Mapping[str, Any], person: Person, *, own: bool) -> dict[str, Any]:
    contents = [
        {
            "项目": column.title, "内容": value, "位置": f"{holding.table.name}.{column.name}",
            "删除时": _FATES[column.fate], "说明": column.reason,
        }
        for column in holding.columns
        if (value := _value(tools, holding, column, row, person, own=own)) not in (None, "", {}, [])
    ]  # fmt: skip
    since = row[holding.since] if holding.since else None
    return {
        "内容类别": holding.title, "位置": holding.table.name,
        "编号": ".".join(_word(row[name]) for name in holding.key), "自": None if since is None else _word(since),
        "处理目的": holding.purpose, "法律依据": holding.basis, "保存期限": holding.kept, "内容": contents,
    }  # fmt: skip


def _value(tools: Tools, holding: Holding, column: Column, row: Mapping[str, Any], person: Person, *, own: bool) -> Any:
    value = row[column.name]
    if value is None or column.reason in (DUTY, CREDENTIAL) or column.name.endswith(_SECRETS):
        return None
    if column.holds == Holds.ANSWERS:
        form, stored, where = answers_of(holding, column, row, tools.forms)
        return None if form is None else answers.shown(form, stored, where, person)
    if not own and not names(holding, column, row, tools.forms, person):
        return None
    if column.holds in (Holds.TEXT, Holds.JSON) or not own:
        return within(_without_officers(value), person.shown)
    return value if isinstance(value, (str, int, list, dict)) else _word(value)


def _without_officers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_officers(each) for key, each in value.items() if key not in ACTING}
    return value


def _moves(session: Session, subject_id: Any, person: Person, seqs: set[int] | None) -> list[dict[str, Any]]:
    """The moves of a record: all of the person's own one (`seqs` is None), else those in which the number stands."""
    chosen = (
        select(HistoryEntry.seq, HistoryEntry.at, HistoryEntry.action, HistoryPayload.payload)
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(HistoryEntry.subject_id == subject_id)
        .order_by(HistoryEntry.seq)
    )
    return list(_shown_moves(session.execute(chosen).all(), person, seqs))


def _shown_moves(rows: Any, person: Person, seqs: set[int] | None) -> Iterator[dict[str, Any]]:
    for row in rows:
        payload = row.payload or {}
        if seqs is None or row.seq in seqs or number_in(payload, person):
            said = {key: each for key, each in payload.items() if key not in ACTING and key not in DIGESTS}
            yield {
                "序号": row.seq, "时间": clock.rfc3339(row.at), "操作": row.action, "内容": within(said, person.shown),
            }  # fmt: skip


def _word(value: Any) -> str:
    if isinstance(value, datetime):
        return clock.rfc3339(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def as_text(exported: Mapping[str, Any], receipt: int) -> str:
    """An export as a Chinese text that a person can read."""
    lines = [
        f"个人信息副本（回执 {receipt}）", f"{exported['号码类型']}：{exported['号码']}",
        f"导出时间：{exported['导出时间']}", f"共 {len(exported['记录'])} 条记录", "",
    ]  # fmt: skip
    for number, record in enumerate(exported["记录"], 1):
        lines += [f"{number}. {record['内容类别']}（{record['编号']}）", *_part_as_text(record)]
        for part in record["相关"]:
            lines += [f"  · {part['内容类别']}", *_part_as_text(part)]
        lines += [f"   {one['时间']} {one['操作']}" for one in record.get("操作记录", ())]
        lines.append("")
    return "\n".join(lines) + "\n"


def _part_as_text(part: Mapping[str, Any]) -> list[str]:
    head = f"   处理目的：{part['处理目的']}；依据：{part['法律依据']}；保存期限：{part['保存期限']}"
    since = [f"   自 {part['自']}"] if part["自"] else []
    items = [f"   {one['项目']}：{one['内容']}（{one['删除时']}：{one['说明']}）" for one in part["内容"]]
    return [head, *since, *items]
