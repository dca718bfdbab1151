"""Answers about enterprises (企业名录) and their licences."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from enterprise.operations import SCALES
from enterprise.production.operations import LICENCE_STATUSES
from enterprise.products import PRODUCTS
from inspection.kinds import KINDS
from miniapp_api.http.answers import Answer, AnswerValue, absent, one_of


class Licence(Answer):
    """A production licence (生产许可证)."""

    id: UUID
    licence_no: str
    uscc: str
    product_class: str
    product_code: Annotated[str, one_of(PRODUCTS)] | None = Field(description="null where no product is of this class")
    product_detail: str
    issued_on: date | None
    valid_to: date | None
    issuer: str | None
    status: Annotated[str, one_of({*LICENCE_STATUSES, "expired"})]


class Enterprise(Answer):
    """The basics of an enterprise (企业概况), to pre-fill a check."""

    id: UUID
    uscc: str
    name: str
    legal_representative: str | None
    address: str | None
    production_address: str | None
    region_code: str
    scale: Annotated[str, one_of(SCALES)] | None
    status: Literal["active"]
    product_codes: list[Annotated[str, one_of(PRODUCTS)]]


class EnterpriseWithLicences(Enterprise):
    """An enterprise with its licences, from which forms are pre-filled."""

    licences: list[Licence] = Field(description="valid ones first")
    licence: Licence | None = Field(description="the one for the product that was named")


class LastVisit(Answer):
    """The last record of a kind and product about an enterprise, among those that the caller may read."""

    about = "inspection"

    record_id: UUID
    kind: Annotated[str, one_of(KINDS)]
    product_code: Annotated[str, one_of(PRODUCTS)]
    checked_on: date
    office: str
    unable: bool
    problems_found: bool
    disposal_state: Literal["none", "in_progress", "done", "na"]
    conclusion: Literal["pass", "fail"] | None = Field(description="of a spot check; null without a sample")
    findings: list[str] = Field(description="what was found, item by item, in sentences")
    facts: dict[str, AnswerValue] = Field(
        description="by field what the next check takes from it beforehand (`default_from`); no personal data"
    )


class KeptEnterprise(Answer):
    """An enterprise as a phone keeps it (本机名录): what pre-fills a check, and what submitting it would ask."""

    uscc: str
    name: str
    former_names: list[str] = Field(description="names that the code had before; they do not differ from it")
    address: str | None
    production_address: str | None
    legal_representative: str | None
    region_code: str
    scale: Annotated[str, one_of(SCALES)] | None
    product_codes: list[Annotated[str, one_of(PRODUCTS)]] = Field(description="the products planned to be checked")
    visited: list[Annotated[str, one_of(PRODUCTS)]] = Field(description="those of them for which it was visited")
    licences: list[Licence] = Field(description="valid ones first")
    visits: list[LastVisit] = Field(description="the newest first, one for each kind and product")


class RegisterChanges(Answer):
    """What changed in the register of the caller's regions since a mark."""

    about = "enterprise"

    items: list[KeptEnterprise] = Field(description="enterprises that were added or have changed, as they are now")
    gone: list[str] = Field(description="codes of enterprises that have left the caller's regions")
    next_after: str = Field(description="`after` of the next question, at once or days later; never null")
    more: bool = Field(description="whether there is a next page already")
    reset: bool = Field(description="the list begins anew: drop what was kept before, then keep this page")


class EnterpriseAccount(Answer):
    """An account that was handed to an enterprise: by a one-time password, shown once, or by a link by mail."""

    username: str
    password: str = absent("left out where a link went out by mail")
    invited: str = absent("the address, masked, to which the link went")
    must_change_password: Literal[True]
