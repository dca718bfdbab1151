"""What was sent for a record, judged: kind, form, values, and what follows from them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.db import canonical_json
from core.errors import Fault, Problem, invalid
from core.forms.form import Form
from core.forms.library import FormLibrary
from core.forms.sealing import sealed
from core.forms.validation.check import Checked
from core.privacy import mask_phone, unseal
from inspection import kinds
from inspection.campaigns import CampaignCalendar
from inspection.dictionaries.entries import Dictionary
from inspection.kinds import CHECK, SPOT_CHECK, Kind
from inspection.models import Inspection
from inspection.records import record_warnings
from inspection.statistics.tallies import TallyKey
from inspection.submissions import attachments, dictionary_checks
from inspection.submissions.authors import Owner
from inspection.submissions.register_checks import Objections
from inspection.submissions.sheet_numbers import NO_SHEET, Sheet

ADDRESSED = frozenset(
    [
        "kind",
        "product_code",
        "form_version",
        "version",
        "confirm_duplicate",
        "confirm_name",
        "reason",
        "photos",
        "signatures",
    ]
)
"""Keys of the body that are not answers of the form."""

SERVER_SET = frozenset(
    [
        "id",
        "status",
        "book",
        "form_code",
        "campaign_id",
        "level",
        "office",
        "region",
        "username",
        "operator_name",
        "created_at",
        "updated_at",
        "submitted_at",
        "org_prefilled",
        "name_differs",
        "problems",
        "problems_found",
        "disposal_state",
        "conclusion",
        "warnings",
        "product_names",
        "retired_names",
        "created_by",
        "begun_by",
        "returned",
        "corrected",
        "voided",
    ]
)
"""What a record carries when it is read; sent back, it is passed over."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What judging needs besides the session; one per process."""

    forms: FormLibrary
    dictionary: Dictionary
    campaigns: CampaignCalendar


@dataclass(frozen=True, slots=True)
class Validated:
    """A judged body. `columns` are values of `Inspection`; `counts` what it adds to its tally; `told` whether it is a
    check that the enterprise of the register with its code is told of."""

    kind: Kind
    form: Form
    columns: dict[str, Any]
    data: dict[str, Any]
    counts: kinds.Counts
    tally: TallyKey | None
    told: bool
    files: frozenset[UUID]


def validate(
    session: Session,
    tools: Tools,
    actor: Actor,
    record_type: str,
    record_id: UUID,
    body: Mapping[str, Any],
    *,
    submit: bool,
    corrected: Inspection | None = None,
) -> Validated:
    """Check a body as a draft or as a submission and claim the files it names.

    Raises 422 with all faults at once; then, for a submission, 409 `name_differs` unless the body says `confirm_name`.
    `corrected` is the submitted record that the body is to replace: it keeps its office, and may be corrected by the
    version of the form that it answers for ever.
    """
    kind, form_code = kinds.resolve(tools.forms, record_type, body.get("kind"))
    owner, today = Owner.of(actor, corrected), clock.today()
    version = body.get("form_version")
    in_time = submit and not (corrected and (corrected.form_code, corrected.form_version) == (form_code, version))
    form = _form(tools.forms, form_code, version, today if in_time else date.min)
    beside = ADDRESSED - {item.name for item in form.files}
    answers = {k: v for k, v in body.items() if k not in beside and k not in SERVER_SET}
    if record_type == SPOT_CHECK and isinstance(answers.get("items"), list):
        answers["items"] = [_without_name(row) for row in answers["items"]]
    checked = form.check(answers, submit=submit, today=today)
    faults = dictionary_checks.product_faults(body.get("product_code")) + checked.faults
    data, product_code = checked.values, str(body.get("product_code"))
    if not any(fault.path == "/product_code" for fault in faults):
        faults += _dictionary_faults(session, tools, owner, kind, data, product_code, submit=submit)
    faults += attachments.claim(session, actor, subject_of(record_type, record_id), form, body, data)
    if faults:
        raise Problem("invalid", errors=_distinct(faults))
    objections = Objections.look_up(session, data)
    if submit and body.get("confirm_name") is not True:
        objections.refuse_other_names(data)
    sheet = NO_SHEET
    if submit and record_type == SPOT_CHECK:
        sheet = Sheet.of(session, owner, _date(data.get(kind.date_field)), data.get("sheet_no"))
    validated = _validated(session, tools, owner, kind, form, product_code, checked, objections, submit=submit)
    validated.columns.update(sheet.columns())
    validated.columns["kept_warnings"] += sheet.warnings(session, record_id)
    return validated


def form_meant(tools: Tools, record_type: str, body: Mapping[str, Any]) -> Form:
    """The form that a body answers; raises 422 where there is no such kind or version."""
    _, form_code = kinds.resolve(tools.forms, record_type, body.get("kind"))
    return _form(tools.forms, form_code, body.get("form_version"), date.min)


