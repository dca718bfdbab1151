"""Filters that many lists share: a product, a range of days. A value that is none is refused, never ignored."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from enterprise.products import PRODUCTS
from miniapp_api.http.bodies import Day, Query


def _known_product(code: str) -> str:
    if code not in PRODUCTS:
        raise ValueError(f"没有这个产品代码，请从 {min(PRODUCTS)} 到 {max(PRODUCTS)} 的13类产品中选择")
    return code


ProductCode = Annotated[
    str, AfterValidator(_known_product), WithJsonSchema({"type": "string", "enum": sorted(PRODUCTS)})
]
"""The code of one of the thirteen products."""


class Days(Query):
    """From one day to another, both included; either may be left out."""

    day_from: Day | None = Field(None, alias="from")
    day_to: Day | None = Field(None, alias="to")

    @field_validator("day_to")
    @classmethod
    def _not_before(cls, day_to: Day | None, others: ValidationInfo) -> date | None:
        day_from = others.data.get("day_from")
        if day_to is not None and day_from is not None and day_to < day_from:
            raise ValueError("截止日期（to）不能早于起始日期（from），请改正其中一个")
        return day_to
