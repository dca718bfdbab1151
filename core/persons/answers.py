"""What answers to a form say of a person.

Which of them do follows from the definition of the form, so that a form that is published later is covered too: items
whose value is personal (`mobile`, `tel`, `resident_id`, whatever is `sensitive`) identify a person; what is asked
beside them under the same stem (`contact_name` beside `contact_tel`) belongs to that person. In all other answers the
number and the name are looked for, but for what is prefilled from the register of enterprises (`default_from`) and for
the officers who act (`suggest`), whose names stay.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.forms.form import Form
from core.forms.items.item import Item
from core.forms.sealing import opened
from core.persons.person import GONE, Person, texts_in, within
from core.privacy import is_sealed, seal_for


@dataclass(slots=True)
class Said:
    """What some answers say of a person: `own` are the names of items that are the person's, `names` the person's
    names, `files` the ids of uploads that are the person's; `mentioned`: the number stands in other answers."""

    own: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    mentioned: bool = False

    def __bool__(self) -> bool:
        return bool(self.own) or self.mentioned


def said_of(form: Form, stored: Mapping[str, Any], where: str, person: Person) -> Said:
    """What stored answers say of a person; `where` is the place for which they are sealed."""
    clear, said = opened(stored, where), Said()
    items = {item.name: item for item in form.items}
    for name, item in items.items():
        if item.definition.is_sensitive and person.is_number(clear.get(name)):
            said.own |= {one for one in items if _stem(one) == _stem(name) and _goes_along(items[one])}
            said.own.add(name)
    for name in said.own:
        if items[name].is_upload:
            said.files |= _ids(clear.get(name))
        elif items[name].definition.names_persons:
            said.names |= texts_in(clear.get(name))
    said.mentioned = any(
        person.is_named_in(text) for name, value in clear.items() if name not in said.own for text in texts_in(value)
    )
    return said


def without(
    form: Form, stored: Mapping[str, Any], where: str, person: Person, names: Collection[str]
) -> dict[str, Any] | None:
    """Stored answers without the person, whose names are given; None where they say nothing of the person."""
    said = said_of(form, stored, where, person)
    items, clear = {item.name: item for item in form.items}, opened(stored, where)
    changed: dict[str, Any] = {}
    for name, value in clear.items():
        item = items.get(name)
        if name in said.own and value:
            changed[name] = _nobody(items[name], value)
        elif item is None or not item.is_upload:
            said_here = names if item is None or not _of_others(item) else ()
            new = within(value, lambda text, given=said_here: person.without(text, given))
            if new != value:
                sealed = isinstance(stored[name], str) and is_sealed(stored[name])
                changed[name] = seal_for(new, f"{where}/{name}") if sealed and new != GONE else new
    return {**stored, **changed} if changed else None


def shown(form: Form, stored: Mapping[str, Any], where: str, person: Person) -> dict[str, Any]:
    """The answers that say something of the person, by the wording of the form, as the person may read them."""
    said, clear = said_of(form, stored, where, person), opened(stored, where)
    wording = {item.name: item.text for item in form.items}
    return {
        wording.get(name, name): value if name in said.own else within(value, person.shown)
        for name, value in clear.items()
        if value and (name in said.own or any(person.is_named_in(text) for text in texts_in(value)))
    }


def _nobody(item: Item, value: Any) -> Any:
    if item.is_upload:
        return [] if isinstance(value, list) else None
    return [GONE] if isinstance(value, list) else GONE


def _stem(name: str) -> str | None:
    stem, _, _ = name.rpartition("_")
    return stem or None


def _goes_along(item: Item) -> bool:
    return item.definition.names_persons or item.definition.is_sensitive or item.is_upload


def _of_others(item: Item) -> bool:
    definition = item.definition
    return definition.default_from is not None or bool(getattr(definition, "suggest", False))


def _ids(value: Any) -> set[str]:
    return {one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)}
