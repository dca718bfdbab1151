"""Personal data (个人信息) in what enterprises read of checks (监督检查)."""

from typing import cast

from sqlalchemy import Table

from core.persons.holdings import Column, Fate, Holding, Holds
from core.persons.reasons import DUTY, PERSON_GONE
from enterprise.production.models import SupervisionCheck

HOLDINGS = (
    Holding(
        table=cast(Table, SupervisionCheck.__table__), title="监督检查结果", purpose="向企业告知检查结果",
        basis="个人信息保护法第十三条第一款第（三）项；行政处罚法第四十七条", kept="随检查案卷", since="published_at",
        columns=(
            Column("problems", Holds.TEXT, "存在问题", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("inspectors", Holds.OWN, "检查人员", Fate.KEEP, DUTY),
        ),
    ),
)  # fmt: skip
