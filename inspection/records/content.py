"""What a record says: as its history keeps it, and the subject under which history, to-dos and files know it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import privacy
from core.forms.sealing import opened
from core.workflows import history
from core.workflows.contents import Attested, is_keyed, keyed_digest
from core.workflows.witnesses import Witness
from inspection.kinds import SPOT_CHECK
from inspection.models import CorrectionRequest, Inspection

CONTENT = (
    "form_code", "form_version", "product_code", "uscc", "org_name", "check_date", "unable", "problems_found",
    "disposal_state", "conclusion", "data",
)  # fmt: skip


def content_of(record: Inspection) -> dict[str, Any]:
    """What a stored record says, as `content_digest` takes it."""
    return {name: getattr(record, name) for name in (*CONTENT, "name_differs")}


def answers_place(record_id: UUID) -> str:
    """The place to which the answers of a record are sealed."""
    return privacy.place("inspections", "data", record_id)


def version_place(record_id: UUID, version: int) -> str:
    """The same of the answers that a correction replaced."""
    return privacy.place("inspection_versions", "data", f"{record_id.hex}.{version}")


def request_place(request_id: UUID, column: str) -> str:
    """The same of an application for a correction (更正申请): `before` or `asked`."""
    return privacy.place("correction_requests", column, request_id)


def content_digest(columns: Mapping[str, Any], record_id: UUID) -> str:
    """Keyed digest of what a record says, kept in its history so that `history verify` shows a changed record.

    Of clear values: they are sealed anew when the key is changed.
    """
    content = {**_content(columns), "data": opened(columns["data"], answers_place(record_id)), "id": str(record_id)}
    return keyed_digest("inspection content", content)


def _asked_in_clear(values: Mapping[str, Any]) -> Mapping[str, Any]:
    contents = {
        name: {**values[name], "data": opened(values[name]["data"], request_place(values["id"], name))}
        for name in ("before", "asked")
    }
    return {**values, **contents}


ASKED = Witness(
    "asked",
    (
        "id", "inspection_id", "base_version", "requested_by", "requested", "reason", "before", "asked", "confirmed",
        "decided",
    ),
    clear=_asked_in_clear,
)  # fmt: skip
"""What an application for a correction asks, for whom, and how it was decided: an approval makes a record of it."""


def asked_columns(request: CorrectionRequest) -> dict[str, Any]:
    """The witnessed columns of an application, as they stand in the table."""
    return {name: getattr(request, name) for name in ASKED.columns}


def stored_digest(columns: Mapping[str, Any]) -> str:
    """The digest that releases up to 0.3 made: of the content as it is stored."""
    return history.content_digest(_content(columns))


def is_content(recorded: object, columns: Mapping[str, Any], record_id: UUID, attested: Attested) -> bool:
    """Whether a record says what the digest in its history says."""
    keyed = content_digest(columns, record_id)
    return recorded == keyed or (
        not is_keyed(recorded) and (recorded == stored_digest(columns) or attested.holds(recorded, keyed))
    )


def stated(session: Session, record: Inspection, columns: Mapping[str, Any]) -> dict[str, Any]:
    """What the history keeps of a step after which a submitted record says `columns`: its digest, and whether the
    record as it stood did not fit the one before."""
    return {"content": content_digest(columns, record.id), **history.marked(unlike(session, record))}


def unlike(session: Session, record: Inspection) -> list[str]:
    """The name of the digest, where a submitted record is not what its last step said."""
    recorded = history.last_payload(session, record.id).get("content")
    proven = recorded is None or is_content(recorded, content_of(record), record.id, Attested(session, [recorded]))
    return [] if proven else ["content"]


def _content(columns: Mapping[str, Any]) -> dict[str, Any]:
    content = {name: columns[name] for name in CONTENT}
    if columns["name_differs"]:  # records from before the column have digests without it
        content["name_differs"] = True
    return content


def subject_of(record_type: str, record_id: UUID) -> tuple[str, UUID]:
    """Subject type and id."""
    return ("spot_check" if record_type == SPOT_CHECK else "inspection", record_id)
