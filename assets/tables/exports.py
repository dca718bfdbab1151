"""How many rows an export may have: the same for every list."""

from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.errors import Problem

EXPORT_LIMIT = 100_000


def refuse_too_large(session: Session, key: Any, *conditions: ColumnElement[bool]) -> None:
    """Raise 422 `export_too_large` where more than `EXPORT_LIMIT` rows match; `key` is the primary key's column."""
    over = select(key).where(*conditions).limit(EXPORT_LIMIT + 1).subquery()
    if session.execute(select(func.count()).select_from(over)).scalar_one() > EXPORT_LIMIT:
        raise Problem("export_too_large", f"超过 {EXPORT_LIMIT} 条，请缩小筛选范围后重试")
