"""A certificate (证书) in a list, and with the filing that issued it."""

from datetime import date
from uuid import UUID

from pydantic import Field

from miniapp_api.http.answers import Answer


class CertificateIssuer(Answer):
    """The office that issued a certificate (发证机关)."""

    id: UUID
    name: str


class CertificateRow(Answer):
    """A certificate in a list."""

    about = "certificate"

    id: UUID
    kind: str
    title: str = Field(description="of the kind")
    number: str
    status: str = Field(description="one of its kind's, or `expired` where it would hold but for its last day")
    status_label: str
    holds: bool = Field(description="whether it is good now")
    version: int = Field(description="how many versions there are")
    uscc: str
    org_name: str
    office: CertificateIssuer | None
    issued_on: date
    valid_from: date
    valid_to: date | None = Field(description="its last day; null: without an end")
    filing_id: UUID = Field(description="the filing that it was issued by")
