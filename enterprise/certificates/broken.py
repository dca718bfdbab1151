"""What breaks the declaration of a number or a certificate: each fault with the place on which it stands."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from enterprise.certificates.declarations import Number

Found = Iterator[tuple[str, str]]
_LONGEST = 40
"""Characters of a pattern; with its fields the number has room in its column."""


def of_number(number: Number, fields: Collection[str] | None, form_code: str) -> Found:
    """Faults of a pattern; `fields`: of the form whose data it may name, None where it is not at hand."""
    if not number.is_whole:
        yield number.place, f"the number {number.pattern} has not one running part such as {{seq:06}}"
    if len(number.pattern) > _LONGEST:
        yield number.place, f"the number {number.pattern} is longer than {_LONGEST} characters"
    for name in sorted(number.fields - set(fields)) if fields is not None else ():
        yield number.place, f"the number {number.pattern} names {name}, a field that the form {form_code} does not have"


def fields_of(form: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The fields of the definition of a form, by name."""
    return {item["field"]: item for section in form["sections"] for item in section["items"] if "field" in item}
