"""Whose record it is: the office of whoever enters it, and for a correction still the one that entered it."""

from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from core.actor import Actor, Scope
from inspection.models import Inspection


@dataclass(frozen=True, slots=True)
class Owner:
    """The office to which a record belongs, as far as judging asks for it."""

    office_id: UUID
    level: str
    chain: tuple[str, str | None, str | None]
    scope: Scope

    @classmethod
    def of(cls, actor: Actor, corrected: Inspection | None) -> Self:
        """The actor's office; of a submitted record that somebody corrects, the record's."""
        if corrected is None:
            return cls(actor.office_id, actor.level, actor.chain, actor.scope)
        chain = (corrected.area1, corrected.area2, corrected.area3)
        scope = actor.scope if corrected.office_id in actor.offices else _own_region(chain)
        return cls(corrected.office_id, corrected.level, chain, scope)


def _own_region(chain: tuple[str, str | None, str | None]) -> Scope:
    depth = sum(1 for code in chain if code)
    return Scope(depth == 0, ((depth, str(chain[depth - 1])),) if depth else ())


def actor_columns(actor: Actor) -> dict[str, Any]:
    """Columns that say who entered a record, for which office."""
    area1, area2, area3 = actor.chain
    return {
        "level": actor.level,
        "office_id": actor.office_id,
        "office_name": actor.office_name,
        "region_code": actor.region_code,
        "area1": area1,
        "area2": area2,
        "area3": area3,
        "created_by": actor.user_id,
        "username": actor.username,
        "operator_name": actor.operator_name,
    }
