"""Rating codes (评价二维码): made, generated, disabled, made by finished filings, expired."""

import re
import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.orm import Session

from accounts import offices
from accounts.models import Office, Region, User
from accounts.offices import enterprise_office_id
from accounts.verbs import Verb
from core import clock
from core.actor import Actor
from core.errors import Fault, Problem, invalid
from core.identifiers import as_uuid
from core.jobs.one_by_one import OneByOne
from core.models import HistoryEntry
from core.text import MEANINGLESS, clean, clean_line, fold_to_fit, has_words
from core.workflows import todos
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.models import Filing
from feedback import integrity
from feedback.codes import own_offices
from feedback.codes.kinds import KINDS, PER_MATTER, channel_of
from feedback.models import RatingCode
from feedback.queries import get_readable_code
from feedback.statistics import counts as figures
from feedback.workflows import ACTIVE, CODE, DISABLED, NOT_GENERATED

VALID_DAYS = 30
"""A 一事一评 code is good until the end of this day after it was generated (spec/b_rating §3.2)."""

TODO_KIND = "rate_service"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,40}")
LENGTHS = {"matter_name": 200, "window": 50, "matter_ref": 64}
_LABELS = {"matter_name": "事项名称", "window": "窗口", "matter_ref": "办件编号"}


def is_token(text: str) -> bool:
    """Whether a text can be a token at all. Databases are not asked for others: some refuse such texts (NUL)."""
    return _TOKEN.fullmatch(text) is not None


def create(session: Session, actor: Actor, body: Mapping[str, Any]) -> tuple[RatingCode, bool]:
    """Make a code for an office of the actor's (`own_offices.py`), not generated yet; returns it and whether it is new.

    With an `id` in the body the same call again gives the same code; another content 409 `id_taken`.
    Raises 422 with all faults.
    """
    CODE.step("create", None, actor)
    wanted, faults = _read(body)
    code_id = _id(body, faults)
    place = own_offices.place_of(session, actor, body, faults)
    if faults or place is None:
        raise Problem("invalid", errors=faults)
    wanted |= {"org_name": place.org_name, "office_id": place.office_id}
    values = {
        **wanted, "folded_matter": fold_to_fit(wanted["matter_name"], 200),
        "id": code_id, "token": None, "valid_to": None, "filing_id": None, "enterprise_id": None,
        "area1": place.chain[0], "area2": place.chain[1], "area3": place.chain[2],
        "created_by": actor.user_id, "created_at": clock.now(), "generated_at": None, "scans": 0, "ratings": 0,
        "last_scan_at": None,
    }  # fmt: skip
    new = CODE.enter(session, actor, "create", values, {"content": integrity.code_digest(values)})
    code = session.get_one(RatingCode, code_id, populate_existing=True)
    same = code.created_by == actor.user_id and all(getattr(code, name) == value for name, value in wanted.items())
    if not new and not same:
        raise Problem("id_taken")
    return code, new


