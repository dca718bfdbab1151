"""What changes the production-licence system besides its filings: licences and self-check topics."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from assets.files.claiming import Claim, claim, release
from assets.files.purposes import Category, FilePurpose, categories
from core import clock
from core.actor import Actor
from core.errors import Problem, invalid, not_found
from core.text import clean_line, demanded
from core.workflows import idempotency
from core.workflows.versions import refuse_stale, stale
from enterprise import register_changes
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.models import Filing
from enterprise.filings.steps.opening import open_filing
from enterprise.models import Enterprise
from enterprise.operations import Effect, Outcome
from enterprise.production.kinds import declaration
from enterprise.production.models import Licence, SelfCheckTopic

TEMPLATE = FilePurpose("template", "报告模板", (".doc", ".docx", ".pdf", ".xls", ".xlsx"))
_TEMPLATES = categories(Category("template", "报告模板", frozenset({TEMPLATE})))

LICENCE_STATUSES = {"valid": "有效", "expired": "过期", "cancelled": "注销", "withdrawn": "撤销", "revoked": "吊销"}


@dataclass(frozen=True, slots=True)
class LicenceFacts:
    """A row of the licence register (生产许可证) as imported; `status` is a key of `LICENCE_STATUSES`."""

    licence_no: str
    uscc: str
    product_class: str
    product_detail: str
    issued_on: date | None = None
    valid_to: date | None = None
    issuer: str | None = None
    status: str = "valid"


def plan_licence(session: Session, facts: LicenceFacts) -> Effect:
    """What `put_licence` would do; nothing is written or locked. Raises what it would raise."""
    enterprise = session.scalar(select(Enterprise).where(Enterprise.uscc == facts.uscc))
    licence = session.scalar(select(Licence).where(Licence.licence_no == facts.licence_no))
    _refuse_foreign(enterprise, licence)
    return Effect(Outcome.CREATED) if licence is None else _effect(licence, facts)


def put_licence(session: Session, engine: Filings, facts: LicenceFacts) -> tuple[Licence, Effect]:
    """Store a licence (again), and see that its enterprise has one open row 更新申报 for it.

    Again, only what differs from the last import is taken over: the rest may have been declared since.
    Raises 422, before anything is written, when the enterprise is not in the register or the number
    stands under another one.
    """
    # Locked: two imports at once store a licence of one enterprise one after the other.
    enterprise = session.scalar(select(Enterprise).where(Enterprise.uscc == facts.uscc).with_for_update())
    licence = session.scalar(select(Licence).where(Licence.licence_no == facts.licence_no))
    enterprise = _refuse_foreign(enterprise, licence)
    if licence is None:
        effect = Effect(Outcome.CREATED)
        licence = Licence(
            id=uuid4(), enterprise_id=enterprise.id, updated_at=clock.now(), imported=_as_imported(facts),
            **asdict(facts),
        )  # fmt: skip
        session.add(licence)
    else:
        effect = _effect(licence, facts)
        _bring_in_step(session, licence, facts, effect)
    session.flush()
    started = select(Filing.id).where(Filing.kind == declaration.KIND.code, Filing.subject_id == licence.id)
    if session.scalar(started.limit(1)) is None:
        open_filing(
            session, engine, declaration.KIND, enterprise, subject=("licence", licence.id),
            title=f"数据申报 {licence.licence_no}", data=declaration.prefilled(licence, enterprise),
        )  # fmt: skip
    if effect.outcome != Outcome.UNCHANGED:
        register_changes.note(session, facts.uscc)
    return licence, effect


def _refuse_foreign(enterprise: Enterprise | None, licence: Licence | None) -> Enterprise:
    """The enterprise that holds the licence, or is to hold it."""
    if enterprise is None:
        raise invalid("/uscc", "unknown_enterprise", "企业名录中没有该企业，请先导入企业")
    if licence is not None and licence.enterprise_id != enterprise.id:
        message = f"该证书编号已登记在统一社会信用代码 {licence.uscc} 名下，请核对"
        raise invalid("/licence_no", "other_enterprise", message)
    return enterprise


def _as_imported(facts: LicenceFacts) -> dict[str, str | None]:
    """The facts as `licences.imported` keeps them."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(facts).items()}


