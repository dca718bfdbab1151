"""The validation of what was sent for a record: its form, and what follows from the answers.

The one place where bodies are validated: drafts, submissions, corrections and applications for corrections.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.errors import Fault, Problem, invalid
from core.forms.form import Form
from core.forms.library import FormLibrary
from core.forms.sealing import sealed
from core.forms.validation.check import Checked
from inspection import kinds
from inspection.campaigns import CampaignCalendar
from inspection.dictionaries.entries import Dictionary
from inspection.kinds import SPOT_CHECK, Counts, Kind
from inspection.models import Inspection
from inspection.records import record_warnings
from inspection.records.content import answers_place, subject_of
from inspection.statistics.tallies import TallyKey
from inspection.submissions import attachments, dictionary_checks
from inspection.submissions.authors import Author
from inspection.submissions.duplicates import DuplicateSearch
from inspection.submissions.register_checks import RegisterCheck
from inspection.submissions.sheet_numbers import NO_SHEET_NUMBER, SheetNumber

BESIDE_ANSWERS = frozenset(
    {
        "kind", "product_code", "form_version", "version", "confirm_duplicate", "confirm_name", "reason", "photos",
        "signatures",
    }
)  # fmt: skip
"""Keys of a body that are not answers of the form."""

SERVER_SET = frozenset(
    {
        "id", "status", "form_code", "campaign_id", "level", "office", "region", "username", "operator_name",
        "created_at", "updated_at", "submitted_at", "org_prefilled", "name_differs", "problems", "problems_found",
        "disposal_state", "conclusion", "warnings", "product_names", "retired_names", "created_by", "begun_by",
        "returned", "corrected", "voided",
    }
)  # fmt: skip
"""What a record carries when it is read; sent back, it is passed over."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What validation needs besides the session; one per process."""

    forms: FormLibrary
    dictionary: Dictionary
    campaigns: CampaignCalendar


@dataclass(frozen=True, slots=True)
class Sent:
    """What an author sends for a record: a draft, or (`submit`) the whole of it.

    `corrected` is the submitted record that the body is to replace: it keeps its office. The version of the form that
    it answers is accepted for its corrections without a last day.
    """

    author: Author
    record_type: str
    record_id: UUID
    body: Mapping[str, Any]
    submit: bool
    corrected: Inspection | None = None

    @property
    def action(self) -> str:
        """The step of the workflow."""
        return "submit" if self.submit else "save"

    def continuing(self, forms: FormLibrary, record: Inspection | None) -> Self:
        """Without a version of the form, the body goes on with the one that the record answered so far."""
        if record is None or self.body.get("form_version") is not None:
            return self
        _, form_code = kinds.resolve(forms, self.record_type, self.body.get("kind"))
        if form_code != record.form_code:
            return self
        return replace(self, body={**self.body, "form_version": record.form_version})


@dataclass(frozen=True, slots=True)
class Validated:
    """What is to be stored.

    `columns` are values of `Inspection`; `data` are the answers, not yet encrypted; `tally` is where a submitted record
    counts, and `counts` how much; `is_published`: it is a check that the enterprise of the register with its code
    reads; `files` are all that it names.
    """

    kind: Kind
    form: Form
    columns: dict[str, Any]
    data: dict[str, Any]
    tally: TallyKey
    counts: Counts
    is_published: bool
    files: frozenset[UUID]
    sheet_number: SheetNumber
    duplicate_search: DuplicateSearch | None


@dataclass(frozen=True, slots=True)
class EarlyValidation:
    """The outcome of `validate_early`: `validated` or `problem`; neither where the body names files."""

    sent: Sent
    validated: Validated | None = None
    problem: Problem | None = None

    @property
    def duplicate_search(self) -> DuplicateSearch | None:
        """The duplicates to look for, where that is known already."""
        return self.validated.duplicate_search if self.validated is not None else None


