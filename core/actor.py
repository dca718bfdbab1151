"""The acting user, and the scope: the regions in which an office may read records."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, true
from sqlalchemy.orm import InstrumentedAttribute


@dataclass(frozen=True, slots=True)
class Scope:
    """The regions that an office covers: pairs of depth (1 province, 2, 3) and code, or all of the country.

    `arriving` are those whose records are on their way to the office (`accounts/regions`), which may read them already.
    """

    national: bool
    areas: tuple[tuple[int, str], ...]
    arriving: tuple[tuple[int, str], ...] = ()

    @property
    def readable(self) -> tuple[tuple[int, str], ...]:
        """The regions of which records may be read now."""
        return self.areas + self.arriving

    def contains(self, *chain: str | None) -> bool:
        """Whether a record with the region chain `area1, area2, area3` lies within."""
        return self.national or any(depth <= len(chain) and chain[depth - 1] == code for depth, code in self.readable)

    def strictly_above(self, *chain: str | None) -> bool:
        """Whether the region at the end of the chain lies below (not at) one of the covered regions."""
        own_depth = sum(1 for code in chain if code is not None)
        return self.national or any(depth < own_depth and chain[depth - 1] == code for depth, code in self.areas)

    def condition(self, model: Any) -> ColumnElement[bool]:
        """`contains` as a WHERE condition over a table with `area1`, `area2`, `area3`."""
        return self._any_of(_columns(model)[depth - 1] == code for depth, code in self.readable)

    def unindexed_condition(self, model: Any) -> ColumnElement[bool]:
        """The same in expressions, for rows that something rarer finds: no plan begins with an area."""
        return self._any_of(func.coalesce(_columns(model)[depth - 1], "") == code for depth, code in self.readable)

    def strictly_above_condition(self, model: Any) -> ColumnElement[bool]:
        """`strictly_above` as a WHERE condition over such a table: a region stands in the column below the covered."""
        columns = _columns(model)
        return self._any_of(
            and_(columns[depth - 1] == code, columns[depth].is_not(None))
            for depth, code in self.areas
            if depth < len(columns)
        )

    def _any_of(self, terms: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
        return true() if self.national else or_(false(), *terms)


def _columns(model: Any) -> "tuple[InstrumentedAttribute[Any], ...]":
    return model.area1, model.area2, model.area3


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in user. `operator_name` is the person at the phone: a user name may be shared.

    `chain` is the region chain (province, region below, region below that) of the office;
    `chain[0]` is "" for an office without a region. `enterprise_id` is set for an enterprise's own
    users; their scope is empty. `unit_name` is the unit that the user named when applying. `imported_by` is the user
    name of the officer who brings in what this user's phone could not send. `filing_id`: somebody with a query code
    (查询码), who reaches that filing and nothing else; the gate (`miniapp_api/http/gates.py`) sees to it. `system`:
    somebody who registered without an officer (自行注册) and has rights in that business system alone.
    """

    user_id: UUID
    username: str
    operator_name: str | None
    session_id: UUID
    office_id: UUID
    office_name: str
    office_kind: str
    level: str
    region_code: str | None
    region_name: str | None
    chain: tuple[str, str | None, str | None]
    scope: Scope
    roles: tuple[str, ...]
    verbs: frozenset[str]
    must_change_password: bool
    enterprise_id: UUID | None = None
    absorbed: tuple[UUID, ...] = ()
    unit_name: str | None = None
    imported_by: str | None = None
    has_second_factor: bool = False
    filing_id: UUID | None = None
    system: str | None = None

    @property
    def offices(self) -> tuple[UUID, ...]:
        """The own office, and those that merged into it, whose affairs it goes on with."""
        return (self.office_id, *self.absorbed)

    def works_in(self, system: str) -> bool:
        """Whether the actor may have rights in a business system at all."""
        return self.system in (None, system)

    def as_payload(self) -> dict[str, Any]:
        """How history names the actor."""
        imported = {"imported_by": self.imported_by} if self.imported_by else {}
        return {"actor": self.username, "operator_name": self.operator_name, "office": self.office_name, **imported}