def last_imported(licence: Licence) -> LicenceFacts:
    """What the register said of a licence when it was imported last."""
    kept: dict[str, Any] = dict(licence.imported)
    for name in ("issued_on", "valid_to"):
        kept[name] = date.fromisoformat(kept[name]) if kept[name] else None
    return LicenceFacts(**kept)


def _effect(licence: Licence, facts: LicenceFacts) -> Effect:
    """What is to be taken over: what the register says otherwise than when it was imported last."""
    changes = {
        name: (getattr(licence, name), getattr(facts, name))
        for name, value in _as_imported(facts).items()
        if licence.imported.get(name) != value and getattr(licence, name) != getattr(facts, name)
    }
    return Effect(Outcome.UPDATED if changes else Outcome.UNCHANGED, changes)


def _bring_in_step(session: Session, licence: Licence, facts: LicenceFacts, effect: Effect) -> None:
    imported = _as_imported(facts)
    if licence.imported != imported:
        licence.imported = imported
    if not effect.changes:
        return
    for name, (_, new) in effect.changes.items():
        setattr(licence, name, new)
    licence.updated_at = clock.now()
    # A row 更新申报 that its enterprise has not touched would otherwise send back what the register corrected.
    declaration.fill_untouched(session, Filing.subject_id == licence.id, declaration.of_licence(licence))


def put_topic(session: Session, actor: Actor, topic_id: UUID, body: Mapping[str, Any]) -> tuple[SelfCheckTopic, bool]:
    """Create or change a self-check topic (自查主题) of the own office, with its template."""
    topic = session.get(SelfCheckTopic, topic_id, populate_existing=True)
    if topic is not None and topic.office_id not in actor.offices:
        raise not_found()
    if not idempotency.claim(session, idempotency.key(actor.user_id, "self-check-topics.put", topic_id, body)):
        return session.get_one(SelfCheckTopic, topic_id, populate_existing=True), False
    if topic is not None:
        refuse_stale(topic.version, body)
    first = topic.open_from if topic is not None else clock.today()
    open_from, open_to = body.get("open_from") or first, body.get("open_to")
    if open_to is not None and open_to < open_from:
        raise invalid("/open_to", "out_of_range", "填报结束日期不能早于开始日期，请重新选择")
    template_id = UUID(str(body["template_file_id"]))
    wanted = [Claim("template", template_id, "/template_file_id")]
    faults = claim(session, actor.user_id, ("self_check_topic", topic_id), wanted, _TEMPLATES)
    if faults:
        raise Problem("invalid", errors=faults)
    title = demanded(clean_line(body["title"]), "/title", "请填写主题名称")
    values = {
        "title": title, "year": body["year"], "template_id": template_id, "open_from": open_from,
        "open_to": open_to, "active": body.get("active", True),
    }  # fmt: skip
    if topic is None:
        area1, area2, area3 = actor.chain
        topic = SelfCheckTopic(
            id=topic_id, version=1, office_id=actor.office_id, area1=area1, area2=area2, area3=area3,
            created_at=clock.now(), **values,
        )  # fmt: skip
        session.add(topic)
        try:
            session.flush()
        except IntegrityError as error:
            # Someone made it at this very moment, with another content: the first content holds.
            raise Problem("id_taken") from error
        return topic, True
    changed = session.execute(
        update(SelfCheckTopic)
        .where(SelfCheckTopic.id == topic_id, SelfCheckTopic.version == topic.version)
        .values(**values, version=topic.version + 1)
        .execution_options(synchronize_session=False)
    )
    if getattr(changed, "rowcount", 0) != 1:
        # Somebody else changed it at this very moment.
        now = session.scalars(select(SelfCheckTopic.version).where(SelfCheckTopic.id == topic_id)).one()
        raise stale(now, topic.version)
    # No version of a filing can name the old template: a file is claimed by one record, and that was the topic.
    release(session, ("self_check_topic", topic_id), {template_id})
    return session.get_one(SelfCheckTopic, topic_id, populate_existing=True), False
