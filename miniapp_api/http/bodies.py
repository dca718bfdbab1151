"""How bodies and queries are read: JSON by orjson, text is cleaned (`core/text.py`), empty means absent."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, ClassVar

import orjson
from flask import Request
from flask.json.provider import JSONProvider
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from core.database.paging import DEEPEST_PAGE, LONGEST_MARK, PageRequest
from core.errors import Fault, Problem
from core.text import clean, clean_line
from miniapp_api.http.answers import JSON_VALUE

MAX_BODY = 1024 * 1024
DEEPEST = 32
AT_HAND = 64 * 1024
"""Largest body that the server has received before it asks the application (`SMALL` in `cli/arrivals.py`)."""


class OrjsonProvider(JSONProvider):
    """Strict and fast: refuses NaN, lone surrogates and nesting deeper than `DEEPEST`."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj, default=str).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        value = orjson.loads(s)
        raw = s if isinstance(s, bytes) else s.encode()
        # What is nested deeper than any form could not be written back by what hashes and stores it.
        if raw.count(b"[") + raw.count(b"{") > DEEPEST and _deeper_than(value, DEEPEST):
            raise Problem("invalid", errors=[Fault("", "too_deep", "内容嵌套过深，请检查后重试")])
        if b"\\u0000" in raw:  # no database takes it, wherever it stands
            return _without_nul(value)
        return value


def _deeper_than(value: Any, levels: int) -> bool:
    """Whether lists and objects stand more than so many levels inside each other."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper_than(one, levels - 1) for one in inner)


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_without_nul(one) for one in value]
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(one) for name, one in value.items()}
    return value


class ApiRequest(Request):
    """A request whose absent body reads as an empty object, so that its missing fields are named."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        sent = self.get_data(cache=True)
        if not sent:
            return {}
        if self.content_length is None and len(sent) >= MAX_BODY:
            # Sent in chunks: what goes beyond the limit is cut off silently instead of being refused.
            raise Problem("payload_too_large")
        if not self.is_json:
            raise Problem("unsupported_media_type")
        return super().get_json(force=force, silent=silent, cache=cache)


