"""Whether users, offices, applications and reorganisations stand where their history ends, and moved what it says."""

from collections.abc import Collection, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from accounts import office_history
from accounts.mail import addresses
from accounts.mail.models import UserEmail
from accounts.models import AccountApplication, Office, Reorganisation, SecondFactor, User, WeChatBinding
from accounts.office_history import OFFICE
from accounts.regions import region_history
from accounts.sign_in import binding_witness, second_factor
from accounts.workflows import ACCOUNT, APPLICATION, APPLIED, REORGANISATION, USER
from core.db import Database
from core.models import HistoryEntry, HistoryPayload, HistorySeal
from core.workflows import history
from core.workflows.history import Broken, Move
from core.workflows.integrity import broken_end, in_chunks, is_last_row, verify_ends, verify_presence


def verify(session: Session) -> Iterator[Broken]:
    """Each row that does not fit its history, or is gone."""
    yield from _verify_users(session)
    for workflow in (APPLICATION, REORGANISATION):
        yield from verify_ends(session, workflow)
    yield from _verify_applicants(session)
    yield from _verify_moves(session)
    yield from _verify_second_factors(session)
    yield from _verify_bindings(session)
    yield from _verify_addresses(session)
    yield from _verify_offices(session)
    yield from region_history.verify(session)


_LAST_STEPS = (
    select(User, HistoryEntry, HistoryPayload.payload)
    .select_from(User)
    .outerjoin(HistoryEntry, (HistoryEntry.subject_id == User.id) & is_last_row())
    .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
)
"""Each user with the last row of its history, by one statement: concurrent steps raise no false alarm."""


def _verify_users(session: Session, chunk: int = 1000) -> Iterator[Broken]:
    """Users who stand elsewhere than their history ends, or whose rights or password nobody gave them by a step."""
    for rows in in_chunks(session, _LAST_STEPS, User, chunk):
        for user, entry, payload in rows:
            reason = broken_end(user.status, user.version, entry)
            if reason is None and payload is not None:
                recorded = payload.get(ACCOUNT.name)
                if recorded is None and entry.key_id is not None:
                    reason = "its roles and password are not recorded"
                if recorded is not None and not ACCOUNT.fits(recorded, columns_of(user)):
                    reason = "its roles, office or password were changed"
            if reason:
                yield Broken(USER.subject_type, user.id, entry.seq if entry else 0, reason)
    yield from verify_presence(session, USER.subject_type, User)


