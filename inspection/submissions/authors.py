"""Who fills in a record, and for which office: what submission needs of the signed-in user, taken once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from core.actor import Actor, Scope
from inspection.models import Inspection

RegionChain = tuple[str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Author:
    """The user who fills in a record, and the office to which the record belongs.

    `scope` is where the user may read records, `office_scope` the regions of the office. `columns` are the columns of
    `Inspection` that name them; a correction has none, because the record keeps whose it is.
    """

    user_id: UUID
    office_id: UUID
    level: str
    chain: RegionChain
    scope: Scope
    office_scope: Scope
    columns: Mapping[str, Any]

    @classmethod
    def of(cls, actor: Actor) -> Self:
        """Of a record that the actor enters: it belongs to the office at which the actor sits now."""
        area1, area2, area3 = actor.chain
        columns = {
            "level": actor.level, "office_id": actor.office_id, "office_name": actor.office_name,
            "region_code": actor.region_code, "area1": area1, "area2": area2, "area3": area3,
            "created_by": actor.user_id, "username": actor.username, "operator_name": actor.operator_name,
        }  # fmt: skip
        return cls(actor.user_id, actor.office_id, actor.level, actor.chain, actor.scope, actor.scope, columns)

    @classmethod
    def of_correction(cls, actor: Actor, record: Inspection) -> Self:
        """Of a submitted record that the actor corrects: it still belongs to the office that entered it."""
        chain = (record.area1, record.area2, record.area3)
        office_scope = actor.scope if record.office_id in actor.offices else _region_alone(chain)
        return cls(actor.user_id, record.office_id, record.level, chain, actor.scope, office_scope, {})


def _region_alone(chain: RegionChain) -> Scope:
    depth = sum(1 for code in chain if code)
    return Scope(depth == 0, ((depth, str(chain[depth - 1])),) if depth else ())
