"""What all types of items have in common. Each type is a class with everything that is known of it:

- the keys that it may have in a definition, each with the complaint about its value and its cell in the Excel sheet;
- `normalize`: how a value from the phone is brought into the shape that is stored;
- `json_schema`: which normalised values draft mode accepts;
- `submission_faults`: what submit mode finds besides;
- the sentences of its faults.

A new type is one class, and one line in `types.py`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple

from core import identifiers, text
from core.forms.items import keys
from core.forms.items.keys import Key, Keys

PERSONS: Final = frozenset(["inspectors", "samplers", "escort", "legal_representative", "contact_name", "filled_by"])
"""Fields that hold names of persons. By name, because published versions of forms never change."""
CERTIFICATES: Final = frozenset(["licence_no", "ccc_nos", "licence_or_ccc_no"])
"""Fields that hold numbers of licences or certificates, which are one number however their brackets were typed."""
ORGANISATIONS: Final = frozenset(["org_name", "nominal_producer"])

MAX_LISTED = 50
MAX_IDENTIFIER = 64

WRONG: Final = 0
"""Stands for a JSON type that the item cannot have: no normalised value is a bare number, so the schema refuses it."""

STANDARD_SENTENCES: Final = {
    "required": "请{item.verb}“{item.text}”",
    "wrong_type": "“{item.text}”的内容类型不正确，请重新{item.verb}",
    "bad_format": "“{item.text}”的格式不正确，请核对后重新填写",
    "unknown_option": "“{item.text}”的选项不存在，请重新选择",
    "too_long": "“{item.text}”不能超过{item.longest}个字，请缩短后重试",
    "too_many": "“{item.text}”最多{item.max_items}{item.counter}，请删减后重试",
    "too_few": "“{item.text}”至少需要{item.min_items}{item.counter}，请补充",
    "duplicate": "“{item.text}”中有重复的内容，请删除重复项",
    "meaningless": "“{item.text}”只有标点或符号，请用文字写明",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A value that cannot be normalised; `code` names the fault."""

    code: str


class SubmissionFault(NamedTuple):
    """`within` is the pointer inside the value; `sentence` takes the place of the standard one."""

    code: str
    within: str = ""
    sentence: str | None = None


