"""Personal data (个人信息) of those who rate (评价人)."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table
from sqlalchemy.orm import Session

from core.persons.holdings import Column, Fate, Holding, Holds, Subject
from core.persons.person import Person
from core.persons.reasons import DUTY, NOTHING, PERSON_GONE, ROW_GONE
from core.retention.periods import PERIODS
from feedback import integrity
from feedback.models import FreedNumber, Rating, RatingContact, RatingFollowUp, RatingWindow, SmsCode
from feedback.ratings import freed_numbers, phone_proof

_RATINGS = cast(Table, Rating.__table__)
_PURPOSE = "核实和改进政务服务：防重复评价、差评回访和整改"
_BASIS = "个人信息保护法第十三条第一款第（三）项；国办发〔2019〕51号（政务服务“好差评”）、GB/T 39734、GB/T 39735"
_KEPT = "评价期间及其后的统计年度；可依申请删除"
_HASHES_GO = "散列换成不对应任何号码的值"


def _standing(
    session: Session, rating_id: UUID, _changed: Mapping[str, list[Mapping[str, Any]]]
) -> list[Mapping[str, Any]]:
    rating = session.get_one(Rating, rating_id, populate_existing=True)
    handled = session.get(RatingFollowUp, rating_id, populate_existing=True)
    values = {name: getattr(rating, name) for name in integrity.STANDING}
    return [{"standing": integrity.standing_digest(values, None if handled is None else integrity.columns_of(handled))}]


def _unlike(session: Session, rating_id: UUID) -> list[str]:
    rating = session.get_one(Rating, rating_id, populate_existing=True)
    handled = session.get(RatingFollowUp, rating_id, populate_existing=True)
    return [*integrity.unlike_rated(session, rating), *integrity.unlike(session, rating, handled)]


def _of_number(person: Person) -> ColumnElement[bool] | None:
    """Ratings with the last four digits of the number; all, where the number is not known."""
    return None if person.number is None else _RATINGS.c.mobile_tail == person.number[-4:]


HOLDINGS = (
    Holding(
        table=_RATINGS, title="评价", purpose=_PURPOSE, basis=_BASIS, kept=_KEPT, since="submitted_at",
        # The digest of the first move is of what the rater wrote; a call-back is compared with its move.
        subject=Subject(("rating",), _standing, payload_keys=frozenset({"content", "note"}), unlike=_unlike),
        narrow=_of_number,
        columns=(
            Column("mobile", Holds.NUMBER, "手机号", Fate.ERASE, NOTHING, empty=""),
            Column("mobile_tail", Holds.OWN, "手机号后四位", Fate.ERASE, NOTHING, empty=""),
            Column("rater_name", Holds.NAME, "姓名", Fate.ERASE, NOTHING, empty=""),
            Column("comment", Holds.OWN, "评价文字", Fate.ERASE, NOTHING),
            Column("public_comment", Holds.OWN, "公开的评价文字", Fate.ERASE, NOTHING),
            Column("address_key", Holds.OWN, "来源地址的散列", Fate.ERASE, NOTHING, empty=""),
            Column("user_agent", Holds.OWN, "设备和浏览器", Fate.ERASE, NOTHING, empty=""),
            Column("submission_key", Holds.OWN, "识别重复提交的散列", Fate.ERASE, NOTHING),
            Column(
                "query_key", Holds.OWN, "查询码的散列", Fate.KEEP,
                "由评价编号算出，不含本人信息；只有持有查询码的本人能查办理结果",
            ),
        ),
    ),
    Holding(
        table=cast(Table, RatingFollowUp.__table__), title="差评整改", purpose=_PURPOSE, basis=_BASIS, kept=_KEPT,
        parent="ratings", link="rating_id", since="assigned_at",
        columns=tuple(
            Column(name, Holds.TEXT, title, Fate.PSEUDONYMISE, PERSON_GONE)
            for name, title in (
                ("extension_reason", "延期原因"), ("measures", "整改措施"), ("explanation", "解释说明"),
                ("feedback_text", "反馈内容"), ("public_reply", "公开答复"), ("appeal_reason", "申诉理由"),
                ("opinion", "审核意见"),
            )
        ),
    ),
    Holding(
        table=cast(Table, RatingContact.__table__), title="回访", purpose=_PURPOSE, basis=_BASIS, kept=_KEPT,
        parent="ratings", link="rating_id", since="at",
        columns=(
            Column("note", Holds.OWN, "回访记录", Fate.ERASE, NOTHING),
            Column("operator_name", Holds.OWN, "回访人", Fate.KEEP, DUTY),
        ),
    ),
    Holding(
        table=cast(Table, FreedNumber.__table__), title="解除限制的号码", purpose="号码被冒用时恢复本人评价",
        basis=_BASIS, kept=_KEPT, since="freed_at",
        subject=Subject(("freed_number",), payload_keys=frozenset({"mobile"})),
        columns=(
            Column("mobile_key", Holds.HASH, "手机号的散列", Fate.ERASE, _HASHES_GO, empty="", use=freed_numbers.USE),
            Column("masked_mobile", Holds.OWN, "遮挡后的手机号", Fate.ERASE, NOTHING, empty=""),
            Column("reason", Holds.OWN, "解除限制的原因", Fate.ERASE, NOTHING, empty=""),
            Column("operator_name", Holds.OWN, "办理人", Fate.KEEP, DUTY),
        ),
    ),
    Holding(
        table=cast(Table, SmsCode.__table__), title="短信验证码", purpose="证明手机号为本人所用", basis=_BASIS,
        kept=f"{PERIODS['keep_sms_codes_days'].default}天", since="created_at", deletes=True,
        columns=(
            Column("mobile_key", Holds.HASH, "手机号的散列", Fate.ERASE, ROW_GONE, use=phone_proof.USE),
            Column("address_key", Holds.OWN, "来源地址的散列", Fate.ERASE, ROW_GONE),
            Column("code_hash", Holds.OWN, "验证码的散列", Fate.ERASE, ROW_GONE),
        ),
    ),
    Holding(
        table=cast(Table, RatingWindow.__table__), title="五天内已评价的号码", purpose="同一手机号5天内只能填报一次",
        basis=_BASIS, kept="至多五天，到期一小时内删除", searched=False,
        columns=(
            Column(
                "key", Holds.OWN, "手机号的散列", Fate.KEEP,
                "五天内处理目的尚未实现（第四十七条第一款第（一）项）：否则删除即可再评；仅为散列，至多五天后自动删除",
            ),
        ),
    ),
)  # fmt: skip
