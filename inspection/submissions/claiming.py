"""The first statement of a write: claims its idempotency key, and asks by the way what the next steps need to know.

Most records are new and have no duplicate. To ask all of it in one statement was measured to halve the CPU of a
submission; `core/database/prepared.py` compiles it once.
"""

import functools
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Scope
from core.database.prepared import Prepared
from core.workflows import idempotency
from inspection.models import Inspection
from inspection.submissions import duplicates
from inspection.submissions.duplicates import DuplicateSearch
from inspection.submissions.sent import Sent

_RECORDS = cast(Table, Inspection.__table__).c
_EXISTING_ID = select(_RECORDS.id).where(_RECORDS.id == bindparam("record_id")).scalar_subquery()
_CLAIM = idempotency.claiming(existing_id=_EXISTING_ID)


@dataclass(frozen=True, slots=True)
class Claimed:
    """Whether the write repeats one that was accepted, whether its record exists, and the duplicates of a new check."""

    repeated: bool
    exists: bool
    duplicates: Any = None


def claim(session: Session, sent: Sent, search: DuplicateSearch | None) -> Claimed:
    """Claim the key of a write, for which identical ones at the same moment wait; and look for duplicates."""
    key = idempotency.key(sent.author.user_id, f"{sent.record_type}.{sent.action}", sent.record_id, sent.body)
    values: dict[str, Any] = {"key": key, "at": clock.now(), "record_id": sent.record_id}
    if search is None:
        row = _CLAIM.first(session, values)
    else:
        row = _claim_and_find(search.scope).first(session, {**values, **search.values})
    if row is None:
        return Claimed(repeated=True, exists=True)
    return Claimed(False, row.existing_id is not None, None if search is None else row)


@functools.lru_cache(maxsize=1024)
def _claim_and_find(scope: Scope) -> Prepared:
    return idempotency.claiming(existing_id=_EXISTING_ID, **duplicates.subqueries(scope))
