"""What is read of filings, already limited to what the caller may see."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from core import clock, history
from core.actor import Actor
from core.errors import not_found
from core.forms.sealing import readable
from core.name_search import like_pattern
from core.paging import Page, PageRequest, fetch
from enterprise.filings.engine import DELETED, Filings, party
from enterprise.filings.kinds import ENTERPRISE, FilingKind
from enterprise.filings.models import Filing, FilingVersion
from enterprise.models import Enterprise


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of the list, combined with AND; `q` is a fragment of the enterprise's name."""

    kind: str | None = None
    status: str | None = None
    q: str | None = None


def filings(session: Session, engine: Filings, actor: Actor, filters: Filters, request: PageRequest) -> Page:
    """The own filings of an enterprise, or those sent to (or opened by) the actor's office, newest first."""
    conditions: list[ColumnElement[bool]] = [Filing.status != DELETED]
    if actor.enterprise_id is not None:
        conditions.append(Filing.enterprise_id == actor.enterprise_id)
    else:
        conditions.append(actor.reach.condition(Filing))
        conditions.append(or_(Filing.sent > 0, Filing.opened_by_office))
    if filters.kind is not None:
        conditions.append(Filing.kind == filters.kind)
    if filters.status is not None:
        conditions.append(Filing.status == filters.status)
    if filters.q:
        named = select(Enterprise.id).where(
            Enterprise.id == Filing.enterprise_id,
            Enterprise.folded_name.like(like_pattern(filters.q), escape="\\"),
        )
        conditions.append(named.exists())
    ordered = select(Filing).order_by(Filing.created_at.desc(), Filing.id.desc())
    return fetch(session, ordered, Filing.id, request, *conditions)


def show_row(engine: Filings, actor: Actor, filing: Filing) -> dict[str, Any]:
    """A filing in a list, with what the caller may do now."""
    kind = engine.kind_of(filing)
    return {
        "id": str(filing.id),
        "kind": filing.kind,
        "title": filing.title,
        "status": filing.status,
        "status_label": kind.statuses[filing.status],
        "version": filing.version,
        "uscc": filing.uscc,
        "org_name": filing.org_name,
        "subject": _subject(filing),
        "opinion": filing.opinion,
        "due_on": filing.due_on.isoformat() if filing.due_on else None,
        "colour": _colour(kind, filing),
        "late": filing.late,
        "sent": filing.sent,
        "created_at": clock.rfc3339(filing.created_at),
        "sent_at": clock.rfc3339(filing.sent_at) if filing.sent_at else None,
        "finished_at": clock.rfc3339(filing.finished_at) if filing.finished_at else None,
        "actions": actions(kind, actor, filing),
    }


def actions(kind: FilingKind, actor: Actor, filing: Filing) -> list[str]:
    """What the caller may do now; `save` where the working copy may be changed."""
    side = party(actor, filing)
    if side is None:
        return []
    saving = ["save"] if side == ENTERPRISE and filing.status in kind.editable else []
    return saving + kind.actions(filing.status, frozenset({side}))


def _subject(filing: Filing) -> dict[str, str] | None:
    if filing.subject_id is None or filing.subject_type is None:
        return None
    return {"type": filing.subject_type, "id": str(filing.subject_id)}


def _colour(kind: FilingKind, filing: Filing) -> str | None:
    """Yellow until due, red after (未超期黄灯，已超期红灯), while it is the enterprise's turn (spec/c §2.6)."""
    if filing.due_on is None or filing.status not in kind.editable:
        return None
    return "red" if clock.today() > filing.due_on else "yellow"


def show(session: Session, engine: Filings, actor: Actor, filing: Filing) -> dict[str, Any]:
    """A whole filing. The enterprise sees its working copy, an office the version that was sent to it."""
    shown = show_row(engine, actor, filing)
    own = party(actor, filing) == ENTERPRISE
    content: Filing | FilingVersion = filing
    if not own and filing.sent > 0:
        content = _version(session, filing, filing.sent)
    return {**shown, **_content(engine, content, clear=own or filing.finished_at is None)}


def _content(engine: Filings, row: Filing | FilingVersion, *, clear: bool) -> dict[str, Any]:
    form = engine.forms.get(row.form_code, row.form_version).form
    return {
        "form": {"code": row.form_code, "version": row.form_version},
        "data": readable(form, row.data, clear=clear),
        "documents": row.documents,
    }


def _version(session: Session, filing: Filing, number: int) -> FilingVersion:
    row = session.scalar(
        select(FilingVersion).where(FilingVersion.filing_id == filing.id, FilingVersion.number == number)
    )
    if row is None:
        raise not_found()
    return row


def versions(session: Session, engine: Filings, filing: Filing) -> list[dict[str, Any]]:
    """All versions that were sent, oldest first."""
    rows = session.scalars(
        select(FilingVersion).where(FilingVersion.filing_id == filing.id).order_by(FilingVersion.number).limit(100)
    ).all()
    return [
        {
            "number": row.number,
            "sent_at": clock.rfc3339(row.sent_at),
            "operator_name": row.operator_name,
            **_content(engine, row, clear=False),
        }
        for row in rows
    ]


def history_of(session: Session, filing: Filing) -> list[dict[str, Any]]:
    """The moves of a filing, oldest first."""
    return history.read(session, filing.id)


def show_kind(kind: FilingKind, definition: Mapping[str, Any], verbs: frozenset[str]) -> dict[str, Any]:
    """A kind as the phone needs it: form, documents, workflow with what the caller may ever do."""
    return {
        "code": kind.code,
        "title": kind.title,
        "rateable": kind.rateable,
        "opened_by": kind.opened_by,
        "subject_type": kind.subject_type,
        "form": definition,
        "documents": [
            {
                "category": d.category.code,
                "title": d.category.label,
                "required": d.required,
                "extensions": list(d.category.allowed),
                "purposes": sorted(d.category.purposes),
                "max_count": d.category.max_count,
                "max_bytes": d.category.max_bytes,
            }
            for d in kind.documents
        ],
        "statuses": [{"code": code, "label": label} for code, label in kind.statuses.items()],
        "steps": [
            {
                "action": s.action,
                "label": s.label,
                "from": s.source,
                "to": s.target,
                "comment_required": s.comment,
                "mine": s.who in verbs,
            }
            for s in kind.steps
        ],
    }