def validate_early(session: Session, tools: Tools, sent: Sent) -> EarlyValidation:
    """Validate before anything is locked; what is wrong is kept, and raised by `validate_in_turn`.

    A body that names files has to wait, because files are validated by claiming them.
    """
    try:
        _, form_code = kinds.resolve(tools.forms, sent.record_type, sent.body.get("kind"))
        form = _form(tools.forms, form_code, sent.body.get("form_version"), date.min)
        if attachments.is_named(form, sent.body):
            return EarlyValidation(sent)
        return EarlyValidation(sent, validate(session, tools, sent))
    except Problem as problem:
        return EarlyValidation(sent, problem=problem)


def validate_in_turn(
    session: Session, tools: Tools, sent: Sent, draft: Inspection | None, early: EarlyValidation
) -> Validated:
    """What was validated early, or its problem; validated only now where it had to wait, or goes on with a draft."""
    continued = sent.continuing(tools.forms, draft)
    if continued is early.sent and early.problem is not None:
        raise early.problem
    if continued is early.sent and early.validated is not None:
        return early.validated
    return validate(session, tools, continued)


def validate(session: Session, tools: Tools, sent: Sent) -> Validated:
    """Validate a body and claim the files that it names.

    Raises 422 with all faults at once; then, for a submission, 409 `name_differs` unless the body says `confirm_name`.
    """
    body, author = sent.body, sent.author
    kind, form_code = kinds.resolve(tools.forms, sent.record_type, body.get("kind"))
    form = _form(tools.forms, form_code, body.get("form_version"), _day_of_form(sent, form_code))
    checked = form.check(_answers(sent, form), submit=sent.submit, today=clock.today())
    data, product_code = checked.values, str(body.get("product_code"))
    faults = dictionary_checks.product_faults(body.get("product_code"))
    known_product = not faults and not any(fault.path == "/product_code" for fault in checked.faults)
    faults += checked.faults
    if known_product:
        faults += _dictionary_faults(session, tools, sent, kind, data, product_code)
    subject = subject_of(sent.record_type, sent.record_id)
    faults += attachments.claim(session, author.user_id, subject, form, body, data)
    if faults:
        raise Problem("invalid", errors=_distinct(faults))
    register = RegisterCheck.look_up(session, data)
    if sent.submit and body.get("confirm_name") is not True:
        register.refuse_other_names(data)
    sheet_number = NO_SHEET_NUMBER
    if sent.submit and sent.record_type == SPOT_CHECK:
        sheet_number = SheetNumber.of(session, author, _date(data.get(kind.date_field)), data.get("sheet_no"))
    warnings = [
        *register.warnings(data, product_code, author.office_scope, submit=sent.submit),
        *record_warnings.of_dropped(checked.dropped),
        *sheet_number.warnings(session, sent.record_id),
    ]
    campaign_id = tools.campaigns.running(session, product_code, clock.today())
    beside = {"campaign_id": campaign_id, "product_code": product_code, "kept_warnings": warnings}
    return _validated(sent, kind, form, checked, register, sheet_number, beside)


def _day_of_form(sent: Sent, form_code: str) -> date:
    """The day on which the version of the form must still be accepted.

    `date.min`, so any version, for drafts and for corrections by the version that the record answers.
    """
    corrected, version = sent.corrected, sent.body.get("form_version")
    goes_on = corrected is not None and (corrected.form_code, corrected.form_version) == (form_code, version)
    return clock.today() if sent.submit and not goes_on else date.min


def _form(forms: FormLibrary, code: str, version: Any, day: date) -> Form:
    if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
        raise invalid("/form_version", "wrong_type", "表单版本（form_version）应为整数，请更新小程序后重试")
    return forms.answerable(code, version, day)


def _answers(sent: Sent, form: Form) -> dict[str, Any]:
    beside = BESIDE_ANSWERS - {item.name for item in form.files}
    answers = {name: value for name, value in sent.body.items() if name not in beside and name not in SERVER_SET}
    if sent.record_type == SPOT_CHECK and isinstance(answers.get("items"), list):
        answers["items"] = [_without_name(row) for row in answers["items"]]
    return answers


