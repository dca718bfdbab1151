"""Answers about certificates (证书), and what was drawn on their counters."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from miniapp_api.enterprise.certificate_rows import CertificateRow
from miniapp_api.enterprise.filing_answers import FilingForm
from miniapp_api.http.answers import Answer, AnswerValue, HistoryRow, absent


class CounterOfLine(Answer):
    """A quantity of a line of a certificate (核销数量)."""

    line: int = Field(description="counted from 1")
    name: str
    label: str
    total: str
    used: str
    pending: str = Field(description="reserved, and not there for others, until it is confirmed or released")
    left: str


class CertificateWhole(CertificateRow):
    """A certificate with what it says now; personal data is masked."""

    form: FilingForm
    data: dict[str, AnswerValue]
    counters: list[CounterOfLine]


class CertificateSaid(Answer):
    """What a certificate said from its issue or a change on."""

    about = "certificate"

    number: int
    filing_id: UUID = Field(description="the filing behind it")
    made_at: datetime
    issued_on: date
    valid_from: date
    valid_to: date | None
    form: FilingForm
    data: dict[str, AnswerValue]


class CertificateDraw(Answer):
    """What a filing drew on a counter of a certificate (核销记录)."""

    about = "certificate"

    filing_id: UUID
    filing_title: str
    filing_number: str | None
    line: int
    name: str
    asked: str
    found: str | None = Field(description="what was really found, once it is confirmed")
    status: Literal["pending", "confirmed", "released"]
    made_at: datetime
    settled_at: datetime | None


class CertificateMove(HistoryRow):
    """A move of a certificate."""

    about = "certificate"

    number: str = absent("the number with which it was issued")
    filing: UUID = absent("the filing behind it")
    certificate_version: UUID = absent("what it says from then on")
    content: str = absent("digest of what it says from then on")
    valid_to: date | None = absent("its last day from then on")
    comment: str = absent("the opinion or reason of the step")
    joined: str = absent("`join_applicant`: the code of the organisation that holds it from then on")
    reason: str = absent("`erase`: why what moves said was erased, with the receipt (回执)")
