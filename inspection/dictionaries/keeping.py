"""What the keeper of a dictionary does with its entries (词条管理): rename, retype, retire, restore, merge, adopt.

Entries that inspectors added belong to their province, all of which is in the scope of its keepers. Those of the whole
country come with the product and are kept on the command line. Records do not change: they store the name of their time
beside the id, a merged id stays valid as another name, and an entry counts as what it was on the day of the check
(`CachedEntry` in `entries.py`), so that a check filled offline is not refused for what happened meanwhile.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from accounts.models import User
from accounts.verbs import Verb
from core import clock
from core.actor import Actor
from core.errors import Problem, invalid
from core.text import clean, demanded, fold
from core.workflows import history, idempotency
from core.workflows.versions import refuse_stale
from core.workflows.workflow import SYSTEM, Step, Workflow
from enterprise.products import REGULATION_TYPES
from inspection.dictionaries import entries as dictionaries
from inspection.dictionaries.entries import ACTIVE, MERGED, PRODUCT_ITEMS, RETIRED, Warnings, checked_name, unusual_type
from inspection.dictionaries.models import DictionaryEntry

_STEPS = (
    ("rename", ACTIVE, ACTIVE),
    ("retype", ACTIVE, ACTIVE),
    ("adopt", ACTIVE, ACTIVE),
    ("retire", ACTIVE, RETIRED),
    ("merge", ACTIVE, MERGED),
    ("merge", RETIRED, MERGED),
    ("restore", RETIRED, ACTIVE),
    ("restore", MERGED, ACTIVE),
)
_ON_COMMAND_LINE = "administrator_"

KEEPING = Workflow(
    "dictionary_entry",
    DictionaryEntry,
    {ACTIVE: "使用中", RETIRED: "已停用", MERGED: "已并入其他词条"},
    [
        Step("add", None, ACTIVE, Verb.INSPECTION_WRITE),
        *(Step(action, source, target, Verb.DICTIONARIES_KEEP) for action, source, target in _STEPS),
        # By the administrator of the installation.
        *(Step(f"{_ON_COMMAND_LINE}{action}", source, target, SYSTEM) for action, source, target in _STEPS),
    ],
)

Changes = dict[str, Any]


def keep(
    session: Session,
    actor: Actor,
    dictionary: str,
    product_code: str,
    entry_id: UUID,
    action: str,
    body: Mapping[str, Any],
) -> tuple[DictionaryEntry, Warnings]:
    """One action of a keeper; returns the entry as it is then, and warnings.

    Raises 404 for what the actor may not see, 403 for an entry of a wider area than the actor's, 409 `wrong_status`,
    `stale_version` or `name_taken`, 422 for a faulty body.
    """
    entry = dictionaries.get_readable(session, actor, dictionary, product_code, entry_id)
    _refuse_wider(actor, entry)
    if idempotency.claim(session, idempotency.key(actor.user_id, f"dictionary.{action}", entry_id, body)):
        _act(session, actor, entry, action, body)
        entry = dictionaries.get_readable(session, actor, dictionary, product_code, entry_id)
    return entry, _warnings(session, entry)


def keep_by_administrator(
    session: Session, entry_id: UUID, action: str, body: Mapping[str, Any], by: str
) -> DictionaryEntry:
    """The same on the command line, for entries of any area; `by` is who runs the command."""
    entry = session.get(DictionaryEntry, entry_id)
    if entry is None:
        raise Problem("not_found", f"没有编号为 {entry_id} 的词条，请用 dictionaries list 查看")
    _act(session, None, entry, action, {**body, "version": entry.version}, {"actor": "命令行", "operator_name": by})
    return session.get_one(DictionaryEntry, entry_id, populate_existing=True)


def entry_answer(session: Session, actor: Actor, entry: DictionaryEntry) -> dict[str, Any]:
    """An entry with its other names; only its keepers read who added it, who may be of any county."""
    names = session.scalars(
        select(DictionaryEntry.name).where(DictionaryEntry.alias_of == entry.id).distinct().limit(100)
    )
    known = entry.created_by and Verb.DICTIONARIES_KEEP in actor.verbs and actor.scope.contains(entry.area1, None, None)
    added_by = session.scalar(select(User.username).where(User.id == entry.created_by)) if known else None
    return {
        **dictionaries.as_json(entry),
        "other_names": sorted(name for name in names if name != entry.name),
        "former_types": [{"regulation_type": kind, "until": until} for kind, until in entry.former_types],
        "added_by": added_by,
        "added_at": clock.rfc3339(entry.created_at),
    }


def content_of(entry: DictionaryEntry) -> dict[str, Any]:
    """What an entry says, as its history repeats it (`integrity.py`)."""
    return {
        "name": entry.name,
        "regulation_type": entry.regulation_type,
        "alias_of": str(entry.alias_of) if entry.alias_of else None,
        "retired_on": entry.retired_on.isoformat() if entry.retired_on else None,
    }


def refuse_part_of_province(actor: Actor, entry: DictionaryEntry) -> None:
    """403 for an entry of a province, unless all of the province is in the actor's scope."""
    if entry.area1 and not actor.scope.contains(entry.area1, None, None):
        raise Problem("forbidden", "全省共用的词条由省级维护，请联系省级词条管理员")


