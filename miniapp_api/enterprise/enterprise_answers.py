"""Answers about enterprises (企业名录) and their licences."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from enterprise.operations import SCALES
from enterprise.production.operations import LICENCE_STATUSES
from enterprise.products import PRODUCTS
from miniapp_api.http.answers import Answer, one_of


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


class EnterpriseAccount(Answer):
    """An account that was handed to an enterprise; the password is shown once."""

    username: str
    password: str
    must_change_password: Literal[True]
