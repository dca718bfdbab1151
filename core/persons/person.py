"""A person as the office knows one: by a mobile number or a resident-ID number (公民身份号码).

Numbers are compared as keyed hashes, so that an erasure can be repeated by what its receipt keeps, which is no number.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from core import masking, privacy
from core.identifiers import is_mobile, is_resident_id, normalise_mobile, normalise_resident_id

GONE = "已删除"
"""What stands in the place of a person."""
_USE = "person"
_WIDE = str.maketrans("０１２３４５６７８９Ｘｘ＋－—–　", "0123456789Xx+--- ")
"""One character for one, so that what is found stands at the same place in the text."""
_NUMBERS = re.compile(
    r"(?<![0-9])(?P<id>[0-9](?:[ -]?[0-9]){16}[ -]?[0-9Xx])(?![0-9Xx])"
    r"|(?<![0-9])(?:(?:\+|00)?86[ -]?)?(?P<mobile>1[ -]?[3-9](?:[ -]?[0-9]){9})(?![0-9])"
)
SHORTEST_NAME = 2
"""A name of one character would be found in every sentence."""


def person_of(*, mobile: str | None = None, resident_id: str | None = None) -> "Person":
    """The person with a number; `ValueError` with a Chinese sentence for what is none."""
    if (mobile is None) == (resident_id is None):
        raise ValueError("请用 --mobile 或 --resident-id 之一说明是谁")
    if mobile is not None:
        number = normalise_mobile(mobile)
        if not is_mobile(number):
            raise ValueError("手机号不正确，请填写11位大陆手机号")
        return Person("mobile", privacy.keyed_hash(_USE, "mobile", number), number)
    assert resident_id is not None
    number = normalise_resident_id(resident_id)
    if not is_resident_id(number):
        raise ValueError("公民身份号码不正确，请核对18位号码")
    return Person("resident_id", privacy.keyed_hash(_USE, "resident_id", number), number)


@dataclass(frozen=True, slots=True)
class Person:
    """`kind` is `mobile` or `resident_id`, `key` the keyed hash of the number.

    `number` is None where only what a receipt kept is known; `hashes` are then those of the number for other uses.
    """

    kind: str
    key: str
    number: str | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)

    def hash_for(self, use: str) -> str | None:
        """The keyed hash of the number for another use; None where a receipt of an earlier release lacks it."""
        if self.number is not None:
            return privacy.keyed_hash(use, self.number)
        return self.hashes.get(use)

    def kept(self, uses: Collection[str]) -> dict[str, Any]:
        """What a receipt keeps, by which an erasure can be repeated: keyed hashes, no number."""
        return {"kind": self.kind, "key": self.key, "hashes": {use: self.hash_for(use) for use in uses}}

    @classmethod
    def of_receipt(cls, kept: Mapping[str, Any]) -> "Person":
        """The person that a receipt keeps."""
        return cls(kept["kind"], kept["key"], None, dict(kept.get("hashes") or {}))

    def is_number(self, value: Any) -> bool:
        """Whether a value is the person's number and nothing else."""
        if not isinstance(value, str) or not 11 <= len(value) <= 40:
            return False
        written = normalise_mobile(value) if self.kind == "mobile" else normalise_resident_id(value)
        return self._is(written)

    def _is(self, number: str) -> bool:
        if self.number is not None:
            return number == self.number
        return privacy.keyed_hash(_USE, self.kind, number) == self.key

    def is_whole(self, number: bool, use: str, value: Any) -> bool:
        """Whether a value is the number (`number`) or the keyed hash of it for a use."""
        return (number and self.is_number(value)) or (bool(use) and value is not None and value == self.hash_for(use))

    def is_named_in(self, text: Any) -> bool:
        """Whether the number stands in a text."""
        return isinstance(text, str) and any(self._is(number) for number, _, _ in self._numbers(text))

    def _numbers(self, text: str) -> list[tuple[str, int, int]]:
        """The numbers of this kind in a text, each with where it begins and ends."""
        if len(text) < 11:
            return []
        found = []
        group = "mobile" if self.kind == "mobile" else "id"
        for match in _NUMBERS.finditer(text.translate(_WIDE)):
            if match[group] is not None:
                number = re.sub("[ -]", "", match[group]).upper()
                found.append((number, match.start(), match.end()))
        return found

    def without(self, text: str, names: Collection[str] = ()) -> str:
        """A text with 已删除 in the place of the number and of the names."""
        parts, at = [], 0
        for number, start, end in self._numbers(text):
            if self._is(number):
                parts += [text[at:start], GONE]
                at = end
        text = "".join([*parts, text[at:]])
        for name in sorted(names, key=len, reverse=True):
            if len(name) >= SHORTEST_NAME:
                text = text.replace(name, GONE)
        return text

    def shown(self, text: str) -> str:
        """A text as the person may read it: the numbers of others are masked."""
        masked, at = [], 0
        for number, start, end in self._numbers(text):
            if self._is(number):
                masked += [masking.mask_numbers(text[at:start]) or "", text[start:end]]
                at = end
        return "".join([*masked, masking.mask_numbers(text[at:]) or ""])


def within(value: Any, of: Any, *, but: Collection[str] = ()) -> Any:
    """A JSON value with `of(text)` in the place of each of its texts, those under the keys `but` excepted."""
    if isinstance(value, str):
        return of(value)
    if isinstance(value, list):
        return [within(each, of, but=but) for each in value]
    if isinstance(value, dict):
        return {key: each if key in but else within(each, of, but=but) for key, each in value.items()}
    return value


def texts_in(value: Any) -> set[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        return {value} if value else set()
    if isinstance(value, dict):
        value = list(value.values())
    return {text for each in value for text in texts_in(each)} if isinstance(value, list) else set()
