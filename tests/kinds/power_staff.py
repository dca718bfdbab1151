"""许可证新申请 with its staff as rows of a table, and 人员变更, which refers to them (`spec/d` §4.3, §4.9)."""

from datetime import date
from typing import Any

from sqlalchemy import Index, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from accounts.models import OfficeKind
from enterprise.filings.declaring.declarations import APPLICANT, AUTHOR, Status, Step
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.declaring.row_tables import Refers, RowColumns, Rows
from enterprise.filings.steps.routing import by_place
from tests.kinds.forms import form, item, options
from tests.kinds.power_new import ACCEPT, APPLICATION, APPROVER, power_new


class StaffBase(DeclarativeBase):
    """Apart from the tables of the product."""

    metadata = MetaData()


class Staff(RowColumns, StaffBase):
    """Staff of an application, and of the licence once it is issued."""

    __tablename__ = "power_staff"
    __table_args__ = (Index("ix_power_staff_filing_id", "filing_id", "number"),)

    name: Mapped[str] = mapped_column(String(50))
    kind: Mapped[str] = mapped_column(String(20))
    valid_to: Mapped[date | None]


ROWS = Rows("staff", Staff, {"name": "name", "kind": "kind", "valid_to": "cert_valid_to"}, ("name",), "id_no")
_STAFF = item("staff", "人员", "group", max_items=200, items=[
    item("name", "姓名", "text", required=True),
    item("kind", "类别", "choice", required=True, options=options(technician="技术人员", electrician="电工")),
    item("id_no", "身份证号", "resident_id", required=True, sensitive=True),
    item("cert_valid_to", "证书有效期至", "date"),
])  # fmt: skip
_SECTION = APPLICATION["sections"][0]
WITH_STAFF: dict[str, Any] = {
    **APPLICATION, "code": "power-with-staff", "sections": [{**_SECTION, "items": [*_SECTION["items"], _STAFF]}],
}  # fmt: skip
CHANGE = form(
    "power-staff-change",
    "人员变更",
    item("province", "所在省", "region", required=True),
    item("leaving", "离职人员", "group", items=[item("person", "人员", "text", required=True)]),
)


def power_with_staff(**changes: Any) -> FilingKind:
    """The new application, whose staff become rows."""
    return power_new(**{"form_code": "power-with-staff", "rows": [ROWS], **changes})


def power_staff_change(**changes: Any) -> FilingKind:
    """Staff who leave are those of a licence of the same enterprise."""
    declared: dict[str, Any] = {
        "code": "power_staff_change",
        "title": "人员变更",
        "form_code": "power-staff-change",
        "statuses": [
            Status("draft", "填报中", AUTHOR, edits=AUTHOR),
            Status("pending", "审批中", ACCEPT, todo="人员变更待审批"),
            Status("approved", "已同意", end=True),
        ],
        "steps": [
            Step("open", "人员变更", None, "draft", APPLICANT),
            Step("submit", "提交", "draft", "pending", AUTHOR, sends=True),
            Step("approve", "同意", "pending", "approved", [ACCEPT, APPROVER]),
        ],
        "refers": [Refers("leaving/person", "power_new", ROWS, ["issued"], "该人员不在许可证的人员之中，请重新选择")],
        "route": by_place("province", OfficeKind.ENERGY_BRANCH.value),
    }  # fmt: skip
    return FilingKind(**{**declared, **changes})
