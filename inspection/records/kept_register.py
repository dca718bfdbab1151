"""The register that a phone keeps (本机名录): what pre-fill and the questions at submission need, also in a cellar.

Of each enterprise its basics, its licences, for which of its planned products it was visited, and the last visit of
each kind and product, with what it found and what the next check takes from it (沿用上次). Visits are those that the
caller may read; personal data (`sensitive`) never come along.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from core.actor import Actor
from core.db import Database
from core.forms.definitions.carried import LAST_VISIT
from core.forms.library import FormLibrary
from core.text import fold
from enterprise.models import Enterprise
from enterprise.production import queries as licences
from enterprise.register_changes import Changes, changes_since
from inspection.kinds import PRODUCERS
from inspection.models import Inspection
from inspection.records.findings import findings
from inspection.statistics.models import EnterpriseTally
from inspection.workflows import SUBMITTED

PAGE_SIZE = 500

T = EnterpriseTally


def changes(
    database: Database, forms: FormLibrary, actor: Actor, after: str | None, page_size: int = PAGE_SIZE
) -> tuple[Changes, list[dict[str, Any]]]:
    """A page of what changed in the register of the actor's own regions since a mark, and its enterprises as kept.

    An office of the whole country has no register of its own. Raises 422 for a mark that is none.
    """
    found = changes_since(database, actor.scope, after, page_size)
    with database.read() as session:
        return found, _as_kept(session, forms, actor, found.ids)


def _as_kept(session: Session, forms: FormLibrary, actor: Actor, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """The enterprises as phones keep them, in the order of their codes."""
    enterprises = session.scalars(select(Enterprise).where(Enterprise.id.in_(ids)).order_by(Enterprise.uscc)).all()
    held = licences.licences_of_many(session, ids)
    visits = last_visits(session, forms, actor, [one.uscc for one in enterprises])
    kept = []
    for one in enterprises:
        of_it = visits.get(one.uscc, [])
        visited = {visit["product_code"] for visit in of_it if visit["kind"] in PRODUCERS}
        kept.append(
            {
                "uscc": one.uscc,
                "name": one.name,
                "former_names": _former_names(one),
                "address": one.address,
                "production_address": one.production_address,
                "legal_representative": one.legal_representative,
                "region_code": one.region_code,
                "scale": one.scale,
                "product_codes": one.product_codes,
                "visited": [code for code in one.product_codes if code in visited],
                "licences": [licences.licence_answer(licence) for licence in held.get(one.id, [])],
                "visits": of_it,
            }
        )
    return kept


def _former_names(enterprise: Enterprise) -> list[str]:
    """Names that its records may bear besides its own."""
    # Until it is imported anew, an enterprise that declared another name is known by both.
    names = [*enterprise.former_names, *filter(None, [enterprise.imported.get("name")])]
    return [name for name in dict.fromkeys(names) if fold(name) != fold(enterprise.name)]


def last_visits(
    session: Session, forms: FormLibrary, actor: Actor, codes: Iterable[str]
) -> Mapping[str, list[dict[str, Any]]]:
    """By credit code the last record of each kind and product that the actor may read, the newest first."""
    last = aliased(Inspection)
    newest = (
        select(last.id)
        .where(last.tally_id == T.id, last.status == SUBMITTED)
        .order_by(last.check_date.desc(), last.submitted_at.desc(), last.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    # The tallies of a code are few: its own index finds them, and the area only sieves.
    tallies = select(T.org_key, newest.label("record_id")).where(
        T.org_key.in_(list(codes)), T.records > 0, actor.scope.unindexed_condition(T)
    )
    by_record = {row.record_id: row.org_key for row in session.execute(tallies) if row.record_id is not None}
    i = Inspection
    records = session.execute(
        select(
            i.id, i.kind, i.product_code, i.check_date, i.submitted_at, i.unable, i.problems_found, i.disposal_state,
            i.conclusion, i.office_name,
        ).where(i.id.in_(by_record))
    ).all()  # fmt: skip
    said = _found(session, forms, [row.id for row in records if row.problems_found])
    facts = _facts(session, forms, by_record)
    visits: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for row in sorted(records, key=lambda row: (row.check_date, row.submitted_at, row.id), reverse=True):
        # Several offices may have checked it: the newest counts.
        visits.setdefault(by_record[row.id], {}).setdefault(
            (row.kind, row.product_code),
            {
                "record_id": str(row.id),
                "kind": row.kind,
                "product_code": row.product_code,
                "checked_on": row.check_date.isoformat(),
                "office": row.office_name,
                "unable": row.unable,
                "problems_found": row.problems_found,
                "disposal_state": row.disposal_state,
                "conclusion": row.conclusion,
                "findings": said.get(row.id, []),
                "facts": facts[row.id],
            },
        )
    return {code: list(of_code.values()) for code, of_code in visits.items()}


def _facts(session: Session, forms: FormLibrary, ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """What the newest version of their form takes from those records beforehand, without personal data."""
    rows = session.execute(
        select(Inspection.id, Inspection.form_code, Inspection.form_version, Inspection.data).where(
            Inspection.id.in_(ids)
        )
    )
    facts = {}
    for row in rows:
        answered, newest = forms.get(row.form_code, row.form_version).form, forms.get(row.form_code).form
        sealed = answered.sensitive | newest.sensitive
        said = {name: value for name, value in row.data.items() if name not in sealed}
        facts[row.id] = newest.presets({}, {LAST_VISIT: said}).body
    return facts


def _found(session: Session, forms: FormLibrary, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """What those records found, in sentences: only their answers are read."""
    rows = session.execute(
        select(
            Inspection.id, Inspection.form_code, Inspection.form_version, Inspection.data["answers"].label("answers")
        ).where(Inspection.id.in_(ids))
    )
    return {
        row.id: [
            str(one) for one in findings(forms.get(row.form_code, row.form_version).form, {"answers": row.answers})
        ]
        for row in rows
    }
