"""Reorganisations of regions (区划调整): planned for a day, validated, listed, cancelled; `moves.py` carries them out.

A county gets another superior, another code, or is merged into another. Loading new data of regions does none of it
(`loading.py` refuses): offices, rights, kept figures and the scope of every record must move together.
A region that is split needs none: its records stay with the part that keeps the code, and the register of enterprises
says who lies in the new part.
"""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from accounts.models import Office, OfficeKind, Region, RegionLevel, Reorganisation, User
from accounts.offices import level_of
from accounts.regions.chain_tables import AREAS, Chain, Moving, counts_below
from accounts.verbs import roles_after_move
from accounts.workflows import REORGANISATION
from core import clock
from core.errors import Problem, invalid
from core.text import clean_line

LISTED = 200


class Kind(enum.StrEnum):
    """What becomes of a region."""

    SUPERIOR = "superior"
    NEW_CODE = "new_code"
    MERGED = "merged"


LABELS = {Kind.SUPERIOR: "变更上级", Kind.NEW_CODE: "变更代码", Kind.MERGED: "并入"}
PLANNED, MOVING, SETTLING, DONE, CANCELLED = "planned", "moving", "settling", "done", "cancelled"
UNDER_WAY = (MOVING, SETTLING)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to happen on a day. `name` and `parent_code` are those of a region that is made by it."""

    kind: Kind
    code: str
    into_code: str
    day: date
    name: str | None = None
    parent_code: str | None = None
    note: str | None = None


def plan(session: Session, wanted: Wanted, *, by: str) -> Reorganisation:
    """Note a reorganisation for its day; the one that is there already if it is the same.

    Raises 422 with what is wrong. What is planned is validated again on its day.
    """
    name, note = (clean_line(text or "") or None for text in (wanted.name, wanted.note))
    wanted = replace(wanted, name=name, note=note)
    there = session.scalars(
        select(Reorganisation).where(
            Reorganisation.code == wanted.code, Reorganisation.status.in_((PLANNED, *UNDER_WAY))
        )
    ).all()
    for one in there:
        if (one.kind, one.into_code, one.day) == (wanted.kind, wanted.into_code, wanted.day):
            return one
        if one.status == PLANNED:
            raise invalid(
                "/code", "planned_already", f"{wanted.code} 已登记 {one.day} 的区划调整（编号 {one.id}），请先取消"
            )
    validate(session, wanted, expected=_made_by_plans(session, wanted.day))
    values = {
        "id": uuid4(), "kind": wanted.kind.value, "code": wanted.code, "into_code": wanted.into_code,
        "parent_code": wanted.parent_code, "name": wanted.name, "day": wanted.day, "note": wanted.note,
        "planned_by": by[:64], "planned_at": clock.now(), "old_chain": None, "new_chain": None, "moved": 0,
        "swept_at": None,
    }  # fmt: skip
    recorded = {name: values[name] for name in ("kind", "code", "into_code", "parent_code", "name", "note")}
    REORGANISATION.enter(
        session, None, "plan", values, {**recorded, "day": wanted.day.isoformat(), "operator_name": by}
    )
    return session.get_one(Reorganisation, values["id"])


def cancel(session: Session, reorganisation_id: UUID, *, by: str) -> Reorganisation:
    """Cancel what is only planned; 409 once it has begun."""
    record = session.get(Reorganisation, reorganisation_id)
    if record is None:
        raise Problem("not_found", f"没有编号为 {reorganisation_id} 的区划调整")
    REORGANISATION.move(session, None, record, "cancel", payload={"operator_name": by})
    return record


def listed(session: Session) -> Sequence[Reorganisation]:
    """The newest first."""
    ordered = select(Reorganisation).order_by(Reorganisation.day.desc(), Reorganisation.planned_at.desc())
    return session.scalars(ordered.limit(LISTED)).all()


def wanted_of(record: Reorganisation) -> Wanted:
    """What was planned."""
    return Wanted(
        Kind(record.kind), record.code, record.into_code, record.day, record.name, record.parent_code, record.note
    )


def _made_by_plans(session: Session, day: date) -> dict[str, str | None]:
    """Codes of regions that plans up to a day will make, with their superiors."""
    rows = session.execute(
        select(Reorganisation.into_code, Reorganisation.parent_code, Region.parent_code)
        .join(Region, Region.code == Reorganisation.code)
        .where(
            Reorganisation.status == PLANNED, Reorganisation.day <= day,
            Reorganisation.kind != Kind.SUPERIOR, Reorganisation.name.is_not(None),
        )
    )  # fmt: skip
    return {row[0]: row[1] or row[2] for row in rows}


def chain_of(region: Region) -> tuple[str, ...]:
    """The codes from the province down to the region."""
    return tuple(code for code in (region.area1, region.area2, region.area3) if code is not None)


def validate(session: Session, wanted: Wanted, *, expected: dict[str, str | None] | None = None) -> Moving:
    """What would move; raises 422 with a sentence where the reorganisation is not possible.

    `expected` are regions that are not there yet and will be, by code, with their superiors.
    """
    source = _living(session, "/code", wanted.code)
    if source.depth == 1:
        raise invalid("/code", "province", f"{source.name}是省级区划，不能用区划调整变更，请核对代码")
    new = (*_new_place(session, wanted, source, expected or {}),)
    old = chain_of(source)
    # The first two digits of a code are its province's.
    if new[0] != old[0] or wanted.into_code[:2] != source.code[:2]:
        raise invalid("/into", "other_province", "不能跨省调整：抽样单编号、自建词条和案卷按省保存，请核对代码")
    if wanted.kind != Kind.SUPERIOR and (wanted.code in new or wanted.into_code in old):
        raise invalid("/into", "circle", f"{wanted.into_code} 是 {wanted.code} 本身，或是其上级、下级，请核对")
    if len(new) > 3:
        raise invalid("/into", "too_deep", f"{wanted.into_code} 下不能再设一级区划，请核对代码")
    below = session.scalar(select(func.count()).where(Region.parent_code == source.code))
    if below and len(new) != len(old):
        raise invalid("/into", "too_deep", f"{source.name}下辖 {below} 个区划，不能改变层级，请先调整其下辖区划")
    return Moving(old, new)


def _living(session: Session, path: str, code: str) -> Region:
    region = session.get(Region, code, populate_existing=True)
    if region is None:
        raise invalid(path, "unknown_region", f"行政区划代码“{code}”不存在，请核对")
    if region.valid_to is not None:
        raise invalid(path, "abolished_region", f"{region.name}（{code}）已于 {region.valid_to} 撤销，请核对")
    return region


def _new_place(session: Session, wanted: Wanted, source: Region, expected: dict[str, str | None]) -> Chain:
    if wanted.kind == Kind.SUPERIOR:
        parent = _superior(session, "/into", wanted.into_code)
        if parent.code == source.parent_code:
            raise invalid("/into", "nothing_changes", f"{source.name}的上级已是{parent.name}，无需调整，请核对代码")
        if source.code in chain_of(parent):
            raise invalid("/into", "circle", f"{parent.name}属于{source.name}，不能作为其上级，请核对代码")
        return (*chain_of(parent), source.code)
    target = session.get(Region, wanted.into_code, populate_existing=True)
    if not (len(wanted.into_code) == 6 and wanted.into_code.isascii() and wanted.into_code.isdigit()):
        raise invalid("/into", "bad_code", "行政区划代码应为6位数字，请核对")
    if target is not None and wanted.kind == Kind.MERGED:
        return chain_of(_living(session, "/into", wanted.into_code))
    if target is not None:
        hint = "已撤销，代码不能重新使用" if target.valid_to else "已存在；两地合并请用 merge"
        raise invalid("/into", "code_taken", f"{target.name}（{target.code}）{hint}")
    if wanted.name is None and wanted.kind == Kind.MERGED and wanted.into_code not in expected:
        raise invalid("/name", "required", f"{wanted.into_code} 尚不存在，请用 --name 写明新设区划的名称")
    parent_code = wanted.parent_code or expected.get(wanted.into_code) or source.parent_code
    return (*chain_of(_superior(session, "/parent", parent_code or "")), wanted.into_code)


def _superior(session: Session, path: str, code: str) -> Region:
    region = _living(session, path, code)
    if region.level == RegionLevel.COUNTY:
        raise invalid(path, "not_a_superior", f"{region.name}是县级区划，下面不能再有区划，请核对代码")
    return region


Losing = tuple[str, tuple[str, ...]]
"""A user name, and the roles that the user loses."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a reorganisation would move: rows by table, offices that are closed, users who go to another office."""

    moving: Moving
    rows: dict[str, int]
    offices: int
    closed: tuple[str, ...]
    users: int
    losing: tuple[Losing, ...]


