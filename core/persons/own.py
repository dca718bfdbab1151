"""Personal data (个人信息) in the tables of `core`: to-dos (待办) and what moves carried."""

from typing import cast

from sqlalchemy import Table

from core.deliveries.models import Delivery
from core.long_jobs.models import LongJob
from core.models import HistoryPayload, Todo
from core.persons.holdings import Column, Fate, Holding, Holds
from core.persons.reasons import DUTY, PERSON_GONE

_BASIS = "个人信息保护法第十三条第一款第（三）项"

HOLDINGS = (
    Holding(
        table=cast(Table, Todo.__table__), title="待办", purpose="提醒办理", basis=_BASIS, kept="随所属记录",
        since="opened_at", about="subject_id",
        columns=(Column("title", Holds.TEXT, "标题", Fate.PSEUDONYMISE, PERSON_GONE),),
    ),
    Holding(
        table=cast(Table, Delivery.__table__), title="投递", purpose="向收件人发送通知", basis=_BASIS,
        kept="收件人和内容：送达即删除；未能送达的180天", since="created_at",
        columns=(
            Column("recipient", Holds.TEXT, "收件人", Fate.PSEUDONYMISE, PERSON_GONE),
            Column("content", Holds.TEXT, "内容", Fate.PSEUDONYMISE, PERSON_GONE),
        ),
    ),
    Holding(
        table=cast(Table, LongJob.__table__), title="后台任务", purpose="批量办理", basis=_BASIS, kept="结束后7天",
        since="created_at",
        columns=(
            Column("operator_name", Holds.TEXT, "操作人", Fate.KEEP, DUTY),
            Column("params", Holds.TEXT, "办理意见", Fate.PSEUDONYMISE, PERSON_GONE),
        ),
    ),
    Holding(
        table=cast(Table, HistoryPayload.__table__), title="操作记录", purpose="说明谁在何时做了什么，且不被篡改",
        basis="行政处罚法第四十七条（全过程记录）；网络安全法（网络日志）", kept="长期；个人信息可依申请删除",
        columns=(
            Column(
                "payload", Holds.JSON, "操作记录的内容", Fate.ERASE,
                "含本人信息的操作内容整条删除，何时做过什么操作仍可核对",
            ),
        ),
    ),
)  # fmt: skip
