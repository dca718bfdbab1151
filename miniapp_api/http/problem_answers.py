"""The body of a refusal (`application/problem+json`, RFC 9457), as `miniapp_api/http/problems.py` writes it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from core.errors import CATALOGUE
from miniapp_api.http.answers import Answer, absent, one_of

_SENTENCE = "Chinese sentence a user can act on"


class Fault(Answer):
    """One fault of a body or of a query."""

    path: str = Field(description="JSON Pointer into the body")
    code: str
    message: str = Field(description=_SENTENCE)
    tab: str = absent("the tab (分页) of the form on which the place stands")


class RegisteredName(Answer):
    """What the register of enterprises says of a code that was sent with another name."""

    path: str = Field(description="JSON Pointer to the name that was sent")
    name: str


class Problem(Answer):
    """A refusal; what stands behind `errors` is said by some codes only."""

    type: str = Field(description="`urn:gongpin:problem:` and the code")
    title: str = Field(description=_SENTENCE)
    status: int
    code: Annotated[str, one_of(CATALOGUE)]
    detail: str = absent(_SENTENCE)
    errors: list[Fault] = absent("all faults at once, at most 200")
    request_id: str
    current_version: int = absent("`stale_version`: the version to be read before the next write")
    current_status: str | None = absent("`wrong_status`: where the record stands now")
    opinion: str | None = absent("`account_rejected`: why")
    handed_over_to: str = absent("`handed_over`: the user name of who goes on with the record")
    duplicates: list[UUID] = absent("`duplicate_check`: the checks that this one may repeat")
    registered: list[RegisteredName] = absent("`name_differs`: the names that stand in the register")
    rectifications: list[UUID] = absent("`rectification_open`: the filings that are under way")
    retry_at: datetime = absent("`rating_window`: from when on it may be tried again")