def check(session: Session, actor: Actor, body: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """What `create` would make of a body, and what it would refuse; changes nothing."""
    CODE.step("create", None, actor)
    wanted, faults = _read(body)
    place = own_offices.place_of(session, actor, body, faults)
    if place is not None:
        wanted |= {"org_name": place.org_name, "office_id": place.office_id}
    return wanted, faults


def _read(body: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    faults: list[Fault] = []
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        faults.append(Fault("/kind", "unknown_kind", "请选择评价类型：一次一评（per_visit）或一事一评（per_matter）"))
    wanted: dict[str, Any] = {"kind": kind}
    for name, limit in LENGTHS.items():
        value = body.get(name)
        if value is not None and not isinstance(value, str):
            faults.append(Fault(f"/{name}", "wrong_type", f"{_LABELS[name]}应为文字，请重新填写"))
            continue
        text = " ".join(clean_line(value or "").split())
        required = name == "matter_name" or (name == "matter_ref" and kind == PER_MATTER)
        if required and not text:
            faults.append(Fault(f"/{name}", "required", f"请填写{_LABELS[name]}"))
        elif required and not has_words(text):
            faults.append(Fault(f"/{name}", "meaningless", f"{_LABELS[name]}{MEANINGLESS}"))
        elif len(text) > limit:
            faults.append(Fault(f"/{name}", "too_long", f"{_LABELS[name]}不能超过{limit}个字，请缩短后重试"))
        wanted[name] = text or None
    return wanted, faults


def _id(body: Mapping[str, Any], faults: list[Fault]) -> UUID:
    sent = body.get("id")
    if sent is None:
        return uuid4()
    code_id = as_uuid(sent)
    if code_id is None:
        faults.append(Fault("/id", "bad_format", "编号格式不正确，请重新生成编号"))
    return code_id or uuid4()


def generate(session: Session, actor: Actor, code_id: UUID) -> RatingCode:
    """生成: make the link, without which there is no picture. Of an active code nothing changes."""
    code = get_readable_code(session, actor, code_id)
    if code.status == ACTIVE:
        CODE.step("generate", NOT_GENERATED, actor)
        return code
    now, today = clock.now(), clock.today()
    valid_to = today + timedelta(days=VALID_DAYS) if code.kind == PER_MATTER else None
    values = {"token": secrets.token_urlsafe(24), "valid_to": valid_to, "generated_at": now}
    try:
        CODE.move(session, actor, code, "generate", values, {"link": integrity.link_digest({**values, "id": code_id})})
    except Problem as problem:
        code = session.get_one(RatingCode, code_id, populate_existing=True)
        if problem.code == "wrong_status" and code.status == ACTIVE:
            return code  # someone else pressed 生成 at the same moment
        raise
    code = session.get_one(RatingCode, code_id, populate_existing=True)
    _count_matter(session, code, 1)
    return code


def disable(session: Session, actor: Actor, code_id: UUID, reason: str | None = None) -> RatingCode:
    """停用: nobody can rate with it any more; ratings stay. Disabling it again changes nothing."""
    code = get_readable_code(session, actor, code_id)
    if code.status == DISABLED:
        CODE.step("disable", ACTIVE, actor)
        return code
    reason = clean(reason) if isinstance(reason, str) else None
    if reason and len(reason) > 200:
        raise invalid("/reason", "too_long", "停用原因不能超过200个字，请缩短后重试")
    was_active = code.status == ACTIVE
    try:
        CODE.move(session, actor, code, "disable", payload={"reason": reason} if reason else None)
    except Problem:
        code = session.get_one(RatingCode, code_id, populate_existing=True)
        if code.status == DISABLED:
            return code  # someone else pressed 停用 at the same moment
        raise
    code = session.get_one(RatingCode, code_id, populate_existing=True)
    todos.close(session, code_id, TODO_KIND)
    if was_active:
        _count_matter(session, code, -1)
    return code


def _count_matter(session: Session, code: RatingCode, by: int) -> None:
    """A finished matter that can be rated, for the rate of active ratings (主动评价率)."""
    if code.kind == PER_MATTER and code.generated_at is not None:
        day = code.generated_at.astimezone(clock.LOCAL).date()
        place = figures.place_of(code, channel_of(code.kind, code.filing_id), day)
        figures.append(session, place, figures.Change({"matters": by}))


def invite(session: Session, *, filing: Filing, kind: FilingKind) -> None:
    """Listener of a finished filing: make its 一事一评 code, once, and put 好差评 into the enterprise's to-dos."""
    code_id = uuid5(filing.id, "rating_code")
    office = _handling_office(session, filing)
    region = session.get(Region, office.region_code) if office.region_code else None
    chain = (region.area1, region.area2, region.area3) if region else ("", None, None)
    now, valid_to = clock.now(), clock.today() + timedelta(days=VALID_DAYS)
    values = {
        "id": code_id, "kind": PER_MATTER, "matter_name": kind.title[:200],
        "folded_matter": fold_to_fit(kind.title, 200), "org_name": office.name, "window": None,
        "matter_ref": str(filing.id), "token": secrets.token_urlsafe(24), "valid_to": valid_to,
        "filing_id": filing.id, "enterprise_id": filing.enterprise_id, "office_id": office.id,
        "area1": chain[0], "area2": chain[1], "area3": chain[2], "created_by": None, "created_at": now,
        "generated_at": now, "scans": 0, "ratings": 0, "last_scan_at": None,
    }  # fmt: skip
    payload = {"content": integrity.code_digest(values), "link": integrity.link_digest(values)}
    if not CODE.enter(session, None, "invite", values, payload):
        return
    _count_matter(session, session.get_one(RatingCode, code_id, populate_existing=True), 1)
    todos.open_for_office(
        session, TODO_KIND, f"好差评：请对“{filing.title}”的办理作出评价", ("rating_code", code_id),
        verb=Verb.FILINGS_WRITE, office_id=enterprise_office_id(filing.uscc), due_on=valid_to,
    )  # fmt: skip


def _handling_office(session: Session, filing: Filing) -> Office:
    """Whoever acted for an office last handled it (谁办理、谁负责); else the bureau of the enterprise's region."""
    office = session.scalar(
        select(Office)
        .join(User, User.office_id == Office.id)
        .join(HistoryEntry, HistoryEntry.actor_id == User.id)
        .where(HistoryEntry.subject_id == filing.id, Office.enterprise_id.is_(None))
        .order_by(HistoryEntry.seq.desc())
        .limit(1)
    )
    # A user who moved to an office elsewhere since then did not handle it at that office.
    if office is not None and offices.scope_of(office).contains(filing.area1, filing.area2, filing.area3):
        return office
    region = session.get_one(Region, filing.area3 or filing.area2 or filing.area1)
    return session.get_one(Office, offices.bureau_of(session, region))


Overdue = tuple[date, UUID]
"""A code by its last day and its id."""


def expiry() -> OneByOne[Overdue]:
    """Expires the codes whose last day is over (a job of the scheduler), one a transaction."""
    return OneByOne("rating code", _overdue, _expire)


def _overdue(session: Session, after: Overdue | None, limit: int) -> list[Overdue]:
    key = RatingCode.valid_to, RatingCode.id
    found = select(*key).where(RatingCode.status == ACTIVE, RatingCode.valid_to < clock.today())
    if after is not None:
        found = found.where(tuple_(*key) > after)
    return [(day, code_id) for day, code_id in session.execute(found.order_by(*key).limit(limit)) if day is not None]


def _expire(session: Session, key: Overdue) -> bool:
    code = session.get(RatingCode, key[1])
    if code is None or code.status != ACTIVE or code.valid_to is None or code.valid_to >= clock.today():
        return False  # rated or disabled meanwhile
    CODE.move(session, None, code, "expire")
    todos.close(session, code.id, TODO_KIND)
    return True


def record_scans(session: Session, scans: Mapping[UUID, int]) -> None:
    """Add page views that were gathered in memory."""
    if not scans:
        return
    table = RatingCode.__table__
    counted = (
        update(RatingCode)
        .where(table.c.id == bindparam("code"))
        .values(scans=table.c.scans + bindparam("n"), last_scan_at=bindparam("at"))
        .execution_options(synchronize_session=False)
    )
    now = clock.now()
    # Sorted, so that two workers that report at once do not deadlock.
    rows = [{"code": code, "n": n, "at": now} for code, n in sorted(scans.items())]
    session.connection().execute(counted, rows)
