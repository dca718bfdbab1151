"""Personal data (个人信息) of those who registered without an account."""

from typing import Any, cast

from sqlalchemy import Table

from core.persons.holdings import Column, Fate, Holding, Holds, Subject
from core.persons.person import GONE
from core.persons.reasons import NOTHING, PERSON_GONE
from enterprise.registrations.models import Registered
from enterprise.registrations.query_codes import ID_USE


def _undecided(row: Any) -> str | None:
    if row["status"] == "new":
        return "自行登记尚未核对，请先并入或单独办理，再删除"
    return None


HOLDINGS = (
    Holding(
        table=cast(Table, Registered.__table__), title="自行登记", purpose="受理办件，凭查询码查询进度",
        basis="个人信息保护法第十三条第一款第（三）项", kept="随办件；核对后可依申请删除", since="created_at",
        subject=Subject(("registration",)), busy=_undecided,
        columns=(
            Column("mobile", Holds.NUMBER, "手机号", Fate.ERASE, NOTHING, empty=""),
            Column("id_number", Holds.NUMBER, "身份证号", Fate.ERASE, NOTHING),
            Column("id_hash", Holds.HASH, "身份证号的散列", Fate.ERASE, NOTHING, use=ID_USE),
            Column("name", Holds.NAME, "姓名或名称", Fate.PSEUDONYMISE, PERSON_GONE, empty=GONE),
            Column("email", Holds.OWN, "邮箱", Fate.ERASE, NOTHING),
            Column("opinion", Holds.TEXT, "核对意见", Fate.PSEUDONYMISE, PERSON_GONE),
        ),
    ),
)  # fmt: skip
