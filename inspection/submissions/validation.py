"""The validation of what was sent for a record: its form, and what follows from the answers.

The one place where bodies are validated: drafts, submissions, corrections and applications for corrections.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from core import clock
from core.errors import Fault, Problem, invalid
from core.forms.form import Form
from core.forms.library import FormLibrary
from inspection import kinds
from inspection.campaigns import CampaignCalendar
from inspection.dictionaries.lookup import Dictionary
from inspection.kinds import SPOT_CHECK, Kind
from inspection.models import Inspection
from inspection.records import record_warnings
from inspection.records.content import subject_of
from inspection.submissions import attachments, dictionary_checks, visit_rules
from inspection.submissions.duplicates import DuplicateSearch
from inspection.submissions.register_checks import RegisterCheck
from inspection.submissions.sent import Sent
from inspection.submissions.sheet_numbers import NO_SHEET_NUMBER, SheetNumber
from inspection.submissions.validated import Validated, as_day, derive


@dataclass(frozen=True, slots=True)
class Tools:
    """What validation needs besides the session; one per process."""

    forms: FormLibrary
    dictionary: Dictionary
    campaigns: CampaignCalendar


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
    checked = form.check(sent.answers(form), submit=sent.submit, today=clock.today())
    data, product_code = checked.values, str(body.get("product_code"))
    faults = dictionary_checks.product_faults(body.get("product_code"))
    known_product = not faults and not any(fault.path == "/product_code" for fault in checked.faults)
    faults += checked.faults
    faults += visit_rules.leader_faults(form, data) if sent.submit else []
    if known_product:
        faults += _dictionary_faults(session, tools, sent, kind, data, product_code)
    subject = subject_of(sent.record_type, sent.record_id)
    faults += attachments.claim(session, author.user_id, subject, form, body, data)
    if faults:
        raise Problem("invalid", errors=_distinct(faults))
    if sent.submit:
        visit_rules.propose_overall(form, data)
    register = RegisterCheck.look_up(session, data)
    if sent.submit and body.get("confirm_name") is not True:
        register.refuse_other_names(data)
    sheet_number = NO_SHEET_NUMBER
    if sent.submit and sent.record_type == SPOT_CHECK:
        sheet_number = SheetNumber.of(session, author, as_day(data.get(kind.date_field)), data.get("sheet_no"))
    warnings = [
        *register.warnings(data, product_code, author.office_scope, submit=sent.submit),
        *record_warnings.of_dropped(checked.dropped),
        *sheet_number.warnings(session, sent.record_id),
    ]
    campaign_id = tools.campaigns.running(session, product_code, clock.today())
    beside = {"campaign_id": campaign_id, "product_code": product_code, "kept_warnings": warnings}
    return derive(sent, kind, form, checked, register, sheet_number, beside)


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
    day, province = as_day(data.get(kind.date_field)) or clock.today(), sent.author.chain[0]
    if kind.record_type == SPOT_CHECK:
        return dictionary_checks.resolve_test_items(
            session, tools.dictionary, data, product_code, province, day, submit=sent.submit
        )
    return dictionary_checks.resolve_products(
        session, tools.dictionary, data, product_code, province, day, submit=sent.submit,
        corresponding=sent.submit and bool(kind.name == "production" or data.get("regulation_types")),
    )  # fmt: skip
