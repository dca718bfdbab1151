"""Amendments of three demo records: one voided (作废), one returned (退回更正), one with an application (更正申请)."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.db import Database
from inspection.corrections import requests as correction_requests
from inspection.corrections import returning, voiding
from inspection.kinds import CHECK
from inspection.models import CorrectionRequest, Inspection
from inspection.submissions.validation import Tools

_OWNER, _SUPERIOR = "demo_tianning", "demo_changzhou"
_LONG_AGO = timedelta(days=3)


def load(database: Database, tools: Tools, actors: Mapping[str, Actor]) -> None:
    """Make the missing ones, on the first records of the inspector in 天宁区 that are old enough."""
    with database.read() as session:
        before = clock.today() - _LONG_AGO
        chosen = (
            select(Inspection.id)
            .where(Inspection.username == _OWNER, Inspection.record_type == CHECK, Inspection.kind == "production")
            .where(Inspection.status != "draft", Inspection.unable.is_(False), Inspection.check_date < before)
            .order_by(Inspection.id)
            .limit(3)
        )
        doubled, wrong, incomplete = session.scalars(chosen).all()
    owner, superior = actors[_OWNER], actors[_SUPERIOR]
    with database.write() as session:
        _void(session, superior, doubled)
    with database.write() as session:
        _return(session, superior, wrong)
    with database.write() as session:
        _ask(session, tools, owner, incomplete)


def _void(session: Session, superior: Actor, record_id: UUID) -> None:
    record = session.get_one(Inspection, record_id)
    if record.voided is None:
        voiding.void(session, superior, CHECK, record_id, {"reason": "重复录入（演示）", "version": record.version})


def _return(session: Session, superior: Actor, record_id: UUID) -> None:
    if session.get_one(Inspection, record_id).returned is None:
        opinion = {"opinion": "生产地址与现场照片不一致，请核对后更正（演示）"}
        returning.send_back(session, superior, CHECK, record_id, opinion)


def _ask(session: Session, tools: Tools, owner: Actor, record_id: UUID) -> None:
    if session.scalar(select(exists().where(CorrectionRequest.inspection_id == record_id))):
        return
    # All demo records are submitted today, and a record can be corrected without an application on that day.
    earlier = {"submitted_at": clock.now() - _LONG_AGO, "created_at": clock.now() - _LONG_AGO}
    session.execute(update(Inspection).where(Inspection.id == record_id).values(earlier))
    record = session.get_one(Inspection, record_id, populate_existing=True)
    corrected = {
        **record.data, "kind": record.form_code, "form_version": record.form_version,
        "product_code": record.product_code, "version": record.version,
        "escort": "陪同人员张某某", "remark": "补充：陪同人员填写有误（演示）", "reason": "陪同人员填错（演示）",
        "confirm_duplicate": True, "confirm_name": True,
    }  # fmt: skip
    correction_requests.apply_for_correction(session, tools, owner, CHECK, record_id, corrected)
