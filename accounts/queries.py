"""What is read of accounts, already limited to what the caller may see."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from accounts.models import AccountApplication, Office, OfficeKind, Region, User, UserSession, UserStatus
from accounts.offices import below
from accounts.regions.abolished import get_region
from accounts.regions.loading import current_region
from accounts.verbs import FILING_VERBS, Verb, verbs_at
from core import clock
from core.actor import Actor, Scope
from core.database.name_search import like_pattern
from core.database.paging import Page, PageRequest, ascending, fetch, newest_first
from core.errors import not_found
from core.masking import mask_phone

_NEWEST_APPLICATIONS = newest_first("applications", AccountApplication.created_at, AccountApplication.id)
_NEWEST_SESSIONS = newest_first("sessions", UserSession.created_at, UserSession.id)
_REGIONS_BY_CODE = ascending("regions", Region.code)
_OFFICES_BY_NAME = ascending("offices", Office.name, Office.id)
_NEWEST_USERS = newest_first("users", User.created_at, User.id)


def region_children(session: Session, parent: str | None, request: PageRequest) -> Page:
    """The regions directly below one, or the provinces; those still valid, by code.

    Below a code that was replaced stand those of the region that took its place.
    """
    if parent is not None:
        parent = get_region(session, parent, "/parent").code
    below = Region.parent_code == parent, Region.valid_to.is_(None)
    return fetch(session, select(Region.code, Region.name, Region.level), _REGIONS_BY_CODE, request, *below)


def region_named(session: Session, code: str, request: PageRequest) -> Page:
    """One region by its code; below a code that was replaced the region that took its place."""
    chosen = Region.code == get_region(session, code, "/code").code
    return fetch(session, select(Region.code, Region.name, Region.level), _REGIONS_BY_CODE, request, chosen)


def region_answer(row: Any) -> dict[str, Any]:
    """A region in a list."""
    return {"code": row.code, "name": row.name, "level": row.level}


def provinces_of(session: Session, scope: Scope) -> list[str] | None:
    """Codes of the provinces that a scope touches, in order; None for the whole country."""
    if scope.national:
        return None
    codes = {code for _, code in scope.areas}
    return sorted(set(session.scalars(select(Region.area1).where(Region.code.in_(codes)))))


def me(actor: Actor, *, must_enrol_otp: bool, notice_systems: list[dict[str, str]]) -> dict[str, Any]:
    """The signed-in user as the HTTP contract shows it."""
    return {
        "id": str(actor.user_id),
        "username": actor.username,
        "operator_name": actor.operator_name,
        "unit_name": actor.unit_name,
        "level": None if actor.enterprise_id else actor.level,
        "office": {"id": str(actor.office_id), "name": actor.office_name, "kind": actor.office_kind},
        "region": {"code": actor.region_code, "name": actor.region_name} if actor.region_code else None,
        "enterprise": _enterprise(actor),
        "roles": list(actor.roles),
        "verbs": sorted(actor.verbs),
        "must_change_password": actor.must_change_password,
        "must_enrol_otp": must_enrol_otp,
        "sees_filings": not actor.verbs.isdisjoint(FILING_VERBS),
        "notice_systems": notice_systems,
    }


def names_around(session: Session, actor: Actor) -> list[str]:
    """The names of the actor's office, unit and regions: what somebody guesses a password from."""
    return [actor.office_name, *names_of_regions(session, actor.chain), *filter(None, [actor.unit_name])]


def names_of_regions(session: Session, chain: Iterable[str | None]) -> list[str]:
    """The names of the regions of a chain."""
    return list(session.scalars(select(Region.name).where(Region.code.in_([code for code in chain if code]))))


def _enterprise(actor: Actor) -> dict[str, Any] | None:
    if actor.enterprise_id is None:
        return None
    uscc = actor.username.partition("@")[0] if actor.system is None else None
    return {"id": str(actor.enterprise_id), "uscc": uscc, "name": actor.office_name}


def my_sessions(session: Session, actor: Actor, request: PageRequest) -> Page:
    """The actor's living sessions, newest first."""
    return sessions_of(session, actor.user_id, request)


def session_answer(row: Any, actor: Actor) -> dict[str, Any]:
    """One of the actor's sessions in a list."""
    living: UserSession = row.UserSession
    return {
        "id": str(living.id),
        "operator_name": living.operator_name,
        "address": living.address,
        "user_agent": living.user_agent,
        "created_at": clock.rfc3339(living.created_at),
        "last_seen_at": clock.rfc3339(living.last_seen_at),
        "expires_at": clock.rfc3339(living.expires_at),
        "current": living.id == actor.session_id,
    }


