"""Personal data (个人信息) in uploaded files (附件)."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import Table, delete
from sqlalchemy.orm import Session

from assets.files.models import File
from core.persons.holdings import Column, Fate, Holding, Holds
from core.persons.reasons import EVIDENCE, PERSON_GONE

HOLDINGS = (
    Holding(
        table=cast(Table, File.__table__), title="附件", purpose="记录的证据和申报材料",
        basis="个人信息保护法第十三条第一款第（三）项", kept="随所属记录；未使用的一天", since="uploaded_at",
        about="claimed_id",
        columns=(
            Column("original_name", Holds.TEXT, "文件名", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("latitude", Holds.OWN, "拍摄位置（纬度）", Fate.KEEP, EVIDENCE),
            Column("longitude", Holds.OWN, "拍摄位置（经度）", Fate.KEEP, EVIDENCE),
        ),
    ),
)  # fmt: skip


def remove(session: Session, ids: Sequence[UUID]) -> list[str]:
    """Delete the rows of files that are a person's; the keys of their bytes, to be deleted after the transaction.

    Bytes that stay behind because the process ends in between have no row, and the daily sweep removes them.
    """
    if not ids:
        return []
    gone = session.execute(
        delete(File)
        .where(File.id.in_(ids))
        .returning(File.stored_key, File.thumbnail_key, File.preview_key)
        .execution_options(synchronize_session=False)
    ).all()
    return [key for row in gone for key in row if key is not None]
