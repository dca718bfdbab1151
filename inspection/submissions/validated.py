"""What is stored of a valid body: the columns that follow from its answers, and where the record counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from core.forms.form import Form
from core.forms.sealing import sealed
from core.forms.validation.check import Checked
from inspection import kinds
from inspection.kinds import SPOT_CHECK, Counts, Kind
from inspection.records.content import answers_place
from inspection.statistics.tallies import TallyKey
from inspection.submissions import attachments
from inspection.submissions.duplicates import DuplicateSearch
from inspection.submissions.register_checks import RegisterCheck
from inspection.submissions.sent import Sent
from inspection.submissions.sheet_numbers import SheetNumber


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


def derive(
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
    check_date = as_day(data.get(kind.date_field))
    is_check = kind.record_type != SPOT_CHECK
    unable, problems_found = data.get("unable") is True, checked.problems_found and submit
    state = "none"
    if submit and kind.disposes:
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
        "org_prefilled": kind.about == "producer" and registered is not None and registered.has_name(name or ""),
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


def as_day(value: Any) -> date | None:
    """A day as a form writes it; None for what is none."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
