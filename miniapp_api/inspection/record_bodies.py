"""What the phone sends of a check or a spot check: header fields that all of them have; the rest is its form's."""

from typing import Any

from pydantic import Field

from enterprise.products import PRODUCTS
from inspection.submissions.attachments import MOST_PHOTOS, MOST_SIGNATURES
from miniapp_api.http.answers import FORM_DATA
from miniapp_api.http.bodies import (
    ID_FIELD,
    VERSION_FIELD,
    AsSent,
    DescribedBody,
    choice_field,
    described,
    text_field,
)

DISPOSAL_FIELD = choice_field({"done": "是", "in_progress": "办理中", "na": "不适用"})

_COMMON: dict[str, Any] = {
    "kind": {
        "type": "string",
        "description": "`production`, `sales` or the code of a form of that kind; a spot check needs none",
    },
    "product_code": {"type": "string", "enum": list(PRODUCTS)},
    "form_version": {"type": "integer", "description": "the version of the form that was filled in"},
    "version": VERSION_FIELD,
    "answers": {**FORM_DATA, "description": "by the numbers of the form's items", "examples": [{"1.1": "yes"}]},
    "disposals": {
        "type": "object",
        "additionalProperties": DISPOSAL_FIELD,
        "examples": [{"7.1": "in_progress"}],
    },
    "photos": {
        "type": "array",
        "items": ID_FIELD,
        "maxItems": MOST_PHOTOS,
        "description": "ids of uploaded files; the limit includes the photos of single items of the form",
    },
    "signatures": {
        "type": "array",
        "items": ID_FIELD,
        "maxItems": MOST_SIGNATURES,
        "description": "ids of uploaded files",
    },
}
_CONFIRMATIONS: dict[str, Any] = {
    "confirm_duplicate": {
        "type": "boolean",
        "description": "submit although the enterprise has such a check of the same day",
    },
    "confirm_name": {
        "type": "boolean",
        "description": "submit although the register has another name for the code; "
        "nothing is published to that enterprise then",
    },
}
_CORRECTED = described(("product_code", "version", "reason"), **_COMMON, reason=text_field(500), **_CONFIRMATIONS)


class RecordBody(DescribedBody):
    """A record; its further fields are those of the form that it answers, which validates them (see `GET /forms`)."""

    model_config = described(("product_code",), **_COMMON)


class SubmissionBody(DescribedBody):
    """A record; its further fields are those of the form that it answers, which validates them (see `GET /forms`)."""

    model_config = described(("product_code",), **_COMMON, **_CONFIRMATIONS)


class CorrectionBody(DescribedBody):
    """The whole record as it should have been, and why; validated by the form that it answers (see `GET /forms`)."""

    model_config = _CORRECTED


class CorrectionRequestBody(DescribedBody):
    """The whole record as it should have been, and why it has to be corrected; validated by the form it answers."""

    model_config = _CORRECTED


class ReturnBody(AsSent):
    """What the owner has to correct."""

    opinion: str | None = Field(None, description="required; at most 500 characters")
    version: int | None = None


class VoidBody(AsSent):
    """Why a record should not be there."""

    reason: str | None = Field(None, description="required; at most 500 characters")
    version: int
