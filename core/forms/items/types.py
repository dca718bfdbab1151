"""All types of items as one union, discriminated by `type`."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, get_args

from pydantic import Field, TypeAdapter, create_model

from core.forms.items import keys
from core.forms.items.base import ItemType
from core.forms.items.cells import Cell
from core.forms.items.choices import Boolean, Choice, Disposal, Multi
from core.forms.items.groups import Group
from core.forms.items.identities import Email, Mobile, Region, ResidentId, Tel, Uscc
from core.forms.items.quantities import Date, Number
from core.forms.items.texts import Text
from core.forms.items.uploads import File, Photos, Signature

AnyItem = (
    Text | Number | Date | Boolean | Choice | Multi | Disposal | Mobile | Tel | ResidentId | Uscc | Email | Region
    | Photos | Signature | File | Group
)  # fmt: skip
ITEM: Final[TypeAdapter[AnyItem]] = TypeAdapter(Annotated[AnyItem, Field(discriminator="type")])
"""Reads the keys of an item whose type is known."""

TYPES: Final[Mapping[str, type[ItemType]]] = {
    get_args(one.model_fields["type"].annotation)[0]: one for one in get_args(AnyItem)
}


class _Untyped(ItemType):
    sealable: ClassVar[bool] = True


def _of_types(name: str) -> bool:
    return name not in ItemType.model_fields


UNTYPED: Final[type[ItemType]] = create_model(
    "Untyped",
    __base__=_Untyped,
    **dict.fromkeys(
        (name for one in TYPES.values() for name in one.model_fields if _of_types(name)),
        (Annotated[Any, keys.PARTS], None),
    ),
)  # type: ignore[call-overload]
"""Reads an item whose type is not known, so that the keys of its type are not reported as well."""

_FIRST = (
    "no", "field", "text", "type", "options", "options_from", "required", "required_when", "visible_when",
    "problem_when", "problem_text",
)  # fmt: skip


def _columns() -> dict[str, Cell]:
    of_types = {name: cell for one in TYPES.values() for name, cell in one.cells().items() if _of_types(name)}
    found = of_types | ItemType.cells()
    return {name: found[name] for name in _FIRST} | found


COLUMNS: Final[Mapping[str, Cell]] = _columns()
"""The columns of the sheet of items: first those that most items need, then those of the types."""


def columns_of(kind: object) -> Mapping[str, Cell]:
    """The columns for an item of a type, in the order of `COLUMNS`."""
    typed = TYPES.get(kind) if isinstance(kind, str) else None
    return COLUMNS if typed is None else {**COLUMNS, **typed.cells()}