def _refuse_wider(actor: Actor, entry: DictionaryEntry) -> None:
    if entry.area1 == "" and not actor.scope.national:
        raise Problem("forbidden", f"“{entry.name}”是全国通用词条，由系统管理员维护；本省新增的词条才能在这里修改")
    refuse_part_of_province(actor, entry)


def _act(
    session: Session,
    actor: Actor | None,
    entry: DictionaryEntry,
    action: str,
    body: Mapping[str, Any],
    payload: Mapping[str, Any] | None = None,
) -> None:
    step = action if actor is not None else f"{_ON_COMMAND_LINE}{action}"
    KEEPING.step(step, entry.status, actor)
    refuse_stale(entry.version, body)
    before = content_of(entry)
    changes = _ACTIONS[action](session, entry, body)
    after = before | {name: _as_json(value) for name, value in changes.items() if name in before}
    change = {
        "changed": {name: [before[name], after[name]] for name in before if before[name] != after[name]},
        "content": after,
        **history.marked(_unlike(session, entry, before)),
        "reason": clean(body.get("reason") or "") or None,
    }
    try:
        KEEPING.move(session, actor, entry, step, changes, {**(payload or {}), **change})
    except IntegrityError as error:
        raise _name_taken(changes.get("name", entry.name)) from error
    if "name" in changes:
        _keep_former_name(session, actor, entry, before["name"])


def _unlike(session: Session, entry: DictionaryEntry, content: Mapping[str, Any]) -> list[str]:
    """The name of what the history repeats, where an entry is not what its last step said."""
    recorded = history.last_payload(session, entry.id).get("content")
    return [] if recorded is None or recorded == content else ["content"]


def _as_json(value: Any) -> Any:
    return None if value is None else str(value)


def _name_taken(name: str) -> Problem:
    return Problem("name_taken", f"已有名称为“{name}”的词条（不区分大小写、全角半角、横线和空格），请改用“合并”")


def _renamed(session: Session, entry: DictionaryEntry, body: Mapping[str, Any]) -> Changes:
    name = checked_name(str(body.get("name") or ""))
    other = session.scalar(
        select(DictionaryEntry.id).where(
            DictionaryEntry.dictionary == entry.dictionary,
            DictionaryEntry.product_code == entry.product_code,
            DictionaryEntry.area1.in_(["", entry.area1]),
            DictionaryEntry.folded_name == fold(name),
            DictionaryEntry.alias_of.is_(None),
            DictionaryEntry.id != entry.id,
        )
    )
    if other is not None:
        raise _name_taken(name)
    if name == entry.name:
        raise invalid("/name", "unchanged", "新名称与原名称相同，请修改后再保存")
    return {"name": name, "folded_name": fold(name)}


