"""Personal data (个人信息) in the register of enterprises (企业名录) and in what is published of checks."""

from typing import cast

from sqlalchemy import Table

from core.persons.holdings import Column, Fate, Holding, Holds
from core.persons.reasons import PERSON_GONE, REGISTER
from enterprise.imports.uploads.models import UploadedImport
from enterprise.models import Enterprise

_REGISTER = "依法监督管理经营主体"
_BASIS = "个人信息保护法第十三条第一款第（三）、（六）项；企业信息公示暂行条例"

HOLDINGS = (
    Holding(
        table=cast(Table, Enterprise.__table__), title="企业名录", purpose=_REGISTER, basis=_BASIS,
        kept="与登记信息同期", since="updated_at", searched=False,
        columns=(
            Column("name", Holds.OWN, "企业名称", Fate.KEEP, REGISTER),
            Column("folded_name", Holds.OWN, "企业名称（检索用）", Fate.KEEP, REGISTER),
            Column("former_names", Holds.OWN, "曾用名", Fate.KEEP, REGISTER),
            Column("legal_representative", Holds.OWN, "法定代表人", Fate.KEEP, REGISTER),
            Column("address", Holds.OWN, "住所", Fate.KEEP, REGISTER),
            Column("production_address", Holds.OWN, "生产地址", Fate.KEEP, REGISTER),
            Column("imported", Holds.OWN, "名录最近一次导入的内容", Fate.KEEP, REGISTER),
        ),
    ),
    Holding(
        table=cast(Table, UploadedImport.__table__), title="上传的名录", purpose=_REGISTER, basis=_BASIS, kept="3天",
        since="created_at",
        columns=(Column("file_name", Holds.TEXT, "文件名", Fate.PSEUDONYMISE, PERSON_GONE),),
    ),
)  # fmt: skip