def _verify_applicants(session: Session) -> Iterator[Broken]:
    """Applications that wait, and whose password or place is not what the applicant sent: they become users."""
    waiting = (
        select(AccountApplication, HistoryEntry.seq, HistoryPayload.payload)
        .select_from(AccountApplication)
        .join(HistoryEntry, (HistoryEntry.subject_id == AccountApplication.id) & is_last_row())
        .join(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(AccountApplication.status == "pending")
    )
    for rows in in_chunks(session, waiting, AccountApplication, 1000):
        for applied, seq, payload in rows:
            recorded = payload.get(APPLIED.name)
            # Those of earlier releases, which noted none.
            if recorded is not None and not APPLIED.fits(recorded, {n: getattr(applied, n) for n in APPLIED.columns}):
                yield Broken(APPLICATION.subject_type, applied.id, seq, "its user name, password or place was changed")


_OF_FACTOR = HistoryEntry.action.in_(second_factor.STEPS)


def _is_last_of_user(actions: Collection[str]) -> ColumnElement[bool]:
    """Condition: the `HistoryEntry` is the last of the user with one of the actions."""
    other = aliased(HistoryEntry)
    last = select(func.max(other.seq)).where(other.subject_id == User.id, other.action.in_(actions))
    return HistoryEntry.seq == last.correlate(User).scalar_subquery()


_FACTORS = (
    select(User.id, SecondFactor.confirmed_at, HistoryEntry.seq, HistoryEntry.action, HistoryPayload.payload)
    .select_from(User)
    .outerjoin(SecondFactor, SecondFactor.user_id == User.id)
    .outerjoin(HistoryEntry, (HistoryEntry.subject_id == User.id) & _OF_FACTOR & _is_last_of_user(second_factor.STEPS))
    .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
    .where(or_(SecondFactor.confirmed_at.is_not(None), HistoryEntry.id.is_not(None)))
)
"""Users with a second factor, or whose history speaks of one, with the last step that does."""


def _verify_second_factors(session: Session) -> Iterator[Broken]:
    """Second factors that were removed, put in or exchanged past the history of their users."""
    for user_id, confirmed_at, seq, action, payload in session.execute(_FACTORS.order_by(User.id)).all():
        enrolled = action == second_factor.ENROL
        reason = None
        if enrolled != (confirmed_at is not None):
            reason = "its second factor was removed" if enrolled else "its second factor was not enrolled by a step"
        elif enrolled and not second_factor.is_noted(session, user_id, payload):
            reason = "its second factor was exchanged"
        if reason:
            yield Broken(USER.subject_type, user_id, seq or 0, reason)


_HAS_BINDINGS = or_(
    exists().where(WeChatBinding.user_id == User.id),
    exists().where(HistoryEntry.subject_id == User.id, HistoryEntry.action.in_(binding_witness.STATING)),
)
_BINDINGS = (
    select(User.id, *binding_witness.COLUMNS, HistoryEntry.seq, HistoryPayload.payload)
    .select_from(User)
    .outerjoin(WeChatBinding, WeChatBinding.user_id == User.id)
    .outerjoin(HistoryEntry, (HistoryEntry.subject_id == User.id) & _is_last_of_user(binding_witness.STATING))
    .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
)
"""Users, once for each binding, with the last step that states which there are."""


def _verify_bindings(session: Session) -> Iterator[Broken]:
    """Bindings that were moved to another user, put in, changed or removed past the history of their users."""
    for rows in _by_owner(session, _BINDINGS, select(User.id).where(_HAS_BINDINGS), User.id):
        user_id, *_, seq, payload = rows[0]
        bindings = [row[1:-2] for row in rows if row[1] is not None]
        if not binding_witness.fits(payload, binding_witness.witnessed(user_id, bindings)):
            yield Broken(USER.subject_type, user_id, seq or 0, "its WeChat bindings were changed")


_HAS_ADDRESS = or_(
    exists().where(UserEmail.user_id == User.id),
    exists().where(HistoryEntry.subject_id == User.id, HistoryEntry.action.in_(addresses.STATING)),
)
_ADDRESSES = (
    select(User.id, UserEmail.address_hash, HistoryEntry.seq, HistoryPayload.payload)
    .select_from(User)
    .outerjoin(UserEmail, UserEmail.user_id == User.id)
    .outerjoin(HistoryEntry, (HistoryEntry.subject_id == User.id) & _is_last_of_user(addresses.STATING))
    .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
)
"""Users with the address that stands in the table, and the last step that states one."""


def _verify_addresses(session: Session) -> Iterator[Broken]:
    """Addresses to which links for a new password go that were put in, exchanged or removed past the history."""
    for rows in _by_owner(session, _ADDRESSES, select(User.id).where(_HAS_ADDRESS), User.id):
        user_id, address_hash, seq, payload = rows[0]
        if not addresses.fits(payload, {"user_id": user_id, "address_hash": address_hash}):
            yield Broken(USER.subject_type, user_id, seq or 0, "its mail address was changed")


_OFFICES = (
    office_history.WITH_REGIONS.outerjoin(HistoryEntry, (HistoryEntry.subject_id == Office.id) & is_last_row())
    .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
    .add_columns(HistoryEntry.seq, HistoryPayload.payload)
)


def _verify_offices(session: Session) -> Iterator[Broken]:
    """Offices whose regions, superior or kind nobody gave them by a step, or that are gone.

    Those of releases up to 0.3 have no history until the first seal; those of enterprises never have.
    """
    founded = session.scalar(select(HistorySeal.no).limit(1)) is not None
    wanted = select(Office.id).where(office_history.NOT_OF_ENTERPRISE)
    for rows in _by_owner(session, _OFFICES, wanted, Office.id):
        office_id, seq, payload = rows[0].id, rows[0].seq, rows[0].payload
        reason = None
        if seq is None:
            reason = "has no history" if founded else None
        elif not OFFICE.fits((payload or {}).get(OFFICE.name), office_history.witnessed(rows)):
            reason = "its regions, superior, kind or name were changed"
        if reason:
            yield Broken(office_history.SUBJECT, office_id, seq or 0, reason)
    yield from verify_presence(session, office_history.SUBJECT, Office)


def _by_owner(
    session: Session, statement: Select[Any], owners: Select[Any], key: InstrumentedAttribute[UUID], chunk: int = 1000
) -> Iterator[list[Any]]:
    """The rows of a statement, those of one owner together; `key` is the owner's, and the first column.

    So many owners by one statement, so that concurrent steps raise no false alarm.
    """
    after: UUID | None = None
    while True:
        chosen = (owners if after is None else owners.where(key > after)).order_by(key).limit(chunk)
        rows = session.execute(statement.where(key.in_(chosen.correlate(None))).order_by(key)).all()
        groups = [list(group) for _, group in groupby(rows, key=itemgetter(0))]
        yield from groups
        if len(groups) < chunk:
            return
        after = groups[-1][0][0]


def columns_of(user: User) -> dict[str, Any]:
    """The witnessed columns of a user, as they stand in the table."""
    return {name: getattr(user, name) for name in ACCOUNT.columns}


def witness_former_users(database: Database, batch: int = 200) -> int:
    """Note the rights and passwords of users of releases up to 0.3, whose steps did not; how many.

    For the founding of the seals: what stands in the table then is taken for right. Who has a step that noted it is
    left alone, so doing it again changes nothing.
    """
    noted = 0
    after: UUID | None = None
    while True:
        former = _LAST_STEPS.where(HistoryEntry.key_id.is_(None)).order_by(User.id).limit(batch)
        with database.write() as session:
            locked = former.with_for_update(of=User)
            rows = session.execute(locked if after is None else locked.where(User.id > after)).all()
            for user, entry, _payload in rows:
                stays = (user.status, user.status, user.version)
                witnessed = {ACCOUNT.name: ACCOUNT.digest(columns_of(user))}
                if entry is not None:
                    history.append(session, Move(USER.subject_type, user.id, "witness", *stays, None, witnessed))
        noted += sum(entry is not None for _, entry, _ in rows)
        if len(rows) < batch:
            return noted
        after = rows[-1][0].id


def _verify_moves(session: Session) -> Iterator[Broken]:
    """Reorganisations whose chains are not those of their history: digests of ratings depend on them."""
    statement = (
        select(Reorganisation, HistoryEntry.seq, HistoryPayload.payload)
        .outerjoin(
            HistoryEntry, (HistoryEntry.subject_id == Reorganisation.id) & (HistoryEntry.action == "begin")
        )
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(Reorganisation.old_chain.is_not(None))
    )  # fmt: skip
    for record, seq, payload in session.execute(statement).all():
        recorded = payload or {}
        if (record.old_chain, record.new_chain) != (recorded.get("old_chain"), recorded.get("new_chain")):
            yield Broken(REORGANISATION.subject_type, record.id, seq or 0, "what was moved was changed")
