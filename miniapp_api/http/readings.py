"""Which answers hold personal data, and what of them goes to the access log (查阅日志).

An answer's model says whose data it holds (`about`, on the model or on `sends`); every gate looks at it, so that an
endpoint cannot forget. The record is the `id` of the answer or of each item of a list; where items have none, the first
id in the address. A download notes the ids of its rows itself (`reading()`), while they are written.

What an endpoint must say is held by `tests/miniapp_api/test_access_log.py`: it walks the URL map and fails for an
answer with a personal field that says nothing and does not stand in `NOT_LOGGED`. At run time such an answer is logged
all the same, under the name of its model.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args
from uuid import UUID

from flask import Response, g, request
from pydantic import BaseModel

from accounts.access_log import recording
from core import clock
from core.actor import Actor
from core.identifiers import as_uuid
from miniapp_api.http.answers import RECORD, Answer, File, Page, successes_of
from miniapp_api.http.origins import origin
from miniapp_api.http.wiring import wiring

Row = TypeVar("Row")

_PERSONAL = re.compile(
    r"(^|_)(mobile|phone|contacts?|full_name|applicant_name|rater_name|legal|address|resident|email|latitude|longitude"
    r"|openid|wechat)(_|$)"
)
_NOT_PERSONAL = frozenset({"phone_verified", "phone_tried_at", "from_staff_address", "from_staff_addresses"})

NOT_LOGGED: Mapping[str, str] = {
    "list_my_sessions": "the caller's own sign-ins",
    "read_my_email": "the caller's own address",
    "ask_for_email": "the caller's own address, as it was just sent",
    "confirm_my_email": "the caller's own address",
    "remove_my_email": "as for confirm_my_email",
    "read_my_enterprise": "the caller's own enterprise",
    "upload_file": "what the caller has just sent",
    "read_rows_of_file": "what the caller has just sent",
    "inspections_save_draft": "the caller's own draft, as it was just sent; who saved it stands in the record",
    "spot_checks_save_draft": "as for inspections",
    "inspections_submit": "the caller's own record, as it was just sent; the step stands in its history",
    "spot_checks_submit": "as for inspections",
    "list_enterprises": "the register of enterprises: published by law (企业信息公示暂行条例, art. 6)",
    "read_enterprise": "the register of enterprises",
    "free_rating_number": "the number that the caller has just typed; the step stands in its history",
}
"""Operations whose answers have personal fields and that are not logged, each with the reason.

Names under which officers acted in office stand in most answers and make none of them personal.
"""


@dataclass(slots=True)
class Noted:
    """What the request at hand reads, as far as its endpoint says so itself."""

    subject_type: str | None = None
    subjects: list[UUID] = field(default_factory=list)
    rows: int | None = None
    asked: dict[str, Any] = field(default_factory=dict)

    def record(self, subject_type: str, subject_id: UUID, **asked: Any) -> None:
        """The one record that is read."""
        self.subject_type, self.subjects, self.rows = subject_type, [subject_id], 1
        self.asked |= asked

    def counting(self, rows: Iterable[Row], id_of: Callable[[Row], UUID]) -> Iterator[Row]:
        """The same rows, each counted and the first ids noted when it is handed on."""
        self.rows = 0
        for row in rows:
            self.rows += 1
            if len(self.subjects) < recording.MOST_IDS:
                self.subjects.append(id_of(row))
            yield row


def reading() -> Noted:
    """What the request at hand notes of what it reads."""
    if "reading" not in g:
        g.reading = Noted()
    noted: Noted = g.reading
    return noted


@dataclass(frozen=True, slots=True)
class Held:
    """Whose data the answers of an operation hold."""

    subject_type: str | None
    by_address: bool

    def type_of(self, arguments: Mapping[str, Any]) -> str:
        """The subject type; where checks and spot checks share an endpoint, the address says which is meant."""
        if self.by_address:
            return "spot_check" if arguments.get("record_type") == "spot_check" else "inspection"
        return self.subject_type or "unknown"


@functools.cache
def held_by(content: Any) -> Held | None:
    """Whose data an answer holds; None where it holds no person's."""
    if isinstance(content, File):
        return None if content.about is None else Held(content.about, content.about == RECORD)
    about = _about(content)
    if about is None and next(personal_fields(content), None) is None:
        return None
    return Held(about or getattr(content, "__name__", "unknown")[:30], about == RECORD)