def _without_name(row: Any) -> Any:
    """A test item is named by its id; the name beside it is the dictionary's."""
    return {name: value for name, value in row.items() if name != "item_name"} if isinstance(row, dict) else row


def _distinct(faults: list[Fault]) -> list[Fault]:
    """The form and the dictionaries may both report one place: the first report counts."""
    seen: dict[tuple[str, str], Fault] = {}
    for fault in faults:
        seen.setdefault((fault.path, fault.code), fault)
    return list(seen.values())


def _dictionary_faults(
    session: Session, tools: Tools, sent: Sent, kind: Kind, data: dict[str, Any], product_code: str
) -> list[Fault]:
    # An entry counts as what it was on the day of the check, which a phone may send days later.
    day, province = _date(data.get(kind.date_field)) or clock.today(), sent.author.chain[0]
    if kind.record_type == SPOT_CHECK:
        return dictionary_checks.resolve_test_items(
            session, tools.dictionary, data, product_code, province, day, submit=sent.submit
        )
    return dictionary_checks.resolve_products(
        session, tools.dictionary, data, product_code, province, day, submit=sent.submit,
        corresponding=sent.submit and bool(kind.name == "production" or data.get("regulation_types")),
    )  # fmt: skip


def _validated(
    sent: Sent,
    kind: Kind,
    form: Form,
    checked: Checked,
    register: RegisterCheck,
    sheet_number: SheetNumber,
    beside: Mapping[str, Any],
) -> Validated:
    """The columns that follow from the answers, and where the record counts; `beside` are those that do not follow."""
    author, data, submit = sent.author, checked.values, sent.submit
    uscc, name = _text(data.get("uscc"), 18), _text(data.get("org_name"), 100)
    registered = register.checked
    differs = registered is not None and registered.differs_from(data)
    check_date = _date(data.get(kind.date_field))
    is_check = kind.record_type != SPOT_CHECK
    unable, problems_found = data.get("unable") is True, checked.problems_found and submit
    state = "none"
    if submit and is_check:
        state = kinds.disposal_state(checked.problems_found, data.get("disposals") or {})
    conclusion = None
    if submit and not is_check and data.get("items"):
        verdicts = {row.get("verdict") for row in data["items"]}
        conclusion = "fail" if "fail" in verdicts else "pass" if "pass" in verdicts else "not_judged"
    columns = {
        **author.columns,
        **beside,
        **sheet_number.columns(),
        "record_type": kind.record_type,
        "kind": kind.name,
        "form_code": form.code,
        "form_version": form.version,
        "uscc": uscc,
        "org_name": name,
        "org_prefilled": kind.name == "production" and registered is not None and registered.has_name(name or ""),
        "name_differs": differs,
        "check_date": check_date,
        "unable": unable,
        "problems_found": problems_found,
        "disposal_state": state,
        "conclusion": conclusion,
        "data": sealed(form, data, answers_place(sent.record_id)),
    }
    address = data.get("org_address")
    org_key = kinds.org_key(None if differs else uscc, name, address if isinstance(address, str) else None)
    tally = TallyKey(
        author.office_id, *author.chain, kind.record_type, kind.name, beside["product_code"], org_key, name or ""
    )
    search = None
    if submit and kind.duplicate_warning and check_date is not None:
        search = DuplicateSearch.of(author.scope, sent.record_id, tally, check_date)
    return Validated(
        kind=kind,
        form=form,
        columns=columns,
        data=data,
        tally=tally,
        counts=kinds.counts_of(kind.record_type, unable, problems_found, state, conclusion),
        is_published=submit and is_check and registered is not None and not differs,
        files=attachments.named(form, data),
        sheet_number=sheet_number,
        duplicate_search=search,
    )


def _text(value: Any, limit: int) -> str | None:
    return value[:limit] if isinstance(value, str) and value else None


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
