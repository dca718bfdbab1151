"""Applications for accounts (账号申请) and their decision (用户审核): seed 001, annex 7, part 2(5)."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from accounts import offices, queries
from accounts.models import AccountApplication, Region, RegionLevel, User, UserStatus
from accounts.regions.abolished import unknown_message
from accounts.regions.loading import current_region
from accounts.sign_in import passwords, throttle
from accounts.sign_in.signing_in import is_enterprise_name
from accounts.verbs import DEFAULT_ROLES, Verb
from accounts.workflows import APPLICATION, USER
from core import clock
from core.actor import Actor
from core.db import Database
from core.errors import Fault, Problem, not_found
from core.identifiers import normalise_mobile, sent_mobile
from core.text import MEANINGLESS, clean, clean_line, clean_person, demanded, fold_to_fit, has_words
from core.workflows import idempotency, todos

TODO_DECIDE = "account_application_pending"


@dataclass(frozen=True, slots=True)
class NewApplication:
    """An application for an account (账号申请) as typed by the applicant."""

    applicant_name: str
    unit_name: str
    region_code: str
    mobile: str
    username: str
    password: str
    reason: str | None


def _cleaned(form: NewApplication) -> NewApplication:
    return replace(
        form, applicant_name=clean_person(form.applicant_name), unit_name=clean_line(form.unit_name),
        reason=clean(form.reason or "") or None,
    )  # fmt: skip


def apply_for_account(database: Database, form: NewApplication) -> tuple[AccountApplication, bool]:
    """Store an application; returns it and whether it is new.

    The same application sent again, the password included, is answered with the first one as it is now, unless that
    was rejected. Whether there is an account of that name is not asked here: who applies would learn which names there
    are, by the answer or by the time it takes. The office that decides sees it.
    """
    form = _cleaned(form)
    with database.read() as session:
        region = current_region(session, form.region_code)
        faults = _application_faults(session, form, region)
    if faults:
        raise Problem("invalid", errors=faults)
    assert region is not None
    # The applicant may have chosen from a list of before a reorganisation.
    form = replace(form, region_code=region.code)
    with database.read() as session:
        seen = _newest_alike(session, form)
    if seen is not None and _is_own_password(database, seen, form):
        return seen.application, False
    password_hash = passwords.hash_password(form.password)
    with database.write() as session:
        # Makes the same application sent twice at the same moment wait for the first, and then find it.
        idempotency.claim(session, _key(form))
        newest = _newest_alike(session, form)
        is_new = newest is not None and (seen is None or newest.application.id != seen.application.id)
        if newest is not None and is_new and passwords.verify_password(newest.password_hash, form.password):
            return newest.application, False
        return _store_application(session, form, region, password_hash), True


@dataclass(frozen=True, slots=True)
class _Alike:
    """An application that says the same, and the hash of its password or of the account that came of it."""

    application: AccountApplication
    password_hash: str | None


def _newest_alike(session: Session, form: NewApplication) -> _Alike | None:
    """The newest application that was not rejected and says the same but for the password."""
    statement = (
        select(AccountApplication, User.password_hash)
        .outerjoin(User, User.id == AccountApplication.user_id)
        .where(
            queries.applied_under(form.username), AccountApplication.username == form.username,
            AccountApplication.status != "rejected",
        )
        .order_by(AccountApplication.created_at.desc(), AccountApplication.id)
        .limit(_MOST_COMPARED)
    )  # fmt: skip
    for application, of_account in session.execute(statement):
        place = current_region(session, application.region_code)
        if (
            place is not None
            and place.code == form.region_code
            and application.mobile == normalise_mobile(form.mobile)
            and (clean_person(application.applicant_name), clean_line(application.unit_name))
            == (form.applicant_name, form.unit_name)
            and (clean(application.reason or "") or None) == form.reason
        ):
            return _Alike(application, application.password_hash or of_account)
    return None


_MOST_COMPARED = 20
"""Applications under one name that are compared with a new one."""


def _key(form: NewApplication) -> bytes:
    """The idempotency key of an application; nobody is signed in. Nothing of the password is kept in it."""
    return idempotency.key(UUID(int=0), "account-applications.apply", form.username, {**asdict(form), "password": ""})


def _is_own_password(database: Database, earlier: _Alike, form: NewApplication) -> bool:
    """Whether the applicant knows the password; wrong ones count as wrong sign-ins do, or they could be tried here."""
    keys = [throttle.of_user(form.username)]
    with database.write() as session:
        reserved = throttle.reserve(session, keys)
    if reserved.refused is not None:
        raise throttle.throttled(reserved.refused)
    if not passwords.verify_password(earlier.password_hash, form.password):
        return False
    with database.write() as session:
        # Wrong ones stay counted: the name may be somebody else's, and whoever applied under it would wipe them out.
        throttle.take_back(session, keys)
    return True


def _application_faults(session: Session, form: NewApplication, region: Region | None) -> list[Fault]:
    faults = []
    for field, label in (("applicant_name", "姓名"), ("unit_name", "单位名称")):
        if not has_words(getattr(form, field)):
            faults.append(Fault(f"/{field}", "meaningless", f"{label}{MEANINGLESS}"))
    if region is None or region.valid_to is not None:
        faults.append(Fault("/region_code", "unknown_region", unknown_message(session, region)))
    elif region.level == RegionLevel.PROVINCE:
        faults.append(Fault("/region_code", "province_account", "省级账号由系统管理员创建，请选择市或县（区）"))
    if sent_mobile(form.mobile) is None:
        faults.append(Fault("/mobile", "bad_mobile", "手机号码不正确，请填写11位大陆手机号"))
    if is_enterprise_name(form.username):
        # Kept for the enterprise of that code, to whom a bureau hands it over: a stranger could take it here.
        message = "用户名不能是统一社会信用代码，请更换；企业账号由市场监管部门发放"
        faults.append(Fault("/username", "enterprise_name", message))
    chain = () if region is None else (region.area1, region.area2, region.area3)
    names = [form.applicant_name, form.unit_name, *queries.names_of_regions(session, chain)]
    password_fault = passwords.password_fault(form.password, form.username, names)
    if password_fault:
        faults.append(Fault("/password", "weak_password", password_fault))
    return faults


def _store_application(
    session: Session, form: NewApplication, region: Region, password_hash: str
) -> AccountApplication:
    application_id = uuid4()
    APPLICATION.enter(
        session,
        None,
        "apply",
        {
            "id": application_id,
            "query_code": secrets.token_urlsafe(12),
            "username": form.username,
            "password_hash": password_hash,
            "applicant_name": form.applicant_name,
            "unit_name": form.unit_name,
            "folded_unit": fold_to_fit(form.unit_name),
            "region_code": region.code,
            "area1": region.area1,
            "area2": region.area2,
            "area3": region.area3,
            "mobile": normalise_mobile(form.mobile),
            "reason": form.reason,
            "opinion": None,
            "created_at": clock.now(),
        },
    )
    todos.open_for_region(
        session,
        TODO_DECIDE,
        f"账号待审核：{form.unit_name} {form.username}",
        ("account_application", application_id),
        verb=Verb.ACCOUNTS_DECIDE,
        area1=region.area1,
        area2=region.area2 if region.depth > 2 else None,
    )
    return session.get_one(AccountApplication, application_id)


def _enter_user(session: Session, application: AccountApplication) -> User:
    """The applicant as a user who is to be approved; 409 `username_taken` where somebody else has the name."""
    region = current_region(session, application.region_code)
    if region is None or region.valid_to is not None:
        raise Problem("wrong_status", "该申请的行政区划已撤销，请审核不通过，并请申请人按新区划重新申请")
    existing = session.scalar(select(User).where(queries.named(application.username)))
    person = {
        "password_hash": application.password_hash,
        "office_id": offices.bureau_of(session, region),
        "full_name": application.applicant_name,
        "unit_name": application.unit_name,
        "mobile": application.mobile,
        "roles": [role.value for role in DEFAULT_ROLES[region.level]],
        "status_reason": None,
    }
    if existing is None:
        user_id = uuid4()
        values = {"id": user_id, "username": application.username, "must_change_password": False, **person}
        try:
            USER.enter(session, None, "apply", {**values, "created_at": clock.now()})
        except IntegrityError as error:  # another application under this name is approved at this very moment
            raise _taken() from error
        return session.get_one(User, user_id)
    # Users of before applications stood by themselves: one who waits, and one whose application was rejected.
    if existing.id == application.user_id and existing.status == UserStatus.PENDING:
        return existing
    if existing.username != application.username or existing.status != UserStatus.REJECTED:
        raise _taken()
    USER.move(session, None, existing, "apply_again", person)
    return session.get_one(User, existing.id, populate_existing=True)


def _taken() -> Problem:
    return Problem("username_taken", "该用户名已有账号，不能通过；请审核不通过，并在意见中请申请人换一个用户名重新申请")


def _applicant(session: Session, application: AccountApplication, action: str) -> User | None:
    """The user that the decision is about: made now by an approval; a rejection finds one of before only."""
    if action == "approve":
        return _enter_user(session, application)
    user = session.get(User, application.user_id, populate_existing=True) if application.user_id else None
    return user if user is not None and user.status == UserStatus.PENDING else None


def get_decidable(session: Session, actor: Actor, application_id: UUID) -> AccountApplication:
    """The application, if the actor's office stands above it; 404 otherwise."""
    application = queries.find_decidable(session, actor, application_id)
    if application is None:
        raise not_found()
    return application