def preview(session: Session, wanted: Wanted) -> Preview:
    """What would move if it were done now; changes nothing (dry run)."""
    moving = validate(session, wanted, expected=_made_by_plans(session, wanted.day))
    offices = select(func.count()).where(Office.region_code == wanted.code)
    closing = session.scalars(bureaus(wanted.code)).all() if wanted.kind == Kind.MERGED else ()
    users = session.scalar(select(func.count()).where(User.office_id.in_([office.id for office in closing])))
    return Preview(
        moving, counts_below(session, moving.old), session.scalar(offices) or 0,
        tuple(office.name for office in closing), users or 0, losing_roles(session, wanted),
    )  # fmt: skip


def losing_roles(session: Session, wanted: Wanted) -> tuple[Losing, ...]:
    """Users of bureaus that are closed, with the roles that the level of their new office does not bring."""
    target = session.get(Region, wanted.into_code)
    if wanted.kind != Kind.MERGED or target is None:  # a region that is made has the level of the one it replaces
        return ()
    people = (
        select(User.username, User.roles, Office)
        .join(Office, Office.id == User.office_id)
        .where(Office.id.in_([office.id for office in session.scalars(bureaus(wanted.code))]))
        .order_by(User.username)
    )
    people_and_roles = (
        (row[0], roles_after_move(row[1], level_of(row[2]), target.level)[1]) for row in session.execute(people)
    )
    return tuple((username, tuple(dropped)) for username, dropped in people_and_roles if dropped)


