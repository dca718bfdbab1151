"""Data declaration (数据申报): spec/c §2.3; seed 000, 数据申报."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from core import clock
from core.forms.sealing import moved, readable
from enterprise import register_changes
from enterprise.filings.content import data_place
from enterprise.filings.declaring.declarations import APPLICANT, SYSTEM, Move, Status, Step
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.models import Filing
from enterprise.filings.operations import follow_enterprise
from enterprise.filings.steps.opening import open_filing
from enterprise.models import Enterprise
from enterprise.operations import DECLARED, put_enterprises
from enterprise.production.kinds.posts import OFFICE
from enterprise.production.models import Licence

_OF_ENTERPRISE = {
    "org_name": "name",
    "legal_representative": "legal_representative",
    "registered_address": "address",
    "production_address": "production_address",
}


def prefilled(licence: Licence, enterprise: Enterprise) -> dict[str, Any]:
    """What a first declaration starts with: the licence and the register."""
    known = {name: getattr(enterprise, column) for name, column in _OF_ENTERPRISE.items()}
    known |= {"uscc": enterprise.uscc, "licence_no": licence.licence_no}
    return {name: value for name, value in known.items() if value} | of_licence(licence)


def of_licence(licence: Licence) -> dict[str, Any]:
    """What the register of licences knows and a declaration may change."""
    valid_to = {"licence_valid_to": licence.valid_to.isoformat()} if licence.valid_to else {}
    return {"product_detail": licence.product_detail, **valid_to}


def refresh_untouched(session: Session, enterprise: Mapping[str, Any]) -> None:
    """Fill rows 更新申报 that an enterprise has not saved with what the register says now: old values would come back.

    `enterprise`: its id, and values of columns of the register.
    """
    known = {name: enterprise[column] for name, column in _OF_ENTERPRISE.items() if enterprise.get(column)}
    fill_untouched(session, Filing.enterprise_id == enterprise["id"], known)


def fill_untouched(session: Session, which: ColumnElement[bool], known: Mapping[str, Any]) -> None:
    """Fill those rows 更新申报 that nobody has saved with the values in `known`."""
    untouched = (Filing.kind == KIND.code) & Filing.saved.is_(False) & which
    for row in session.execute(select(Filing.id, Filing.version, Filing.data).where(untouched)).all():
        session.execute(
            update(Filing)
            .where(Filing.id == row.id, Filing.version == row.version)
            .values(data={**row.data, **known}, version=row.version + 1)
            .execution_options(synchronize_session=False)
        )


def _adopt(move: Move) -> None:
    """Approved: the register and the licence take the data over, and a new row 更新申报 appears, filled with it."""
    engine, session, filing = move.engine, move.session, move.filing
    form = engine.forms.get(filing.form_code, filing.form_version).form
    data = readable(form, filing.data, data_place(filing.id), clear=True)
    enterprise = session.get_one(Enterprise, filing.enterprise_id, populate_existing=True)
    declared: dict[str, Any] = {column: data[name] for name, column in _OF_ENTERPRISE.items() if data.get(name)}
    facts: Any = {"uscc": enterprise.uscc, "name": enterprise.name, "region_code": enterprise.region_code, **declared}
    put_enterprises(session, [facts], source=DECLARED, on_move=follow_enterprise)
    session.execute(
        update(Licence)
        .where(Licence.id == filing.subject_id)
        .values(
            product_detail=data["product_detail"],
            valid_to=date.fromisoformat(data["licence_valid_to"]),
            updated_at=clock.now(),
        )
    )
    register_changes.note(session, enterprise.uscc)
    refresh_untouched(session, {"id": enterprise.id, **declared})
    enterprise = session.get_one(Enterprise, filing.enterprise_id, populate_existing=True)
    assert filing.subject_type is not None
    assert filing.subject_id is not None
    filing_id = uuid4()
    open_filing(
        session, engine, KIND, enterprise, filing_id=filing_id, subject=(filing.subject_type, filing.subject_id),
        parent_id=filing.id, title=filing.title, data=moved(filing.data, data_place(filing.id), data_place(filing_id)),
    )  # fmt: skip


KIND = FilingKind(
    code="data_declaration",
    system="production",
    title="数据申报",
    form_code="production-declaration",
    statuses=[
        Status("update", "更新申报", APPLICANT, edits=APPLICANT),
        Status("pending", "待审核", OFFICE, todo="数据申报待审核"),
        Status("returned", "审核不通过", APPLICANT, edits=APPLICANT, todo="数据申报审核不通过"),
        Status("done", "申报完成", end=True),
    ],
    subject_type="licence",
    one_open=True,
    fixed=frozenset({"uscc", "licence_no"}),
    listed=("licence_no", "product_detail"),
    rateable=True,
    steps=[
        Step("open", "更新申报", None, "update", SYSTEM),
        Step("submit", "提交", ["update", "returned"], "pending", APPLICANT, sends=True),
        Step("withdraw", "撤回", "pending", "update", APPLICANT),
        Step("approve", "审核通过", "pending", "done", OFFICE, effect=_adopt),
        Step("return", "审核不通过", "pending", "returned", OFFICE, comment=True),
    ],
)
