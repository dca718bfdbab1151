"""Applications for accounts (账号申请) and their decision (用户审核): seed 001, annex 7, part 2(5)."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from accounts.sign_in.sessions import is_enterprise_name
from accounts.verbs import DEFAULT_ROLES, Verb
from accounts.workflows import APPLICATION, USER
from core import clock
from core.actor import Actor
from core.db import Database
from core.errors import Fault, Problem, not_found
from core.identifiers import is_mobile, normalise_mobile
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
    """Store an application and its pending user; returns it and whether it is new.

    The same application sent again, the password included, is answered with the first one as it is
    now, unless that was rejected. A user name that was rejected may apply again.
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
    existing, repeated = _earlier(database, form)
    if repeated is not None:
        return repeated, False
    password_hash = passwords.hash_password(form.password)
    try:
        with database.write() as session:
            return _store_application(session, form, region, existing, password_hash), True
    except (IntegrityError, Problem) as error:  # the same user name at the same moment
        _, repeated = _earlier(database, form)
        if repeated is not None:
            return repeated, False
        raise Problem("username_taken") from error


def _earlier(database: Database, form: NewApplication) -> tuple[User | None, AccountApplication | None]:
    """The rejected user of that name, who may apply again, and the pending or approved application repeated here.

    Raises 409 `username_taken` when the name, in whatever case, is someone else's, 429 after ten wrong
    passwords for it.
    """
    with database.read() as session:
        existing = session.scalar(select(User).where(queries.named(form.username)))
        if existing is None:
            return None, None
        if existing.username != form.username:
            raise Problem("username_taken")
        earlier = session.scalar(
            select(AccountApplication)
            .where(AccountApplication.user_id == existing.id, AccountApplication.status != "rejected")
            .limit(1)
        )
        place = None if earlier is None else current_region(session, earlier.region_code)
    if earlier is not None:
        same = (
            place is not None
            and place.code == form.region_code
            and earlier.mobile == normalise_mobile(form.mobile)
            and (clean_person(earlier.applicant_name), clean_line(earlier.unit_name))
            == (form.applicant_name, form.unit_name)
            and (clean(earlier.reason or "") or None) == form.reason
        )
        if same and _is_own_password(database, existing, form.password):
            return existing, earlier
    if existing.status != UserStatus.REJECTED:
        raise Problem("username_taken")
    return existing, None


def _is_own_password(database: Database, user: User, password: str) -> bool:
    """Whether the applicant knows the password; wrong ones count as wrong sign-ins do, or they could be tried here."""
    keys = throttle.buckets(user.username, "", known=False)[:1]
    with database.write() as session:
        reserved = throttle.reserve(session, keys)
    if reserved.refused is not None:
        raise throttle.throttled(reserved.refused)
    if not passwords.verify_password(user.password_hash, password):
        return False
    with database.write() as session:
        throttle.give_back(session, keys)
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
    if not is_mobile(normalise_mobile(form.mobile)):
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
    session: Session, form: NewApplication, region: Region, existing: User | None, password_hash: str
) -> AccountApplication:
    office_id = offices.bureau_of(session, region)
    mobile = normalise_mobile(form.mobile)
    person = {
        "password_hash": password_hash,
        "office_id": office_id,
        "full_name": form.applicant_name,
        "unit_name": form.unit_name,
        "mobile": mobile,
        "roles": [role.value for role in DEFAULT_ROLES[region.level]],
        "status_reason": None,
    }
    if existing is None:
        user_id = uuid4()
        USER.enter(
            session, None, "apply",
            {"id": user_id, "username": form.username, "must_change_password": False,
             "created_at": clock.now(), **person},
        )  # fmt: skip
    else:
        user_id = existing.id
        USER.move(session, None, existing, "apply_again", person)
    application_id = uuid4()
    APPLICATION.enter(
        session,
        None,
        "apply",
        {
            "id": application_id,
            "query_code": secrets.token_urlsafe(12),
            "user_id": user_id,
            "applicant_name": form.applicant_name,
            "unit_name": form.unit_name,
            "folded_unit": fold_to_fit(form.unit_name),
            "region_code": region.code,
            "area1": region.area1,
            "area2": region.area2,
            "area3": region.area3,
            "mobile": mobile,
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
    APPLICATION.move(session, actor, application, action, decided, {"opinion": opinion})
    user = session.get_one(User, application.user_id, populate_existing=True)
    USER.move(session, actor, user, action, {"status_reason": opinion})
    todos.close(session, application_id, TODO_DECIDE)
    return get_decidable(session, actor, application_id)
