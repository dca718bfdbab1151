"""What breaks the declaration of a number or a certificate: each fault with the place on which it stands."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from core.deadlines.periods import MONTH, NATURAL, YEAR
from enterprise.certificates.declarations import EXPIRED, CertificateKind, Number

Found = Iterator[tuple[str, str]]
_LONGEST = 40
"""Characters of a pattern; with its fields the number has room in its column."""
_FIELDS_OF_A_NUMBER = 2


def of_number(number: Number, fields: Mapping[str, Mapping[str, Any]] | None, form_code: str) -> Found:
    """Faults of a pattern; `fields`: of the form whose data it may name, None where it is not at hand."""
    if not number.is_whole:
        yield number.place, f"the number {number.pattern} has not one running part such as {{seq:06}}"
    if len(number.pattern) > _LONGEST or len(number.fields) > _FIELDS_OF_A_NUMBER:
        yield (
            number.place,
            f"the number {number.pattern} is longer than {_LONGEST} characters, or has more than "
            f"{_FIELDS_OF_A_NUMBER} fields",
        )
    for name in sorted(number.fields - set(fields)) if fields is not None else ():
        yield number.place, f"the number {number.pattern} names {name}, a field that the form {form_code} does not have"
    for name in sorted(number.fields):
        if fields is not None and fields.get(name, {}).get("sensitive"):
            yield number.place, f"the number {number.pattern} says {name}, which is sensitive"


def fields_of(form: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The fields of the definition of a form, by name."""
    return {item["field"]: item for section in form["sections"] for item in section["items"] if "field" in item}


def of_certificate(kind: CertificateKind) -> Found:
    """Faults that the declaration of a kind of certificate shows by itself."""
    codes = [status.code for status in kind.statuses]
    yield from of_number(kind.number, None, "")
    if not kind.statuses or not kind.statuses[0].holds:
        yield kind.place, f"the certificate {kind.code} is issued in no status that holds"
    for status in kind.statuses:
        if codes.count(status.code) > 1:
            yield status.place, f"the status {status.code} of {kind.code} is declared twice"
        if status.code == EXPIRED:
            yield status.place, f"{kind.code} declares {EXPIRED}, which follows from its last day"
    validity = kind.validity
    if validity is not None and (validity.unit not in (NATURAL, MONTH, YEAR) or validity.number < 1):
        yield validity.place, f"the validity of {kind.code} cannot be counted"
    if not kind.paper.is_file():
        yield kind.place, f"the certificate {kind.code} is printed by {kind.paper.name}, which there is not"
    counters = kind.counters
    if counters is None:
        return
    names = [counter.name for counter in counters.each]
    if len(set(names)) < len(names) or not any(counter.decisive for counter in counters.each):
        yield counters.place, f"the counters of {kind.code} have one name twice, or none decides when a line is used up"
    if counters.used_up is not None and counters.used_up not in kind.holding:
        yield counters.place, f"{kind.code} is used up in {counters.used_up}, no status of it that holds"


def of_contents(kind: CertificateKind, forms: Mapping[str, Mapping[str, Any]]) -> Found:
    """Fields that a kind of certificate names and its form does not have."""
    if kind.form_code not in forms:
        yield kind.place, f"there is no form {kind.form_code}"
        return
    fields = fields_of(forms[kind.form_code])
    for where, names in (("lists", kind.listed), ("shows to everybody", kind.public)):
        yield from _unknown(kind, names, fields, where)
    counters = kind.counters
    if counters is None:
        return
    group = fields.get(counters.group)
    if group is None or group["type"] != "group":
        yield counters.place, f"{kind.code} counts rows of {counters.group}, no group of the form {kind.form_code}"
        return
    of_rows = {item["field"]: item for item in group["items"] if "field" in item}
    for counter in counters.each:
        for name in (counter.field, *([counter.unit] if counter.unit is not None else [])):
            if name not in of_rows:
                yield counters.place, f"the counter {counter.name} names {name}, which {counters.group} does not have"


def _unknown(kind: CertificateKind, names: Sequence[str], fields: Collection[str], where: str) -> Found:
    for name in names:
        if name not in fields:
            yield kind.place, f"{kind.code} {where} {name}, a field that the form {kind.form_code} does not have"