def bureaus(code: str) -> Any:
    """The open bureaus of a region, which are closed when it is merged into another."""
    return select(Office).where(
        Office.region_code == code, Office.kind == OfficeKind.BUREAU.value, Office.closed_on.is_(None)
    )


class EarlierChains:
    """The chains that a row may have had before reorganisations moved it: digests made before contain them."""

    def __init__(self, session: Session) -> None:
        rows = session.execute(
            select(Reorganisation.old_chain, Reorganisation.new_chain).where(Reorganisation.old_chain.is_not(None))
        )
        self._moves = [Moving(tuple(row.old_chain), tuple(row.new_chain)) for row in rows]

    def before(self, chain: Sequence[str | None]) -> Iterator[dict[str, str | None]]:
        """Each of them once, as values of `area1`, `area2`, `area3`; the given one is not among them."""
        start = tuple(code for code in chain if code is not None)
        seen, waiting = {start}, [start]
        while waiting:
            now = waiting.pop()
            for one in self._moves:
                if now[: len(one.new)] != one.new:
                    continue
                earlier = one.old + now[len(one.new) :]
                if earlier not in seen and len(earlier) <= len(AREAS):
                    seen.add(earlier)
                    waiting.append(earlier)
                    yield dict(zip(AREAS, (*earlier, None, None), strict=False))
