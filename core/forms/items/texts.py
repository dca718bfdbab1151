"""Items of free text."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import jsonschema_rs

from core import text
from core.forms.items import cells, keys
from core.forms.items.base import ORGANISATIONS, PERSONS, Counted, FromEntry, SubmissionFault
from core.forms.items.keys import Key

_DETAIL = r"[a-z][a-z0-9_]{0,39}"


class Text(FromEntry, Counted):
    """One text, or with `repeat` a list of distinct texts, with `min_items` and `max_items`.

    `max_length` is in characters. `pattern` begins with ^ and ends with $; `pattern_message` is its Chinese sentence.
    `suggest`: what the own office typed there before is offered again. In a row that a dictionary proposes
    (`rows_from`), `required_entry` and `options_entry` name what its entry says of it: whether it must be given, and
    the answers among which it is chosen.
    """

    type: Literal["text"]
    max_length: Annotated[int, Key(keys.whole(1, 10_000), cells.WHOLE)] = 200
    multiline: Annotated[bool, keys.FLAG] = False
    repeat: Annotated[bool, keys.FLAG] = False
    pattern: Annotated[str | None, Key(keys.pattern, cells.TEXT)] = None
    pattern_message: Annotated[str | None, keys.text_key(200)] = None
    suggest: Annotated[bool, keys.FLAG] = False
    required_entry: Annotated[str | None, Key(keys.shaped(_DETAIL, "须为词典条目的属性名"), cells.TEXT)] = None
    options_entry: Annotated[str | None, Key(keys.shaped(_DETAIL, "须为词典条目的属性名"), cells.TEXT)] = None

    sealable: ClassVar[bool] = True
    comparable: ClassVar[bool] = True

    @property
    def longest(self) -> int:
        return self.max_length

    def tidy_words(self, typed: str) -> str:
        return text.clean(typed) if self.multiline else text.clean_line(typed)

    @property
    def demands_words(self) -> bool:
        """Whether marks alone are no answer: a name or an explanation that must be given. (A `/` for “none” is one
        where a number or a model is asked.)"""
        demanded = self.required or "required_when" in self.model_fields_set
        return demanded and (self.multiline or self.name in PERSONS | ORGANISATIONS)

    def normalize(self, raw: Any) -> Any:
        return self.listed(raw, self.one_text) if self.repeat else self.one_text(raw)

    def json_schema(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        one = super().json_schema(rows)
        return self.list_schema(one) if self.repeat else one

    @property
    def has_submission_rules(self) -> bool:
        return bool(self.pattern or self.repeat or self.demands_words)

    @cached_property
    def compiled_pattern(self) -> jsonschema_rs.Validator | None:
        """The pattern, ready to be used."""
        return None if self.pattern is None else keys.linear_pattern(self.pattern)

    def submission_faults(self, value: Any, today: date) -> Iterator[SubmissionFault]:
        if self.repeat:
            # Names that fold to the same text are one name.
            yield from super().submission_faults([text.fold(one) for one in value], today)
            if self.demands_words:
                for index, one in enumerate(value):
                    if not text.has_words(one):
                        yield SubmissionFault("meaningless", f"/{index}")
        elif self.compiled_pattern is not None and not self.compiled_pattern.is_valid(value):
            yield SubmissionFault("bad_format", sentence=self.pattern_message)
        elif self.demands_words and not text.has_words(value):
            yield SubmissionFault("meaningless")

    @classmethod
    def key_conflicts(cls, raw: Mapping[str, Any], *, in_group: bool) -> Iterator[tuple[str, str, str]]:
        yield from super().key_conflicts(raw, in_group=in_group)
        if raw.get("repeat") is not True:
            for key in ("min_items", "max_items"):
                if key in raw:
                    yield key, "bad_value", "只有可填多项（repeat）的文本才有项数"