def answering_on(tools: Tools, record: Inspection, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body; where it names no version of the form, it goes on with the one that its record answered so far."""
    if body.get("form_version") is not None:
        return body
    _, form_code = kinds.resolve(tools.forms, record.record_type, body.get("kind"))
    return {**body, "form_version": record.form_version} if form_code == record.form_code else body


def _form(forms: FormLibrary, code: str, version: Any, day: date) -> Form:
    if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
        raise invalid("/form_version", "wrong_type", "表单版本（form_version）应为整数，请更新小程序后重试")
    return forms.answerable(code, version, day)


def _without_name(row: Any) -> Any:
    return {k: v for k, v in row.items() if k != "item_name"} if isinstance(row, dict) else row


def _distinct(faults: list[Fault]) -> list[Fault]:
    """The form and the dictionaries may both speak of one place: the first word counts."""
    seen: dict[tuple[str, str], Fault] = {}
    for fault in faults:
        seen.setdefault((fault.path, fault.code), fault)
    return list(seen.values())


def _dictionary_faults(
    session: Session, tools: Tools, owner: Owner, kind: Kind, data: dict[str, Any], product_code: str, *, submit: bool
) -> list[Fault]:
    # A word counts as what it was on the day of the check, which a phone may send days later.
    day, province = _date(data.get(kind.date_field)) or clock.today(), owner.chain[0]
    if kind.record_type == SPOT_CHECK:
        return dictionary_checks.resolve_test_items(
            session, tools.dictionary, data, product_code, province, day, submit=submit
        )
    return dictionary_checks.resolve_products(
        session, tools.dictionary, data, product_code, province, day, submit=submit,
        corresponding=submit and bool(kind.name == "production" or data.get("regulation_types")),
    )  # fmt: skip


def _validated(
    session: Session,
    tools: Tools,
    owner: Owner,
    kind: Kind,
    form: Form,
    product_code: str,
    checked: Checked,
    objections: Objections,
    *,
    submit: bool,
) -> Validated:
    data, problems_found = checked.values, checked.problems_found
    uscc, name = _text(data.get("uscc"), 18), _text(data.get("org_name"), 100)
    conclusion = None
    if kind.record_type == SPOT_CHECK and submit and data.get("items"):
        verdicts = {row.get("verdict") for row in data["items"]}
        conclusion = "fail" if "fail" in verdicts else "pass" if "pass" in verdicts else "not_judged"
    unable = data.get("unable") is True
    disposed = submit and kind.record_type != SPOT_CHECK
    state = kinds.disposal_state(problems_found, data.get("disposals") or {}) if disposed else "none"
    check_date = _date(data.get(kind.date_field))
    registered = objections.checked
    differs = registered is not None and registered.differs_from(data)
    columns: dict[str, Any] = {
        "record_type": kind.record_type,
        "kind": kind.name,
        "form_code": form.code,
        "form_version": form.version,
        "campaign_id": tools.campaigns.running(session, product_code, clock.today()),
        "product_code": product_code,
        "uscc": uscc,
        "org_name": name,
        "org_prefilled": kind.name == "production" and registered is not None and registered.has_name(name or ""),
        "name_differs": differs,
        "kept_warnings": [
            *objections.warnings(data, product_code, owner.scope, submit=submit),
            *record_warnings.dropped(checked.dropped),
        ],
        "check_date": check_date,
        "unable": unable,
        "problems_found": problems_found and submit,
        "disposal_state": state,
        "conclusion": conclusion,
        "data": sealed(form, data),
    }
    address = data.get("org_address")
    tally = TallyKey(
        owner.office_id, *owner.chain, kind.record_type, kind.name, product_code,
        kinds.org_key(None if differs else uscc, name, address if isinstance(address, str) else None), name or "",
    )  # fmt: skip
    counts = kinds.counts_of(kind.record_type, unable, bool(columns["problems_found"]), state, conclusion)
    told = submit and kind.record_type == CHECK and registered is not None and not differs
    files = attachments.named(form, data)
    return Validated(kind, form, columns, data, counts, tally if submit else None, told, files)


def unmasked(form: Form, stored: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent; a number that comes back masked, as it was read, stands for the stored one."""
    numbers = {name: unseal(stored[name]) for name in form.sensitive & stored.keys() if isinstance(stored[name], str)}
    return {**sent, **{name: number for name, number in numbers.items() if sent.get(name) == mask_phone(number)}}


_SAID = (
    "form_code", "form_version", "product_code", "uscc", "org_name", "check_date", "unable", "problems_found",
    "disposal_state", "conclusion", "data",
)  # fmt: skip


def content_of(record: Inspection) -> dict[str, Any]:
    """What a stored record says, as `content_digest` takes it."""
    return {name: getattr(record, name) for name in (*_SAID, "name_differs")}


def content_digest(columns: Mapping[str, Any]) -> str:
    """Digest of what a record says, kept in its history so that `history verify` shows a changed record."""
    said = {name: columns[name] for name in _SAID}
    if columns["name_differs"]:  # records from before there was the question have digests without it
        said["name_differs"] = True
    return hashlib.sha256(canonical_json(said)).hexdigest()


def _text(value: Any, limit: int) -> str | None:
    return value[:limit] if isinstance(value, str) and value else None


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def subject_of(record_type: str, record_id: UUID) -> tuple[str, UUID]:
    """The subject of to-dos and history."""
    return ("spot_check" if record_type == SPOT_CHECK else "inspection", record_id)
