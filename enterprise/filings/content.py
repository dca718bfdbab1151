"""What a filing says: where its personal data is sealed, and the digest that its history keeps of what was sent."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from core import privacy
from core.forms.sealing import opened
from core.workflows import history
from core.workflows.contents import Attested, is_keyed, keyed_digest
from enterprise.filings.models import FilingVersion

CONTENT = ("form_code", "form_version", "data", "documents")


def data_place(filing_id: UUID) -> str:
    """The place to which the data of a filing are sealed."""
    return privacy.place("filings", "data", filing_id)


def version_place(version_id: UUID) -> str:
    """The place to which the data of a sent version are sealed."""
    return privacy.place("filing_versions", "data", version_id)


def content_digest(version: Mapping[str, Any]) -> str:
    """Keyed digest of a sent version, kept in the history entry of the step that sent it.

    Of clear values: they are sealed anew when the key is changed.
    """
    content = {**{name: version[name] for name in CONTENT}, "filing": str(version["filing_id"])}
    content["data"] = opened(version["data"], version_place(version["id"]))
    return keyed_digest("filing content", content)


STEP_CONTENT = ("action", "form_code", "form_version", "documents")


def step_place(step_id: UUID) -> str:
    """The place to which the data of a step are sealed."""
    return privacy.place("filing_steps", "data", step_id)


def step_digest(row: Mapping[str, Any]) -> str:
    """Keyed digest of what a step said by its own form, kept in the history entry of the step."""
    content = {**{name: row[name] for name in STEP_CONTENT}, "filing": str(row["filing_id"])}
    content["data"] = opened(row["data"], step_place(row["id"]))
    return keyed_digest("filing step", content)


def stored_digest(version: Mapping[str, Any]) -> str:
    """The digest that releases up to 0.3 made: of the content as it is stored."""
    return history.content_digest({name: version[name] for name in CONTENT})


def is_content(recorded: str | None, version: FilingVersion, attested: Attested) -> bool:
    """Whether a version is what the digest in the history says."""
    values = {name: getattr(version, name) for name in ("id", "filing_id", *CONTENT)}
    keyed = content_digest(values)
    return recorded == keyed or (
        not is_keyed(recorded) and (recorded == stored_digest(values) or attested.holds(recorded, keyed))
    )


def as_date(value: Any) -> date | None:
    """A date of the form `YYYY-MM-DD`, or None."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