def named(username: str) -> ColumnElement[bool]:
    """Condition: the `User` has this name, in whatever case (the index over `lower(username)`)."""
    return func.lower(User.username) == username.lower()


def applied_under(username: str) -> ColumnElement[bool]:
    """Condition: the `AccountApplication` has this user name, in whatever case (the index over `lower(username)`)."""
    return func.lower(AccountApplication.username) == username.lower()


def application_status(session: Session, query_code: str) -> dict[str, Any]:
    """What the applicant may know of an application; 404 for an unknown query code."""
    row = session.scalar(select(AccountApplication).where(AccountApplication.query_code == query_code))
    if row is None:
        raise not_found()
    return {
        "id": str(row.id),
        "status": row.status,
        "opinion": row.opinion,
        "decided_office": row.decided_as["office"] if row.decided_as else None,
        "created_at": clock.rfc3339(row.created_at),
        "decided_at": clock.rfc3339(row.decided_at) if row.decided_at else None,
    }


def applications(session: Session, actor: Actor, status: str | None, q: str | None, request: PageRequest) -> Page:
    """The applications that the actor may decide: those of regions below the own ones."""
    conditions: list[ColumnElement[bool]] = [
        AccountApplication.region_code == Region.code,
        actor.scope.strictly_above_condition(AccountApplication),
    ]
    if status:
        conditions.append(AccountApplication.status == status)
    if q:
        conditions.append(AccountApplication.folded_unit.like(like_pattern(q), escape="\\"))
    statement = select(AccountApplication, Region.name, _is_taken().label("taken"))
    return fetch(session, statement, _NEWEST_APPLICATIONS, request, *conditions)


def application_answer(
    application: AccountApplication, region_name: str, taken: bool, *, full: bool = False
) -> dict[str, Any]:
    """An application; the mobile number is masked unless it is shown to the officer who is to decide it.

    Once it is decided nobody needs the number any more.
    """
    return {
        "id": str(application.id),
        "status": application.status,
        "version": application.version,
        "applicant_name": application.applicant_name,
        "unit_name": application.unit_name,
        "region": {"code": application.region_code, "name": region_name},
        "mobile": application.mobile if full and application.status == "pending" else mask_phone(application.mobile),
        "username": application.username,
        "username_taken": taken,
        "reason": application.reason,
        "opinion": application.opinion,
        "created_at": clock.rfc3339(application.created_at),
        "decided_at": clock.rfc3339(application.decided_at) if application.decided_at else None,
        "decided_by": application.decided_as,
    }


def _is_taken() -> ColumnElement[bool]:
    """Whether an application that waits cannot be approved, because somebody else has its user name."""
    other = select(User.id).where(
        func.lower(User.username) == func.lower(AccountApplication.username),
        or_(AccountApplication.user_id.is_(None), User.id != AccountApplication.user_id),
        or_(User.status != UserStatus.REJECTED, User.username != AccountApplication.username),
    )
    return and_(AccountApplication.status == "pending", other.exists())


def shown_with(session: Session, application: AccountApplication) -> tuple[str, bool]:
    """What an application is shown with: the name of its region, and whether its user name is taken."""
    region = session.get_one(Region, application.region_code)
    taken = session.scalar(select(_is_taken()).where(AccountApplication.id == application.id))
    return region.name, bool(taken)


def has_account() -> ColumnElement[bool]:
    """Condition: a user is no mere holder of a query code (查询码), whom nobody manages."""
    return or_(Office.kind != OfficeKind.REGISTRANT, User.system.is_not(None))


def users(session: Session, actor: Actor, status: str | None, q: str | None, request: PageRequest) -> Page:
    """The users of offices within the actor's scope, the own office included.

    Without `accounts.manage`, the actor sees accounts of enterprises (企业账号) and no officers.
    """
    conditions: list[ColumnElement[bool]] = [
        Region.code == Office.region_code,
        Office.id == User.office_id,
        actor.scope.condition(Region),
        has_account(),
    ]
    if Verb.ACCOUNTS_MANAGE not in actor.verbs:
        conditions.append(Office.kind.in_((OfficeKind.ENTERPRISE, OfficeKind.REGISTRANT)))
    if status:
        conditions.append(User.status == status)
    if q:
        conditions.append(func.lower(User.username).like(like_pattern(q), escape="\\"))
    return fetch(session, _USER_ROWS, _NEWEST_USERS, request, *conditions)


_USER_ROWS = select(
    User, Office, Region, Office.name.label("office_name"), Region.name.label("region_name"), Region.code
)


