"""Numbers of sampling sheets (抽样单编号): one paper is one record (spec/a_inspection §6.1), however it was typed."""

import hashlib
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import Problem, invalid
from core.text import fold
from inspection.models import Inspection

_LONGEST = 50


def key_of(area1: str, level: str, day: date | None, sheet_no: Any) -> str | None:
    """What is unique: the number as it is compared, per level and year (spec §6.1), here within a province."""
    if not isinstance(sheet_no, str) or not sheet_no or day is None:
        return None
    number = fold(sheet_no)
    if len(number) > _LONGEST:  # some characters become many
        number = "#" + hashlib.sha256(number.encode()).hexdigest()[:32]
    return f"{area1}:{level}:{day.year}:{number}"


def refuse_taken(session: Session, record_id: UUID, key: str | None) -> None:
    """422 where another record has the number. Of two at the same moment the index lets one in (`taken`).

    The index alone would not do: a number that several records have from before stays taken when the first gives it up.
    """
    if key is None:
        return
    others = exists().where(Inspection.sheet_key == key, Inspection.id != record_id)
    if session.scalar(select(others)):
        raise _taken()


def taken(error: IntegrityError) -> Exception:
    """422 when it was the number of the sampling sheet that stood already; else the error itself."""
    return _taken() if "sheet_key" in str(error.orig) else error


def _taken() -> Problem:
    return invalid(
        "/sheet_no", "sheet_taken", "该抽样单编号已被使用（不区分大小写、全角半角、横线和空格），请核对后重新填写"
    )


def shared(session: Session) -> list[Inspection]:
    """The records that share their number, from before numbers were compared folded: number by number, oldest first."""
    keys = select(Inspection.sheet_key).where(Inspection.sheet_key.is_not(None), Inspection.sheet_twin > 0)
    numbered = select(Inspection).where(Inspection.sheet_key.in_(keys))
    return list(session.scalars(numbered.order_by(Inspection.sheet_key, Inspection.sheet_twin)))