def decide(
    session: Session, actor: Actor, application_id: UUID, action: str, body: Mapping[str, Any]
) -> AccountApplication:
    """Approve or reject an application (审核); the first decision wins.

    Raises 409 `wrong_status` when someone else has decided, 403 for an own application (same
    user, or same mobile number), 422 when a rejection has no opinion.
    """
    application = get_decidable(session, actor, application_id)
    key = idempotency.key(actor.user_id, f"account-applications.{action}", application_id, body)
    if not idempotency.claim(session, key):
        return get_decidable(session, actor, application_id)
    opinion = clean(body.get("opinion") or "") or None
    decider = session.execute(select(User.mobile, User.full_name).where(User.id == actor.user_id)).one()
    if application.user_id == actor.user_id or (decider.mobile and decider.mobile == application.mobile):
        raise Problem("forbidden", "不能审核本人提交的申请")
    if action == "reject":
        demanded(opinion, "/opinion", "审核不通过须填写意见")
    name = decider.full_name or actor.operator_name
    decided = {
        "opinion": opinion, "decided_at": clock.now(), "decided_by": actor.user_id,
        "decided_as": {"username": actor.username, "name": name, "office": actor.office_name},
    }  # fmt: skip
    # The step is checked before the name: who decides second reads so, not that the name is taken.
    APPLICATION.step(action, application.status, actor)
    user = _applicant(session, application, action)
    if user is not None:
        USER.move(session, actor, user, action, {"status_reason": opinion})
    if action == "approve":
        assert user is not None
        decided |= {"user_id": user.id, "password_hash": None}
    APPLICATION.move(session, actor, application, action, decided, {"opinion": opinion})
    todos.close(session, application_id, TODO_DECIDE)
    return get_decidable(session, actor, application_id)
