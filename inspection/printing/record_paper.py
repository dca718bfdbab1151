"""The paper of a check or spot check: its data, its template, and the code by which it is verified (打印件核验)."""

from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Region
from assets.paper.form_sheet import fields_of, sheet
from assets.paper.papers import Paper, data_of
from core import clock
from core.actor import Actor
from core.forms.form import Form
from core.forms.library import FormLibrary
from core.forms.sealing import opened, readable
from core.prints import operations as prints
from core.prints.operations import Look, Shown
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.models import Inspection
from inspection.printing.record_pictures import pictures_of
from inspection.records.access import reads_numbers
from inspection.records.content import answers_place, subject_of
from inspection.submissions.attachments import named
from inspection.workflows import DRAFT, SUBMITTED, VOIDED

PAPERS = Path(__file__).resolve().parent.parent / "papers"
_PLAIN = "record"
"""The template of forms that have none of their own."""
_ACROSS = {DRAFT: "草稿", VOIDED: "作废"}


def prepared(session: Session, forms: FormLibrary, actor: Actor, record: Inspection, public_url: str | None) -> Paper:
    """What is printed of a record now; a submitted one gets the code of this print, which is kept.

    `public_url`: where the code leads; None for what has none (Word). Telephone numbers are clear for whom the record
    itself shows them (`access.reads_numbers`).
    """
    form = forms.get(record.form_code, record.form_version).form
    data = opened(record.data, answers_place(record.id))
    said = _said(session, form, record, data)
    digest, url = prints.digest(said), ""
    if record.status == SUBMITTED and public_url is not None:
        subject_type, subject_id = subject_of(record.record_type, record.id)
        url = f"{public_url}{prints.PAGE}{prints.issue(session, subject_type, subject_id, digest)}"
    pictures = pictures_of(session, form, data)
    shown = said
    if not reads_numbers(actor, record):
        masked = readable(form, record.data, answers_place(record.id), clear=False)
        shown = {**said, "fields": fields_of(form, masked), **sheet(form, masked)}
    printed = data_of(
        shown,
        digest,
        url,
        across=_ACROSS.get(record.status, ""),
        signatures=pictures.signatures,
        photos=pictures.photos,
    )
    return Paper(said["number"], template_of(form), printed, pictures.signature_keys, pictures.photo_keys)


def template_of(form: Form) -> Path:
    """The template that has the name of the form, else the plain one."""
    own = PAPERS / f"{form.code}.typ"
    return own if own.is_file() else PAPERS / f"{_PLAIN}.typ"


def number_of(record: Inspection) -> str:
    """The number on the paper: the day of the check, and the beginning of the record's id."""
    day = record.check_date.strftime("%Y%m%d") if record.check_date else "--------"
    return f"{'CY' if record.record_type == SPOT_CHECK else 'JC'}{day}-{record.id.hex[:8].upper()}"


def look(forms: FormLibrary, record_type: str) -> Look:
    """For the page of a print: what a record of this type is now; None for a draft, and where it is gone."""

    def shown(session: Session, record_id: UUID) -> Shown | None:
        record = session.get(Inspection, record_id)
        if record is None or record.record_type != record_type or record.status not in (SUBMITTED, VOIDED):
            return None
        form = forms.get(record.form_code, record.form_version).form
        said = _said(session, form, record, opened(record.data, answers_place(record.id)))
        return Shown(
            said["title"], said["number"], record.check_date, record.org_name or "", {prints.digest(said): ""},
            record.status == VOIDED,
        )  # fmt: skip

    return shown


def looks(forms: FormLibrary) -> dict[str, Look]:
    """Those of both types, by the type of subject under which their prints stand."""
    return {"inspection": look(forms, CHECK), "spot_check": look(forms, SPOT_CHECK)}


def _said(session: Session, form: Form, record: Inspection, data: dict[str, Any]) -> dict[str, Any]:
    """What the paper says of the record, whenever and wherever it is printed; the pictures by their ids."""
    return {
        "form": form.code, "title": form.title, "office": record.office_name, "district": _district(session, record),
        "year": (record.check_date or clock.today()).year, "fields": fields_of(form, data), "number": number_of(record),
        "uploads": sorted(str(one) for one in named(form, data)), **sheet(form, data),
    }  # fmt: skip


def _district(session: Session, record: Inspection) -> str:
    code = record.area3 or record.area2 or record.area1
    return session.scalar(select(Region.name).where(Region.code == code)) or ""
