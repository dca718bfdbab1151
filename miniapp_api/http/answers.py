"""What an endpoint says of its own answers, for the OpenAPI document and for the tests.

The decorators stand below the gate and change nothing at run time: in production an answer is not validated again.
The tests hold every answer of every HTTP test to what stands here (`tests/documented.py`). Why this is not APIFlask's
`output`: `docs/decisions/0020-answers-are-models.md`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, WithJsonSchema
from typing_extensions import TypeAliasType

View = TypeVar("View", bound=Callable[..., Any])
Item = TypeVar("Item")

_CREATED, _UNCHANGED = 201, 304
RECORD = "inspection or spot_check"
"""`about` of what is either, as the address says."""


class Answer(BaseModel):
    """Parent of what endpoints answer: no field but those that are declared.

    A field with `absent()` may be left out; all others are always there, as null where their type says so. `about` is
    the subject type of the record whose personal data it holds: that it was read is logged (`readings.py`).
    """

    about: ClassVar[str | None] = None
    model_config = ConfigDict(extra="forbid")


def absent(description: str | None = None) -> Any:
    """The default of a field that an answer leaves out where it has nothing to say; this is not the same as null."""
    return Field(default_factory=object, description=description)


def one_of(values: Iterable[str], description: str | None = None) -> Any:
    """For `Annotated[str, one_of(…)]`: one of these texts, where they are known only when the program runs."""
    said = {"description": description} if description else {}
    return WithJsonSchema({"type": "string", "enum": sorted(values), **said})


DecimalText = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
"""Money, quantities and degrees: exact, and therefore no number of JSON."""


class Page(Answer, Generic[Item]):
    """A page of a list (HTTP contract, §1)."""

    items: list[Item]
    page: int | None = Field(description="counted from 1; null where the page begins behind a mark (`after`)")
    page_size: int
    total: int = Field(description="counting stops at 10 000")
    total_is_exact: bool
    next_after: str | None = Field(description="`after` of the next page; null at the end of the list")


class Warning(Answer):
    """What is said beside a write that was accepted."""

    code: str
    message: str = Field(description="Chinese sentence a user can act on")
    path: str = absent("JSON Pointer into the body, where it is about a field")


_Scalar = str | float | StrictBool
AnswerGroup = TypeAliasType("AnswerGroup", "dict[str, AnswerValue]")
AnswerValue = TypeAliasType(
    "AnswerValue",
    Annotated[
        "_Scalar | date | AnswerGroup | list[_Scalar | date | AnswerGroup]",
        Field(
            description="A value of a form's item: text, a date, a number, yes or no, a group of values by number or "
            "field of the item, or a list of these; the form says which"
        ),
    ],
)
"""The closed union of everything that a form's item can hold.

A group is a component of its own, and a list holds no list: TypeScript resolves a union that names itself by way of an
object type only.
"""

COMPONENT = "x-component"
"""Stands for `$ref` in schemas that are written by hand: pydantic refuses references to what it has not made itself."""

FORM_DATA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"anyOf": [{COMPONENT: "AnswerValue"}, {"type": "null"}]},
}
"""Answers by number or field of the item, where the schema of a body is written by hand; null is no answer."""


JsonObject = TypeAliasType("JsonObject", "dict[str, JsonValue]")
JsonValue = TypeAliasType(
    "JsonValue",
    "_Scalar | JsonObject | list[_Scalar | JsonObject | list[_Scalar | JsonObject | None] | None] | None",
)
"""Whatever is recorded, or is sent back as it was read, and only there; lists stand two deep at the most."""

JSON_VALUE: dict[str, Any] = {COMPONENT: "JsonValue"}


class HistoryRow(Answer):
    """A move of a record (操作记录). Each kind of record adds what else its moves keep."""

    seq: int = Field(description="counted from 1 for each record")
    at: datetime
    action: str
    from_status: str | None = Field(alias="from", description="null: the record began")
    to_status: str = Field(alias="to")
    version: int
    actor: str = absent("user name; not named where the server acted by itself")
    operator_name: str | None = absent("who was at the phone")
    office: str = absent()
    imported_by: str = absent("user name of the officer who imported it from an export of the phone")
    found_changed: list[str] = absent("what had been changed in the database, past the history, before this move")
    erased: Literal[True] | list[int] = absent(
        "true: what it said was erased by law; numbers: it says that what these moves said was erased"
    )


@dataclass(frozen=True, slots=True)
class File:
    """An answer that is no JSON: its media type, or a range of them such as `image/*`; `about` as for `Answer`."""

    media_type: str
    about: str | None = None


def answers(model: Any, *statuses: int) -> Callable[[View], View]:
    """An answer in JSON: its model, and with which statuses it comes, where that is not 200 alone.

    201 for what was made just now, 200 for a repetition and for what is saved anew under its id; 304 where an
    ETag is sent.
    """
    return _succeeds(model, statuses)


def sends(media_type: str, *statuses: int, about: str | None = None) -> Callable[[View], View]:
    """An answer that is a file of that media type; with which statuses, where that is not 200 alone.

    `about`: whose personal data it holds.
    """
    return _succeeds(File(media_type, about), statuses)


def _succeeds(content: Any, statuses: tuple[int, ...]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        declared = {status: None if status == _UNCHANGED else content for status in statuses or (200,)}
        view._answers = {**getattr(view, "_answers", {}), **declared}  # type: ignore[attr-defined]
        return view

    return decorate


def refuses(*statuses: int) -> Callable[[View], View]:
    """Statuses of refusals beyond those that follow from the gate and from whether there is a body."""

    def decorate(view: View) -> View:
        view._refuses = frozenset(statuses)  # type: ignore[attr-defined]
        return view

    return decorate


def receives(media_type: str, model: type[BaseModel]) -> Callable[[View], View]:
    """A body that is no JSON and that the endpoint reads by itself: what it holds."""

    def decorate(view: View) -> View:
        view._receives = (media_type, model)  # type: ignore[attr-defined]
        return view

    return decorate


def successes_of(view: Callable[..., Any]) -> dict[int, Any]:
    """Model, `File` or None (nothing is sent) by status; decorators around a view keep it (`functools.wraps`)."""
    found: dict[int, Any] | None = getattr(view, "_answers", None)
    assert found, f"{view.__module__}.{view.__name__} does not say what it answers: @answers(…) or @sends(…)"
    return found


def refusals_of(view: Callable[..., Any]) -> frozenset[int]:
    """The statuses named by `refuses`."""
    found: frozenset[int] = getattr(view, "_refuses", frozenset())
    return found


def received_by(view: Callable[..., Any]) -> tuple[str, type[BaseModel]] | None:
    """Media type and model named by `receives`."""
    found: tuple[str, type[BaseModel]] | None = getattr(view, "_receives", None)
    return found


def description_of(status: int, content: Any) -> str:
    """The sentence that OpenAPI demands of each response."""
    if status == _UNCHANGED:
        return "Unchanged since the ETag that was sent (`If-None-Match`)"
    if isinstance(content, File):
        return "The file"
    return "Created" if status == _CREATED else "Done"
