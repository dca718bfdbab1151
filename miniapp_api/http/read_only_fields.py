"""Fields of a body beside those that its room validates (HTTP contract, §1).

Read-only ones are ignored, with a warning where they were sent differently; others are refused.
"""

from collections.abc import Mapping
from typing import Any

from core.errors import Fault, Problem, Warned
from core.forms.validation.messages import UNKNOWN_ITEM
from core.pointers import pointer, showable
from core.read_only import warnings_of
from miniapp_api.http.bodies import DescribedBody, field_names
from miniapp_api.http.field_labels import LABELS


def other_fields(body: DescribedBody) -> dict[str, Any]:
    """The fields that the body carries beside those that its model describes."""
    own = field_names(type(body))
    return {name: value for name, value in body.root.items() if name not in own}


def read_only_warnings(body: DescribedBody, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Warned]:
    """A warning for each read-only field that was sent differently; 422 for names that mean nothing.

    `before` and `after` are the record as it is answered before and after the write; `before` is empty for a new one.
    """
    sent = other_fields(body)
    unknown = [name for name in sent if name not in before and name not in after]
    if unknown:
        raise Problem("invalid", errors=[Fault(pointer(showable(n)), "unknown_field", UNKNOWN_ITEM) for n in unknown])
    return warnings_of(sent, {name: LABELS.get(name, "该项") for name in sent}, before, after)
