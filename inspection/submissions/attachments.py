"""Photos (照片) and signatures (签名) of field records: uploaded first, claimed by the record that names them.

A form has items of the types `photos`, `signature` and `file`, for the whole record or beside one question, each with
its own number. Forms without items of the names `photos` and `signatures` have these two all the same.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from assets.files import claiming
from assets.files.claiming import Claim, Subject
from assets.files.form_files import PHOTO, PURPOSES_OF_ITEMS, SIGNATURE
from assets.files.purposes import Category, categories
from core.errors import Fault
from core.forms.form import Form
from core.forms.uploads import items_of_uploads, uploads_in
from core.identifiers import as_uuid

MOST_PHOTOS = 40
"""Photos of one record in all, those beside single questions included."""
MOST_SIGNATURES = 9

ALLOWED = categories(
    Category("photos", "照片", frozenset({PHOTO}), max_count=MOST_PHOTOS),
    Category("signatures", "签名", frozenset({SIGNATURE}), max_count=MOST_SIGNATURES),
)


def is_named(form: Form, body: Mapping[str, Any]) -> bool:
    """Whether a body names any file."""
    return any(body.get(category) not in (None, []) for category in ALLOWED) or any(_of_form(form, body))


def named(form: Form, data: Mapping[str, Any]) -> frozenset[UUID]:
    """The files that stored data names."""
    own = [UUID(text) for category in ALLOWED for text in data.get(category, ())]
    return frozenset([*own, *(claim_.file_id for claim_ in _of_form(form, data))])


def claim(
    session: Session, user_id: UUID, subject: Subject, form: Form, body: Mapping[str, Any], data: dict[str, Any]
) -> list[Fault]:
    """Claim the files that a body names, uploaded by this user or the record's already; returns the faults.

    The ids of files that are no items of the form are put into `data`; an empty list leaves no key, so that records
    without pictures cost nothing. A later fault of the body rolls the claims back with everything else.
    """
    own, faults = _beside_form(form, body)
    wanted = [*own, *_of_form(form, data)]
    allowed = _allowed(form)
    photos = [claim_.path for claim_ in wanted if PHOTO in allowed[claim_.category].purposes]
    if not faults and len(photos) > MOST_PHOTOS:
        message = f"一份记录最多上传{MOST_PHOTOS}张照片，现有{len(photos)}张，请删减后重试"
        faults.append(Fault(photos[MOST_PHOTOS], "too_many_files", message))
    if not faults and wanted:
        faults = claiming.claim(session, user_id, subject, wanted, allowed)
    for category in ALLOWED:
        if ids := [str(claim_.file_id) for claim_ in own if claim_.category == category]:
            data[category] = ids
    return faults


def release_dropped(session: Session, subject: Subject, kept: frozenset[UUID]) -> None:
    """Release what a draft no longer names. Files of a submitted record are kept: its former versions name them."""
    claiming.release(session, subject, kept)


def _allowed(form: Form) -> dict[str, Category]:
    items = items_of_uploads(form).values()
    by_form = (Category(one.name, one.text, PURPOSES_OF_ITEMS[one.type], max_count=MOST_PHOTOS) for one in items)
    return {**ALLOWED, **{category.code: category for category in by_form}}


def _beside_form(form: Form, body: Mapping[str, Any]) -> tuple[list[Claim], list[Fault]]:
    """The files in `photos` and `signatures`, where these are no items of the form."""
    items_of_form = {item.name for item in form.files}
    wanted: list[Claim] = []
    faults: list[Fault] = []
    for code, category in ALLOWED.items():
        sent = None if code in items_of_form else body.get(code)
        if sent is None or sent == []:
            continue
        if not isinstance(sent, list):
            faults.append(Fault(f"/{code}", "wrong_type", f"“{category.label}”应为上传文件编号的列表，请重新上传"))
        elif len(sent) > category.max_count:
            message = f"“{category.label}”最多{category.max_count}张，现有{len(sent)}张，请删减后重试"
            faults.append(Fault(f"/{code}/{category.max_count}", "too_many_files", message))
        else:
            for place, value in enumerate(sent):
                file_id = as_uuid(value)
                if file_id is None:
                    message = f"“{category.label}”中有无效的文件，请重新上传"
                    faults.append(Fault(f"/{code}/{place}", "bad_file", message))
                else:
                    wanted.append(Claim(code, file_id, f"/{code}/{place}"))
    return wanted, faults


def _of_form(form: Form, values: Mapping[str, Any]) -> Iterator[Claim]:
    """The files in the items of the form."""
    yield from (Claim(one.item.name, one.file_id, one.path) for one in uploads_in(form, values))
