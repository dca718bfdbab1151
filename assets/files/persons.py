"""Personal data (个人信息) in uploaded files (附件)."""

from typing import cast

from sqlalchemy import Table

from assets.files.models import File
from core.persons.holdings import Column, Fate, Holding, Holds
from core.persons.reasons import EVIDENCE, PERSON_GONE

HOLDINGS = (
    Holding(
        table=cast(Table, File.__table__), title="附件", purpose="记录的证据和申报材料",
        basis="个人信息保护法第十三条第一款第（三）项", kept="随所属记录；未使用的一天", since="uploaded_at",
        columns=(
            Column("original_name", Holds.TEXT, "文件名", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("latitude", Holds.OWN, "拍摄位置（纬度）", Fate.KEEP, EVIDENCE),
            Column("longitude", Holds.OWN, "拍摄位置（经度）", Fate.KEEP, EVIDENCE),
        ),
    ),
)  # fmt: skip