def _keep_former_name(session: Session, actor: Actor | None, entry: DictionaryEntry, name: str) -> None:
    """So that a phone that adds the former name once more, offline, gets this entry."""
    now = session.get_one(DictionaryEntry, entry.id, populate_existing=True)
    if now.folded_name == fold(name):
        return
    session.execute(
        insert(DictionaryEntry).values(
            id=uuid4(), dictionary=now.dictionary, product_code=now.product_code, name=name, folded_name=fold(name),
            regulation_type=now.regulation_type, area1=now.area1, alias_of=now.id, status=MERGED, version=1,
            former_types=[], proposed=False, created_by=actor.user_id if actor else None, created_at=clock.now(),
        )
    )  # fmt: skip


def _retyped(session: Session, entry: DictionaryEntry, body: Mapping[str, Any]) -> Changes:
    kind = body.get("regulation_type")
    if entry.dictionary != PRODUCT_ITEMS or entry.regulation_type is None:
        raise invalid("/regulation_type", "not_typed", "检验项目没有监管类型，不能修改；请核对所选的操作")
    if kind not in REGULATION_TYPES:
        raise invalid("/regulation_type", "unknown_option", "请选择监管类型")
    if kind == entry.regulation_type:
        raise invalid("/regulation_type", "unchanged", "监管类型与原来相同，请修改后再保存")
    demanded(body.get("reason"), "/reason", "修改监管类型须填写原因")
    former = [*entry.former_types, [entry.regulation_type, clock.today().isoformat()]]
    return {"regulation_type": kind, "former_types": former}


def _retired(session: Session, entry: DictionaryEntry, body: Mapping[str, Any]) -> Changes:
    demanded(body.get("reason"), "/reason", "停用词条须填写原因")
    return {"retired_on": clock.today()}


def _restored(session: Session, entry: DictionaryEntry, body: Mapping[str, Any]) -> Changes:
    return {"retired_on": None, "alias_of": None}


def _adopted(session: Session, entry: DictionaryEntry, body: Mapping[str, Any]) -> Changes:
    if not entry.proposed:
        raise invalid("", "not_proposed", f"“{entry.name}”不是建议项，无须确认，请刷新列表")
    return {"proposed": False}


def _merged(session: Session, entry: DictionaryEntry, body: Mapping[str, Any]) -> Changes:
    into_id = UUID(str(body.get("into")))
    # Both are locked until the end, in one order, so that two entries never become each other's other name.
    held = session.scalars(
        select(DictionaryEntry)
        .where(DictionaryEntry.id.in_([entry.id, into_id]))
        .order_by(DictionaryEntry.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    into = next((one for one in held if one.id == into_id), None)
    if into is None or not _is_offered_with(into, entry):
        raise invalid("/into", "unknown_item", "要并入的词条不在同一产品的目录中，请重新选择")
    if into.id == entry.id:
        raise invalid("/into", "same_item", "不能并入自身，请选择另一个词条")
    if into.status != ACTIVE:
        raise invalid("/into", "not_active", f"“{into.name}”{KEEPING.statuses[into.status]}，请选择使用中的词条")
    if into.regulation_type != entry.regulation_type:
        message = f"“{entry.name}”与“{into.name}”的监管类型不同，请先更正监管类型，再合并"
        raise invalid("/into", "other_regulation_type", message)
    return {"alias_of": into.id, "retired_on": None}


def _is_offered_with(into: DictionaryEntry, entry: DictionaryEntry) -> bool:
    """Whether everybody who is offered the entry is offered the other one too, in the same list."""
    same_list = (into.dictionary, into.product_code) == (entry.dictionary, entry.product_code)
    return same_list and into.area1 in ("", entry.area1)


def _warnings(session: Session, entry: DictionaryEntry) -> Warnings:
    if entry.dictionary != PRODUCT_ITEMS or entry.regulation_type is None or entry.status != ACTIVE:
        return []
    return unusual_type(session, entry.product_code, entry.name, entry.regulation_type)


_ACTIONS: dict[str, Callable[[Session, DictionaryEntry, Mapping[str, Any]], Changes]] = {
    "rename": _renamed,
    "retype": _retyped,
    "retire": _retired,
    "restore": _restored,
    "merge": _merged,
    "adopt": _adopted,
}