class ItemType(Keys):
    """The keys that every item may have, and what holds for a type unless it says otherwise."""

    no: Annotated[str | None, keys.NAME] = None
    field: Annotated[str | None, keys.NAME] = None
    text: Annotated[str, keys.text_key(300)]
    type: Annotated[str, keys.NAME]
    required: Annotated[bool, keys.FLAG] = False
    required_when: Annotated[Any, keys.CONDITION] = None
    visible_when: Annotated[Any, keys.CONDITION] = None
    sensitive: Annotated[bool, keys.FLAG] = False
    readonly: Annotated[bool, keys.FLAG] = False
    default_from: Annotated[
        str | None,
        Key(keys.shaped(r"[a-z][a-z_]*(\.[a-z][a-z0-9_]*)+", "须写成“enterprise.name”的形式"), keys.cells.TEXT),
    ] = None
    roles: Annotated[list[str] | None, keys.LINES] = None
    basis: Annotated[str | None, keys.text_key(1000)] = None
    penalty: Annotated[str | None, keys.text_key(1000)] = None
    help: Annotated[str | None, keys.text_key(500)] = None
    placeholder: Annotated[str | None, keys.text_key(200)] = None

    verb: ClassVar[str] = "填写"
    """What the person who fills in the form does with it."""
    sentences: ClassVar[Mapping[str, str]] = {}
    """The sentences of faults that only this type has, or that it words in its own way."""
    format_fault: ClassVar[str] = "bad_format"
    """The code of a value that has not the format of the schema."""
    personal: ClassVar[bool] = False
    """Always personal data, as if it were `sensitive`."""
    sealable: ClassVar[bool] = False
    """Its value can be encrypted at rest."""
    comparable: ClassVar[bool] = False
    """Conditions may ask about it."""
    is_upload: ClassVar[bool] = False
    """It holds ids of uploads."""
    named_by: ClassVar[Literal["no", "field"] | None] = None
    """The key by which its name must be given; `label` names the type in the fault."""
    label: ClassVar[str] = ""
    allowed_in_groups: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """The field or the number."""
        return self.no or self.field or ""

    @property
    def is_sensitive(self) -> bool:
        """Whether its text is personal data."""
        return self.sensitive or self.personal

    @property
    def names_persons(self) -> bool:
        """Whether its text is the name of a person, or several."""
        return self.name in PERSONS

    @property
    def longest(self) -> int:
        """The most characters of one text."""
        return MAX_IDENTIFIER

    @property
    def counter(self) -> str:
        """The measure word (量词) of its entries."""
        return "人" if self.names_persons else "项"

    @property
    def values(self) -> tuple[str, ...] | None:
        """The only values that it may have; None: any of its type."""
        return None

    @property
    def offered(self) -> frozenset[str]:
        """The values that are read as they stand, without being normalised."""
        return frozenset()

    @property
    def problem_answers(self) -> frozenset[Any]:
        """The answers that count as a problem."""
        return frozenset()

    @cached_property
    def tidy(self) -> Callable[[str], str]:
        """How one text is cleaned; persons and numbers of certificates are known by the name of the item."""
        if self.names_persons:
            return text.clean_person
        return identifiers.normalise_certificate_no if self.name in CERTIFICATES else self.tidy_words

    def tidy_words(self, typed: str) -> str:
        """How any other text is cleaned."""
        return text.clean_line(typed)

    def normalize(self, raw: Any) -> Any:
        """The normalised value of anything but null.

        None for what counts as not given (blank text, an empty list), `WRONG`, or a `Refusal`; a list may hold None
        and refusals.
        """
        return self.one_text(raw)

    def one_text(self, raw: Any) -> Any:
        """One cleaned text."""
        return self.tidy(raw) or None if type(raw) is str else WRONG

    def json_schema(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        """The schema of a normalised value; `rows` are the schemas of the items of a group."""
        if self.values is not None:
            return {"type": "string", "enum": list(self.values)}
        return {"type": "string", "minLength": 1, "maxLength": self.longest}

    @property
    def has_submission_rules(self) -> bool:
        """Whether `submission_faults` has anything to look at: most answers are chosen from a list and need no look."""
        return False

    def submission_faults(self, value: Any, today: date) -> Iterable[SubmissionFault]:
        """What submit mode finds in a normalised value that draft mode accepts."""
        return ()

    def sentence(self, code: str) -> str:
        """The Chinese sentence of a fault. Codes are stable; the phone knows the same ones."""
        return (self.sentences.get(code) or STANDARD_SENTENCES[code]).format(item=self)

    @classmethod
    def key_conflicts(cls, raw: Mapping[str, Any], *, in_group: bool) -> Iterator[tuple[str, str, str]]:
        """What the keys of an item say that does not go together: key, code, sentence. Any of them may be faulty."""
        personal = raw.get("sensitive") is True or cls.personal
        if personal and not (cls.sealable and not raw.get("repeat") and (in_group or "field" in raw)):
            message = "个人信息只能填在表头或组内的单个文本字段（field）中，以便加密保存"
            yield "sensitive" if "sensitive" in raw else "type", "unprotected", message
        if raw.get("suggest") is True and (personal or in_group or "field" not in raw):
            message = "只有表头的文本字段（field）可以提供历史内容（suggest），个人信息除外"
            yield "suggest", "bad_value", message
        least, most = raw.get("min_items"), raw.get("max_items", MAX_LISTED)
        if type(least) is int and type(most) is int and least > most:
            yield "min_items", "bad_value", "最少项数不能多于最多项数"


class FromEntry(ItemType):
    """A type whose value may be what an entry of a dictionary says (`validation/proposing.py`).

    `from_entry`: that of its row (`name`), or of a searched choice beside or around it (`hs_code.name`). Nobody fills
    it in.
    """

    from_entry: Annotated[
        str | None,
        Key(
            keys.shaped(r"([a-z][a-z0-9_]{0,39}\.)?[a-z][a-z0-9_]{0,39}", "须写成“name”或“hs_code.name”的形式"),
            keys.cells.TEXT,
        ),
    ] = None

    @classmethod
    def key_conflicts(cls, raw: Mapping[str, Any], *, in_group: bool) -> Iterator[tuple[str, str, str]]:
        yield from super().key_conflicts(raw, in_group=in_group)
        if "from_entry" not in raw:
            return
        if not (in_group or "field" in raw):
            yield "from_entry", "bad_value", "由词典带出的项须用 field（字段名）"
        for key in ("required", "required_when", "default_from", "sensitive", "repeat", "sum_of", "count_of"):
            if raw.get(key):
                yield key, "bad_value", "由词典带出的项不由人填写，不能设必填、预填、多项或合计"


class Counted(ItemType):
    """A type whose values are lists, or may be."""

    min_items: Annotated[int, keys.COUNT] = 0
    max_items: Annotated[int, keys.COUNT] = MAX_LISTED

    @property
    def has_submission_rules(self) -> bool:
        return True

    def listed(self, raw: Any, each: Callable[[Any], Any]) -> Any:
        """A list of values, each normalised; blank entries stay as None, so that the others keep their index."""
        if type(raw) is str and not text.clean(raw):
            return None
        if type(raw) is not list:
            return WRONG
        if len(raw) > self.max_items:
            return Refusal("too_many")
        values = [None if entry is None else each(entry) for entry in raw]
        return values if any(value is not None for value in values) else None

    def list_schema(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Null stands for a blank entry, so that faults keep the index that the phone knows."""
        nullable = {**entry, "type": ["string", "null"]}
        if "enum" in entry:
            nullable["enum"] = [*entry["enum"], None]
        return {"type": "array", "maxItems": self.max_items, "items": nullable}

    def submission_faults(self, value: Any, today: date) -> Iterator[SubmissionFault]:
        if len(value) < self.min_items:
            yield SubmissionFault("too_few")
        if len(set(value)) < len(value):
            yield SubmissionFault("duplicate")
