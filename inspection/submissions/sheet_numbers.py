"""Numbers of sampling sheets (抽样单编号): one sheet is one record, however its number was typed.

A number is unique per bureau that samples, level and year. Each bureau numbers its own sheets and does not see those of
others, so that another bureau has a record of the same number is only a warning.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from accounts import offices
from core.errors import Problem, invalid
from core.text import fold
from inspection.models import Inspection
from inspection.submissions.authors import Author

_LONGEST = 50


@dataclass(frozen=True, slots=True)
class SheetNumber:
    """The number in the form in which it is compared, and the bureau that uses it; both or neither."""

    key: str | None
    bureau: UUID | None

    @classmethod
    def of(cls, session: Session, author: Author, day: date | None, sheet_no: Any) -> Self:
        """That of a record of this author."""
        key = key_of(author.chain[0], author.level, day, sheet_no)
        return cls(key, offices.bureau_above(session, author.office_id) if key else None)

    def columns(self) -> dict[str, Any]:
        """The columns of `Inspection` that hold it."""
        return {"sheet_key": self.key, "sheet_bureau": self.bureau}

    def warnings(self, session: Session, record_id: UUID) -> Iterator[dict[str, str]]:
        """Whether another bureau of the province has a record of this number."""
        if self._is_used(session, record_id, Inspection.sheet_bureau != self.bureau):
            message = "本省其他单位本年度也有这个编号的抽样单，请核对编号；各单位各自编号的不必修改"
            yield {"code": "sheet_elsewhere", "path": "/sheet_no", "message": message}

    def refuse_taken(self, session: Session, record_id: UUID) -> None:
        """422 where another record of the bureau has the number; of two at one moment the index lets one in (`taken`).

        The index alone is not enough: where several records have shared a number from before it was compared folded,
        it stays taken when the first of them gives it up.
        """
        if self._is_used(session, record_id, Inspection.sheet_bureau == self.bureau):
            raise _taken()

    def _is_used(self, session: Session, record_id: UUID, where: ColumnElement[bool]) -> bool:
        if self.key is None:
            return False
        others = exists().where(Inspection.sheet_key == self.key, where, Inspection.id != record_id)
        return bool(session.scalar(select(others)))


NO_SHEET_NUMBER = SheetNumber(None, None)


def key_of(area1: str, level: str, day: date | None, sheet_no: Any) -> str | None:
    """The number as it is compared, with level and year (spec §6.1), within a province."""
    if not isinstance(sheet_no, str) or not sheet_no or day is None:
        return None
    number = fold(sheet_no)
    if len(number) > _LONGEST:  # some characters become many
        number = "#" + hashlib.sha256(number.encode()).hexdigest()[:32]
    return f"{area1}:{level}:{day.year}:{number}"


def taken(error: IntegrityError) -> Exception:
    """422 when it was the number of the sampling sheet that stood already; else the error itself."""
    return _taken() if "sheet_key" in str(error.orig) else error


def _taken() -> Problem:
    return invalid(
        "/sheet_no",
        "sheet_taken",
        "本单位本年度已有这个编号的抽样单（不区分大小写、全角半角、横线和空格），请核对后重新填写抽样单编号",
    )


def shared(session: Session) -> list[Inspection]:
    """The records of a bureau that share their number, from before numbers were compared folded.

    Number by number, the oldest record first.
    """
    twin = aliased(Inspection)
    twins = exists().where(
        twin.sheet_key == Inspection.sheet_key, twin.sheet_bureau == Inspection.sheet_bureau, twin.sheet_twin > 0
    )
    numbered = select(Inspection).where(Inspection.sheet_key.is_not(None), twins)
    return list(
        session.scalars(numbered.order_by(Inspection.sheet_key, Inspection.sheet_bureau, Inspection.sheet_twin))
    )
