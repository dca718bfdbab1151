"""Suggestions of what was typed before: texts of the own office's newest records, and sellers without a code.

Nothing is stored for it: values are read from the newest records of the office, so that an office is never offered what
another typed. A form marks the texts that are offered with `suggest`.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import User, UserSession, UserStatus
from core import clock
from core.actor import Actor
from core.database.name_search import like_pattern
from core.db import inlined
from core.errors import Problem, invalid
from core.forms.library import FormLibrary
from core.text import clean_person, fold
from inspection.kinds import CHECK, KINDS, SELLERS, Kind
from inspection.models import Inspection
from inspection.statistics.models import EnterpriseTally
from inspection.statistics.tally_search import match
from inspection.workflows import SUBMITTED

RECORDS_READ = 300
"""Newest records of an office in which texts are looked for."""
MOST_OFFERED, MOST_SELLERS, MOST_COLLEAGUES = 20, 20, 50
SIGNED_IN_LATELY = timedelta(days=90)
_PEOPLE = {kind.name: "inspectors" if kind.record_type == CHECK else "samplers" for kind in KINDS.values()}
_WITHOUT_CODE = "n:"
_SELLER = ("org_name", "org_address", "business_address", "market_name")


def suggest(
    session: Session, forms: FormLibrary, actor: Actor, kind_name: str, field: str, q: str | None
) -> list[dict[str, Any]]:
    """Texts that the own office typed into this field lately, those used most often first; `q` is their beginning.

    Raises 422 for a field whose form does not offer them.
    """
    kind = KINDS[kind_name]
    _refuse_other(forms, kind, field)
    rows = session.execute(
        select(Inspection.data[field].label("value"), Inspection.check_date)
        .where(
            Inspection.office_id.in_(actor.offices),
            Inspection.status == inlined(SUBMITTED),  # as the index says it
            Inspection.kind == kind.name,
        )
        .order_by(Inspection.submitted_at.desc())
        .limit(RECORDS_READ)
    ).all()
    wanted = fold(q or "")
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        for text in _texts(row.value):
            key = fold(text)
            if key.startswith(wanted):
                day = row.check_date.isoformat() if row.check_date else None
                # The newest spelling of a text is offered.
                offered = found.setdefault(key, {"value": text, "times": 0, "last_used_on": day})
                offered["times"] += 1
    return sorted(found.values(), key=lambda one: -one["times"])[:MOST_OFFERED]


def colleagues(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """People of the own office whom a record may name: those named most often in its newest records first.

    Besides them who signed in lately under a user name of the office, and to whom its user names belong.
    """
    found: dict[str, dict[str, Any]] = {}

    def meet(name: str | None, day: date | None = None) -> None:
        if name and (cleaned := clean_person(name)):
            shown = found.setdefault(fold(cleaned), {"name": cleaned, "times": 0, "last_used_on": None})
            if day is not None:
                shown["times"] += 1
                shown["last_used_on"] = max(shown["last_used_on"] or "", day.isoformat())

    for kind, field in _PEOPLE.items():
        rows = session.execute(
            select(Inspection.data[field].label("names"), Inspection.check_date)
            .where(
                Inspection.office_id.in_(actor.offices),
                Inspection.status == inlined(SUBMITTED),
                Inspection.kind == kind,
            )
            .order_by(Inspection.submitted_at.desc())
            .limit(RECORDS_READ)
        )  # fmt: skip
        for row in rows:
            for name in _texts(row.names):
                meet(name, row.check_date)
    lately = UserSession.last_seen_at >= clock.now() - SIGNED_IN_LATELY
    of_office = User.office_id.in_(actor.offices) & (User.status == UserStatus.ACTIVE)
    meet(actor.operator_name)
    signed_in = select(UserSession.operator_name).join(User, User.id == UserSession.user_id).where(of_office, lately)
    for signed in session.scalars(signed_in.distinct().limit(RECORDS_READ)):
        meet(signed)
    owners = select(User.full_name).where(of_office, User.full_name.is_not(None)).limit(RECORDS_READ)
    for owner in session.scalars(owners):
        meet(owner)
    return sorted(found.values(), key=lambda one: (-one["times"], one["name"]))[:MOST_COLLEAGUES]


def _refuse_other(forms: FormLibrary, kind: Kind, field: str) -> None:
    try:
        form = forms.get(kind.form_code).form
    except Problem as problem:
        raise invalid("/kind", "unknown_kind", "没有这类检查的表单，请联系管理员") from problem
    if field not in form.suggested:
        offered = "、".join(f"{text}（{name}）" for name, text in form.suggested.items()) or "无"
        raise invalid("/field", "not_suggested", f"栏目“{field}”不提供填过的内容，请手动填写；提供的有：{offered}")


def _texts(value: Any) -> Iterable[str]:
    return (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str) and one)


def own_sellers(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Sellers without a code (无照) in the newest records of the own office, the newest first: what a phone keeps.

    Each as it was written last: name, addresses, market, and the day of that check.
    """
    rows = session.execute(
        select(*(Inspection.data[name].label(name) for name in _SELLER), Inspection.check_date)
        .where(
            Inspection.office_id.in_(actor.offices),
            Inspection.status == inlined(SUBMITTED),
            Inspection.kind.in_(SELLERS),
            Inspection.uscc.is_(None),
        )
        .order_by(Inspection.submitted_at.desc())
        .limit(RECORDS_READ)
    ).all()
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        found.setdefault(_place_of(row), _as_written(row))
    return list(found.values())


def _place_of(row: Any) -> tuple[str, str]:
    return fold(row.org_name or ""), fold(row.org_address or "")


def _as_written(row: Any) -> dict[str, Any]:
    return {**{name: getattr(row, name) for name in _SELLER}, "last_checked_on": row.check_date.isoformat()}


def sellers(session: Session, actor: Actor, q: str) -> list[dict[str, Any]]:
    """Sellers without a code (无照) that were checked in the caller's regions before, found by a part of their name.

    Each as it was written last: name, addresses, market, and the day of that check.
    """
    counted: Any = EnterpriseTally.records
    without_code = [EnterpriseTally.kind.in_(SELLERS), EnterpriseTally.org_key.like(f"{_WITHOUT_CODE}%")]
    matched = match(session, actor.scope, CHECK, q, counted, *without_code)
    if matched.tally_ids is not None:
        tallies = sorted(matched.tally_ids, reverse=True)[: 5 * MOST_SELLERS]
    else:  # too many to list: the user types more of the name
        named = EnterpriseTally.folded_name.like(like_pattern(q), escape="\\")
        where = [actor.scope.condition(EnterpriseTally), EnterpriseTally.record_type == CHECK, named, *without_code]
        tallies = list(session.scalars(select(EnterpriseTally.id).where(*where).limit(5 * MOST_SELLERS)))
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for tally_id in tallies:
        last = session.execute(
            select(*(Inspection.data[name].label(name) for name in _SELLER), Inspection.check_date)
            .where(Inspection.tally_id == tally_id, Inspection.status == SUBMITTED)
            .order_by(Inspection.check_date.desc(), Inspection.submitted_at.desc())
            .limit(1)
        ).first()
        if last is not None:
            found.setdefault(_place_of(last), _as_written(last))
        if len(found) == MOST_SELLERS:
            break
    return list(found.values())
