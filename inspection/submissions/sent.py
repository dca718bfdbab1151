"""What an author sends for a record, and which of its keys are answers of the form."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import UUID

from core.forms.form import Form
from core.forms.library import FormLibrary
from inspection import kinds
from inspection.kinds import SPOT_CHECK
from inspection.models import Inspection
from inspection.submissions.authors import Author

BESIDE_ANSWERS = frozenset(
    {
        "kind", "product_code", "form_version", "version", "confirm_duplicate", "confirm_name", "reason", "photos",
        "signatures",
    }
)  # fmt: skip
"""Keys of a body that are not answers of the form."""

SERVER_SET = frozenset(
    {
        "id", "status", "form_code", "campaign_id", "level", "office", "region", "username", "operator_name",
        "created_at", "updated_at", "submitted_at", "org_prefilled", "name_differs", "problems", "problems_found",
        "disposal_state", "conclusion", "warnings", "product_names", "retired_names", "created_by", "begun_by",
        "returned", "corrected", "voided",
    }
)  # fmt: skip
"""What a record carries when it is read; sent back, it is passed over."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What an author sends for a record: a draft, or (`submit`) the whole of it.

    `corrected` is the submitted record that the body is to replace: it keeps its office. The version of the form that
    it answers is accepted for its corrections without a last day.
    """

    author: Author
    record_type: str
    record_id: UUID
    body: Mapping[str, Any]
    submit: bool
    corrected: Inspection | None = None

    @property
    def action(self) -> str:
        """The step of the workflow."""
        return "submit" if self.submit else "save"

    def continuing(self, forms: FormLibrary, record: Inspection | None) -> Self:
        """Without a version of the form, the body goes on with the one that the record answered so far."""
        if record is None or self.body.get("form_version") is not None:
            return self
        _, form_code = kinds.resolve(forms, self.record_type, self.body.get("kind"))
        if form_code != record.form_code:
            return self
        return replace(self, body={**self.body, "form_version": record.form_version})

    def answers(self, form: Form) -> dict[str, Any]:
        """What was sent for the questions of the form."""
        beside = BESIDE_ANSWERS - {item.name for item in form.files}
        answers = {name: value for name, value in self.body.items() if name not in beside and name not in SERVER_SET}
        if self.record_type == SPOT_CHECK and isinstance(answers.get("items"), list):
            answers["items"] = [_without_name(row) for row in answers["items"]]
        return answers


def _without_name(row: Any) -> Any:
    """A test item is named by its id; the name beside it is the dictionary's."""
    return {name: value for name, value in row.items() if name != "item_name"} if isinstance(row, dict) else row
