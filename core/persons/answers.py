"""What answers to a form say of a person.

Which of them do follows from the definition of the form, so that a form that is published later is covered too: items
whose value is personal (`mobile`, `tel`, `resident_id`, whatever is `sensitive`) identify a person; what is asked
beside them under the same stem (`contact_name` beside `contact_tel`) belongs to that person, and in a row what has no
stem of its own (`name` beside `mobile`): the row is about that person. In all other answers the number and the name are
looked for, but for what is prefilled from the register of enterprises (`default_from`) and for the officers who act
(`suggest`), whose names stay.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.forms.form import Form
from core.forms.items.item import Item
from core.forms.sealing import opened
from core.persons.person import GONE, Person, texts_in, within
from core.privacy import is_sealed, seal_for


@dataclass(slots=True)
class Said:
    """What some answers say of a person: `own` are the places of answers that are the person's (`contact_tel`, in a row
    `staff/0/mobile`), `names` the person's names, `files` the ids of uploads that are the person's; `mentioned`: the
    number stands in other answers."""

    own: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    mentioned: bool = False

    def __bool__(self) -> bool:
        return bool(self.own) or self.mentioned


def said_of(form: Form, stored: Mapping[str, Any], where: str, person: Person) -> Said:
    """What stored answers say of a person; `where` is the place for which they are sealed."""
    said = Said()
    _look(_items(form), opened(stored, where), "", person, said)
    return said


def _look(items: Mapping[str, Item], clear: Mapping[str, Any], at: str, person: Person, said: Said) -> None:
    """Add what the answers of a form (`at` is empty) or of a row say."""
    own: set[str] = set()
    for name, item in items.items():
        if item.definition.is_sensitive and person.is_number(clear.get(name)):
            stem = _stem(name, in_row=bool(at))
            own |= {one for one in items if _stem(one, in_row=bool(at)) == stem and _goes_along(items[one])}
            own.add(name)
    for name in own:
        if items[name].is_upload:
            said.files |= _ids(clear.get(name))
        elif _is_name(items[name]):
            said.names |= texts_in(clear.get(name))
    said.own |= {at + name for name in own}
    for name, value in clear.items():
        if name in own:
            continue
        rows = _rows(items.get(name), value)
        for index, row in enumerate(rows):
            _look(items[name].inner, row, f"{at}{name}/{index}/", person, said)
        if not rows:
            said.mentioned = said.mentioned or any(person.is_named_in(text) for text in texts_in(value))


def without(
    form: Form, stored: Mapping[str, Any], where: str, person: Person, names: Collection[str]
) -> dict[str, Any] | None:
    """Stored answers without the person, whose names are given; None where they say nothing of the person."""
    said = said_of(form, stored, where, person)
    clear = opened(stored, where)
    new = _Erasing(where, person, names, said.own).erased(_items(form), clear, stored, "")
    return new if new != stored else None


@dataclass(frozen=True, slots=True)
class _Erasing:
    where: str
    person: Person
    names: Collection[str]
    own: Collection[str]

    def erased(
        self, items: Mapping[str, Item], clear: Mapping[str, Any], stored: Mapping[str, Any], at: str
    ) -> dict[str, Any]:
        """The stored answers of a form or of a row without the person; `clear` are the same in clear."""
        found = dict(stored)
        for name, value in clear.items():
            item = items.get(name)
            if item is not None and at + name in self.own and value:
                found[name] = _nobody(item, value)
            elif rows := _rows(item, value):
                assert item is not None
                found[name] = [
                    self.erased(item.inner, row, stored[name][index], f"{at}{name}/{index}/")
                    for index, row in enumerate(rows)
                ]
            elif item is None or not item.is_upload:
                given = self.names if item is None or not _of_others(item) else ()
                new = within(value, lambda text, given=given: self.person.without(text, given))
                if new != value:
                    sealed = isinstance(stored[name], str) and is_sealed(stored[name])
                    found[name] = seal_for(new, f"{self.where}/{at}{name}") if sealed and new != GONE else new
        return found


def shown(form: Form, stored: Mapping[str, Any], where: str, person: Person) -> dict[str, Any]:
    """The answers that say something of the person, by the wording of the form, as the person may read them; of a group
    the rows that do."""
    said, clear = said_of(form, stored, where, person), opened(stored, where)
    return dict(_shown(_items(form), clear, "", person, said))


def _shown(
    items: Mapping[str, Item], clear: Mapping[str, Any], at: str, person: Person, said: Said
) -> Iterator[tuple[str, Any]]:
    for name, value in clear.items():
        item = items.get(name)
        wording = item.text if item is not None else name
        if rows := _rows(item, value):
            assert item is not None
            shown_rows = [
                dict(_shown(item.inner, row, f"{at}{name}/{index}/", person, said)) for index, row in enumerate(rows)
            ]
            if any(shown_rows):
                yield wording, [row for row in shown_rows if row]
        elif value and at + name in said.own:
            yield wording, value
        elif value and any(person.is_named_in(text) for text in texts_in(value)):
            yield wording, within(value, person.shown)


def _items(form: Form) -> dict[str, Item]:
    return {item.name: item for item in form.items}


def _rows(item: Item | None, value: Any) -> list[dict[str, Any]]:
    """The rows of a group; none for anything else."""
    if item is None or item.type != "group" or not isinstance(value, list):
        return []
    return value if all(isinstance(row, dict) for row in value) else []


def _nobody(item: Item, value: Any) -> Any:
    if item.is_upload:
        return [] if isinstance(value, list) else None
    return [GONE] if isinstance(value, list) else GONE


_NUMBERS = {"mobile", "tel", "phone", "id_no", "resident_id", "id_card"}
"""Names of numbers that, in a row, have no stem: `mobile` is that of whom the row is about."""


def _stem(name: str, *, in_row: bool) -> str | None:
    stem, _, _ = name.rpartition("_")
    return None if in_row and name in _NUMBERS else stem or None


def _goes_along(item: Item) -> bool:
    return item.definition.names_persons or item.definition.is_sensitive or item.is_upload


def _is_name(item: Item) -> bool:
    """Whether it holds the name of a person."""
    if item.definition.names_persons:
        return True
    return item.type == "text" and item.definition.is_sensitive and (item.name == "name" or item.name.endswith("_name"))


def _of_others(item: Item) -> bool:
    definition = item.definition
    return definition.default_from is not None or bool(getattr(definition, "suggest", False))


def _ids(value: Any) -> set[str]:
    return {one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)}