class AsSent(BaseModel):
    """Parent of typed bodies whose room cleans their text: its idempotency key is of the write as it was sent."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, strict=True)


class _AsTyped:
    """Marks a field whose text is not cleaned."""


Password = Annotated[str, StringConstraints(min_length=1, max_length=256, strip_whitespace=False), _AsTyped()]
"""A password as it was typed: every character belongs to it."""


Otp = Annotated[str, StringConstraints(min_length=1, max_length=20)]
"""A code of an authenticator (动态口令) or a recovery code, however it is parted."""


_WRITTEN_DAY = re.compile(r"\s*\d{4}-\d\d-\d\d", re.ASCII)


def _begins_with_a_day(error: str) -> Callable[[Any], Any]:
    """Pydantic takes a number, also as text, for seconds since 1970."""

    def check(sent: Any) -> Any:
        if sent is None or isinstance(sent, date) or (isinstance(sent, str) and _WRITTEN_DAY.match(sent)):
            return sent
        raise PydanticCustomError(error, "no day")

    return check


Day = Annotated[date, BeforeValidator(_begins_with_a_day("date_parsing"))]
"""A day (日期) as it is sent: 2026-11-30."""


AwareMoment = Annotated[AwareDatetime, BeforeValidator(_begins_with_a_day("datetime_parsing"))]
"""A time (时间) with its time zone: 2026-11-30T09:00:00+08:00."""


class Body(AsSent):
    """Parent of typed bodies: no unknown fields, text cleaned, empty text is absent."""

    @model_validator(mode="before")
    @classmethod
    def _clean(cls, sent: Any) -> Any:
        if not isinstance(sent, dict):
            return sent
        fields = cls.model_fields.items()
        as_typed = {name for name, field in fields if any(isinstance(mark, _AsTyped) for mark in field.metadata)}
        cleaned = {
            name: clean(value) if isinstance(value, str) and name not in as_typed else value
            for name, value in sent.items()
        }
        return {name: value for name, value in cleaned.items() if value != "" or name in as_typed}


class EmptyBody(AsSent):
    """An action that needs nothing but its address."""


class DescribedBody(RootModel[dict[str, Any]]):
    """Parent of bodies that a room validates itself, with its own codes; here their fields are only described."""


def described(required: tuple[str, ...] = (), **fields: Any) -> ConfigDict:
    """What the OpenAPI document says of a `DescribedBody`: JSON Schema by field.

    Beside its own fields a body may carry read-only ones as they were read; the room refuses all others.
    """
    return ConfigDict(
        json_schema_extra={"properties": fields, "required": list(required), "additionalProperties": JSON_VALUE}
    )


def field_names(body: type[DescribedBody]) -> frozenset[str]:
    """The names of the fields that a `DescribedBody` describes."""
    extra = body.model_config["json_schema_extra"]
    assert isinstance(extra, dict) and isinstance(extra["properties"], dict)
    return frozenset(extra["properties"])


def text_field(longest: int, description: str = "") -> dict[str, Any]:
    """A text of so many characters at most."""
    return {"type": "string", "maxLength": longest, **({"description": description} if description else {})}


def choice_field(options: Mapping[str, str], description: str = "") -> dict[str, Any]:
    """One of the options, which are given with their Chinese labels."""
    labels = ", ".join(f"`{value}` {label}" for value, label in options.items())
    return {"type": "string", "enum": list(options), "description": ": ".join(filter(None, (description, labels)))}


ID_FIELD = {"type": "string", "format": "uuid"}
VERSION_FIELD = {"type": "integer", "minimum": 1, "description": "the version that was read; the first PUT sends none"}


class Query(BaseModel):
    """Parent of query strings: text is cleaned, and an empty value (`?kind=`) counts as absent."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _clean(cls, sent: dict[str, str]) -> dict[str, str]:
        if any("\0" in value for value in sent.values()):  # nobody types that into an address
            raise ValueError("内容含有不可用的字符")
        return {name: value for name, text in sent.items() if (value := clean_line(text))}


class PageQuery(Query):
    """Which page of a list; every list has these parameters."""

    page: int | None = Field(None, ge=1, le=DEEPEST_PAGE, description="counted from 1, which is also the default")
    page_size: int = Field(20, ge=1, le=100)
    after: str | None = Field(
        None, max_length=LONGEST_MARK,
        description="instead of `page`: `next_after` of the page before; neither skips nor repeats what is listed "
        "while the list shrinks or grows",
    )  # fmt: skip

    @field_validator("after")
    @classmethod
    def _one_of_both(cls, after: str | None, others: ValidationInfo) -> str | None:
        if after is not None and others.data.get("page") is not None:
            raise ValueError("page 与 after 只能使用其中一个")
        return after

    def request(self) -> PageRequest:
        """The page in the terms of `core/database/paging.py`."""
        return PageRequest(self.page or 1, self.page_size, self.after)

    def filters_only(self) -> dict[str, Any]:
        """What was asked for apart from the page."""
        return self.model_dump(exclude={"page", "page_size", "after"})


class AtOnceQuery(PageQuery):
    """A page of a list that once had no pages: without page parameters the first `at_once` items come."""

    at_once: ClassVar[int] = 200
    page_size: int | None = Field(  # type: ignore[assignment]
        None, ge=1, le=100,
        description="20 where a page is asked for; asked for without one, as older phones do, many items come at once",
    )  # fmt: skip

    def request(self) -> PageRequest:
        """The page in the terms of `core/database/paging.py`."""
        return PageRequest(self.page or 1, self.page_size or (20 if self.is_paged() else self.at_once), self.after)

    def is_paged(self) -> bool:
        """Whether a page is asked for."""
        return any(given is not None for given in (self.page, self.page_size, self.after))