def _about(content: Any) -> str | None:
    """What the model says, or the model of a page's items."""
    if isinstance(content, type) and issubclass(content, Page):
        return _about(content.model_fields["items"].annotation)
    if isinstance(content, type) and issubclass(content, Answer):
        return content.about
    return next((found for part in get_args(content) if (found := _about(part)) is not None), None)


def personal_fields(content: Any, seen: frozenset[Any] = frozenset()) -> Iterator[str]:
    """The names of the fields of a model, at any depth, that hold a person's data, or whatever a form asks for."""
    if isinstance(content, type) and issubclass(content, BaseModel) and content not in seen:
        if content.model_config.get("extra") == "allow":
            yield "*"
        for name, info in content.model_fields.items():
            if (_PERSONAL.search(name) and name not in _NOT_PERSONAL) or "AnswerValue" in str(info.annotation):
                yield name
            yield from personal_fields(info.annotation, seen | {content})
    for part in get_args(content):
        yield from personal_fields(part, seen)


def plan_of(view: Any) -> Held | None:
    """Whose data the view's answers hold, if they are logged."""
    endpoint = request.endpoint or ""
    if endpoint.rpartition(".")[2] in NOT_LOGGED:
        return None
    contents = (content for content in successes_of(view).values() if content is not None)
    return next((held for content in contents if (held := held_by(content)) is not None), None)


def note(view: Any, actor: Actor, answer: Any) -> Any:
    """Note what an answer holds; the answer itself."""
    held = plan_of(view)
    if held is None or request.method == "HEAD":  # which is answered without a body
        return answer
    if isinstance(answer, Response):
        if answer.status_code < 300:
            _when_sent(held, actor, answer)
        return answer
    body = answer[0] if isinstance(answer, tuple) else answer
    if isinstance(body, Mapping):
        subjects, rows = _subjects(body)
        _writer(held, actor)(reading().subjects or subjects, rows)
    return answer


def _when_sent(held: Held, actor: Actor, response: Response) -> None:
    """A download is noted when it ends, with the rows that it held; whoever breaks it off has read some too."""
    noted, ids = reading(), [one for one in (request.view_args or {}).values() if isinstance(one, UUID)]
    write = _writer(held, actor)
    pieces = response.response
    response.response = _Sending(pieces, response.iter_encoded(), lambda: write(noted.subjects or ids, noted.rows))


class _Sending:
    """The pieces of a download; `finished` is called once, at their end or when the server closes them.

    `pieces` is what has to be closed, `encoded` are the bytes that it gives.
    """

    def __init__(self, pieces: Any, encoded: Iterator[bytes], finished: Callable[[], None]) -> None:
        self._pieces, self._each, self._finished, self._open = pieces, encoded, finished, True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._each)
        except BaseException:
            self._finish()
            raise

    def close(self) -> None:
        """By the server, also of what the caller did not wait for."""
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()
        self._finish()

    def _finish(self) -> None:
        if self._open:
            self._open = False
            self._finished()


def _subjects(body: Mapping[str, Any]) -> tuple[list[UUID], int]:
    """The ids of the records of an answer, and how many records it holds."""
    items = body.get("items", [body])
    named = (item.get("id") or item.get("record_id") for item in items if isinstance(item, Mapping))
    ids = [found for one in named if (found := as_uuid(one)) is not None]
    if not ids:
        ids = [one for one in (request.view_args or {}).values() if isinstance(one, UUID)][:1]
    return ids, len(items)


def _writer(held: Held, actor: Actor) -> Callable[[list[UUID], int | None], None]:
    """What writes to the access log what this request read, also after the request is over."""
    services, noted = wiring(), reading()
    arguments = dict(request.view_args or {})
    asked = {name: value for name, value in request.args.items() if value}
    about = noted.subject_type or held.type_of(arguments)
    named = {name: value for name, value in arguments.items() if not isinstance(value, UUID) and name != "record_type"}
    at, address = clock.now(), origin().address
    operation = (request.endpoint or "").rpartition(".")[2]

    def write(subjects: list[UUID], rows: int | None) -> None:
        services.access_log.note(
            recording.Reading(at, actor, address, operation, about, subjects, rows, {**asked, **named, **noted.asked})
        )

    return write
