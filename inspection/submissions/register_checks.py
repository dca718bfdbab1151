"""A record against the register of enterprises (企业名录): another name, another product, another region.

Another name must be confirmed before submission (409 `name_differs`), because the finding would be shown to the wrong
enterprise. Once confirmed, the record belongs to no enterprise of the register: nothing is published to the one whose
code it carries, and it counts by its name and address, like a record without a code (`kinds.org_key`). The other
differences are warnings.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from accounts.models import Region
from core.actor import Scope
from core.database.prepared import Prepared
from core.errors import Fault, Problem
from core.text import fold
from enterprise.models import Enterprise
from enterprise.products import PRODUCTS

Warning_ = dict[str, str]

CHECKED, PRODUCER = ("uscc", "org_name"), ("nominal_producer_uscc", "nominal_producer")
"""Code and name of the enterprise that was checked or sampled, and of the nominal producer (标称生产者)."""

_E, _R = cast(Table, Enterprise.__table__).c, cast(Table, Region.__table__).c
_BY_CODE = Prepared(
    select(
        _E.name, _E.former_names, _E.imported, _E.product_codes, _E.area1, _E.area2, _E.area3,
        _R.name.label("region_name"),
    )
    .join_from(cast(Table, Enterprise.__table__), cast(Table, Region.__table__), _R.code == _E.region_code)
    .where(_E.uscc == bindparam("uscc"))
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Registered:
    """An enterprise as it stands in the register; `fields` are those of the record that hold its code and name."""

    fields: tuple[str, str]
    name: str
    former_names: tuple[str, ...]
    product_codes: tuple[str, ...]
    chain: tuple[str, str | None, str | None]
    region_name: str

    @classmethod
    def find(cls, session: Session, data: Mapping[str, Any], fields: tuple[str, str]) -> Self | None:
        """The enterprise whose code stands in the data; None where there is none, or no name beside it."""
        code, name = (data.get(field) for field in fields)
        if not isinstance(code, str) or not isinstance(name, str) or not code or not name:
            return None
        row = _BY_CODE.first(session, {"uscc": code})
        if row is None:
            return None
        # Until it is imported anew, an enterprise that declared another name is known by both.
        former = (*row.former_names, *filter(None, [row.imported.get("name")]))
        chain = (row.area1, row.area2, row.area3)
        return cls(fields, row.name, former, tuple(row.product_codes), chain, row.region_name)

    def has_name(self, name: str) -> bool:
        """Whether that is its name now."""
        return fold(name) == fold(self.name)

    def is_called(self, name: str) -> bool:
        """Whether that is or was its name."""
        return self.has_name(name) or fold(name) in map(fold, self.former_names)

    def differs_from(self, data: Mapping[str, Any]) -> bool:
        """Whether the record has a name beside this code that is not, and was not, the enterprise's."""
        return not self.is_called(str(data[self.fields[1]]))


@dataclass(frozen=True, slots=True)
class RegisterCheck:
    """The enterprises of the register whose codes a record names; None: not named, or not in the register."""

    checked: Registered | None
    producer: Registered | None

    @classmethod
    def look_up(cls, session: Session, data: Mapping[str, Any]) -> Self:
        """Ask the register, at most once for each that is named with a code."""
        return cls(Registered.find(session, data, CHECKED), Registered.find(session, data, PRODUCER))

    def contradictory(self, data: Mapping[str, Any]) -> list[Registered]:
        """The enterprises whose code is in the record together with the name of another enterprise."""
        return [one for one in (self.checked, self.producer) if one is not None and one.differs_from(data)]

    def refuse_other_names(self, data: Mapping[str, Any]) -> None:
        """409 `name_differs` with the names in the register."""
        if found := self.contradictory(data):
            raise Problem(
                "name_differs",
                errors=[Fault(f"/{one.fields[1]}", "name_differs", _other_name(one)) for one in found],
                registered=[{"path": f"/{one.fields[1]}", "name": one.name} for one in found],
            )

    def warnings(self, data: Mapping[str, Any], product_code: str, scope: Scope, *, submit: bool) -> Iterator[Warning_]:
        """What to check again; `scope` are the regions of the office to which the record belongs."""
        contradictory = self.contradictory(data)
        follows = "该记录不会告知名录中的企业" if submit else "仍不一致的，提交时须确认"
        for one in contradictory:
            yield _warning(one.fields[1], "name_differs", f"{_other_name(one)}；{follows}")
        for named in (self.checked, self.producer):
            if named is not None and named not in contradictory and not named.has_name(str(data[named.fields[1]])):
                yield _warning(named.fields[1], "former_name", f"所填为该企业的曾用名，名录中现名称为“{named.name}”")
        known = self.checked
        if known is None or known in contradictory:
            return  # products and region of another enterprise say nothing about this record
        if known.product_codes and product_code not in known.product_codes:
            names = "、".join(PRODUCTS[code].name for code in known.product_codes if code in PRODUCTS)
            yield _warning("product_code", "product_not_registered", f"名录中该企业的产品为：{names}，请核对所选产品")
        if not scope.contains(*known.chain):
            message = f"名录中该企业属于{known.region_name}，不在本单位辖区内，请核对是否为同一企业"
            yield _warning("uscc", "other_region", message)


def _other_name(one: Registered) -> str:
    return f"名录中该统一社会信用代码的企业名称为“{one.name}”，与所填名称不一致，请核对代码和名称"


def _warning(field: str, code: str, message: str) -> Warning_:
    return {"code": code, "path": f"/{field}", "message": message}