def offices_below(session: Session, actor: Actor, q: str | None, request: PageRequest) -> Page:
    """The own office and those below it that are not closed, by name: where the actor may move people."""
    conditions: list[ColumnElement[bool]] = [
        Region.code == Office.region_code,
        Office.closed_on.is_(None),
        Office.kind.not_in((OfficeKind.ENTERPRISE, OfficeKind.REGISTRANT)),
        or_(
            Office.id == actor.office_id,
            actor.scope.strictly_above_condition(Region),
            Office.id.in_(below(actor.office_id)),
        ),
    ]
    if q:
        conditions.append(Office.name.like(like_pattern(q), escape="\\"))
    statement = select(Office.id, Office.name, Office.kind, Region.code, Region.name.label("region_name"))
    return fetch(session, statement, _OFFICES_BY_NAME, request, *conditions)


def sessions_of(session: Session, user_id: UUID, request: PageRequest) -> Page:
    """The living sessions of a user, newest first."""
    living = UserSession.user_id == user_id, UserSession.ended_at.is_(None), UserSession.expires_at > clock.now()
    return fetch(session, select(UserSession), _NEWEST_SESSIONS, request, *living)


def user_answer(row: Any) -> dict[str, Any]:
    """A user in a list."""
    user: User = row.User
    return {
        "id": str(user.id),
        "username": user.username,
        "full_name": user.full_name,
        "unit_name": user.unit_name,
        "status": user.status,
        "status_reason": user.status_reason,
        "roles": user.roles,
        "office": {"id": str(user.office_id), "name": row.office_name},
        "region": {"code": row.code, "name": row.region_name},
        "mobile": mask_phone(user.mobile),
        "version": user.version,
        "created_at": clock.rfc3339(user.created_at),
    }


def user_row(session: Session, user_id: UUID) -> Any:
    """One row in the shape that `user_answer` takes."""
    statement = _USER_ROWS.where(
        Office.id == User.office_id, Region.code == Office.region_code, User.id == user_id
    )  # fmt: skip
    return session.execute(statement).one()


def find_decidable(session: Session, actor: Actor, application_id: UUID) -> AccountApplication | None:
    """The application, if it lies below the actor's office: `applications` lists the same."""
    row = session.get(AccountApplication, application_id, populate_existing=True)
    return row if row is not None and actor.scope.strictly_above(row.area1, row.area2, row.area3) else None


def may_read_application(session: Session, actor: Actor, subject_id: UUID) -> bool:
    """For the subject registry."""
    return find_decidable(session, actor, subject_id) is not None


def may_read_user(session: Session, actor: Actor, subject_id: UUID) -> bool:
    """Whether the user's office lies within the actor's scope, as `users` lists them (subject registry)."""
    row = session.execute(
        select(Region.area1, Region.area2, Region.area3, Office.kind)
        .join(Office, Office.region_code == Region.code)
        .join(User, User.office_id == Office.id)
        .where(User.id == subject_id, has_account())
    ).first()
    if row is None or not actor.scope.contains(row.area1, row.area2, row.area3):
        return False
    return Verb.ACCOUNTS_MANAGE in actor.verbs or row.kind in (OfficeKind.ENTERPRISE, OfficeKind.REGISTRANT)


def in_region(session: Session, code: str) -> ColumnElement[bool]:
    """Condition: a `Region` is that of the code, or of what took its place, or lies below it."""
    region = current_region(session, code)
    code = code if region is None else region.code
    return (Region.area1 == code) | (Region.area2 == code) | (Region.area3 == code)


def actor_of(session: Session, user_id: UUID, operator_name: str | None, session_id: UUID) -> Actor | None:
    """A user as the acting one, without a sign-in of their own; None where there is none."""
    found = session.execute(
        select(User, Office, Region)
        .join(Office, Office.id == User.office_id)
        .outerjoin(Region, Region.code == Office.region_code)
        .where(User.id == user_id)
    ).first()
    if found is None:
        return None
    user, office, region = found.User, found.Office, found.Region
    areas, arriving = (
        tuple((int(depth), str(code)) for depth, code in places) for places in (office.areas, office.arriving)
    )
    return Actor(
        user_id=user.id, username=user.username, operator_name=operator_name, session_id=session_id,
        office_id=office.id, office_name=office.name, office_kind=office.kind, level=office.level,
        region_code=office.region_code, region_name=region.name if region else None,
        chain=(region.area1, region.area2, region.area3) if region else ("", None, None),
        scope=Scope(office.level == "national", areas, arriving), roles=tuple(user.roles),
        verbs=verbs_at(office.level, user.roles), must_change_password=user.must_change_password,
        enterprise_id=office.enterprise_id, absorbed=tuple(UUID(text) for text in office.absorbed),
        unit_name=user.unit_name, system=user.system,
    )  # fmt: skip
