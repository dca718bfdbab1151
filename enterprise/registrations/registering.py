"""Registering without an account (自行登记): one filing, and the query code by which it is reached.

In this order: declared? → how often → captcha → repeated? → faults → applicant → filing → registration → session.
Whether the organisation is known already is not asked here: known or not, the same statements and the same answer, so
that nobody learns who is registered, and nothing of who is known is shown or opened.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from accounts import operations
from accounts import queries as account_queries
from accounts.models import Office, OfficeKind, Region
from accounts.offices import enterprise_office_id
from accounts.regions.abolished import unknown_message
from accounts.regions.loading import current_region
from accounts.sign_in import captcha_tries, passwords, sessions, throttle
from accounts.sign_in.sessions import Begun, SessionPolicy
from accounts.sign_in.signing_in import is_enterprise_name
from accounts.verbs import Role, Verb
from core import clock
from core.db import Database
from core.errors import Fault, Problem, not_found
from core.identifiers import (
    is_email,
    is_resident_id,
    normalise_mobile,
    normalise_resident_id,
    normalise_uscc,
    sent_mobile,
    uscc_fault,
)
from core.origin import Origin
from core.text import MEANINGLESS, clean_line, clean_person, fold_to_fit, has_words
from core.workflows import idempotency, todos
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.models import Filing
from enterprise.filings.steps.opening import open_filing
from enterprise.models import REGISTRATION, Enterprise
from enterprise.registrations import query_codes
from enterprise.registrations.declarations import Registration, Registrations, opening_by_applicant
from enterprise.registrations.models import Registered
from enterprise.registrations.workflows import REGISTERED

HOUR = timedelta(hours=1)
FREE, MOST = 20, 200
"""Registrations from one line in an hour: without a captcha, and behind captchas."""
REPEATED = timedelta(minutes=10)
"""For so long a registration that is sent again is answered with its query code."""
TODO_NEW = "registration_new"
GUEST = "reg-"
"""How the name of a user begins who has a query code and no account."""
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Form:
    """What a registrant types. `code`: of an organisation the USCC, of a person the resident ID."""

    name: str
    code: str
    mobile: str
    email: str | None
    region_code: str


@dataclass(frozen=True, slots=True)
class Account:
    """The account (账号) that a registrant wants, with rights in the system of the registration alone."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Made:
    """A registration with its query code and a session, both known only here."""

    id: UUID
    filing_id: UUID
    query_code: str
    begun: Begun


@dataclass(frozen=True, slots=True)
class Asker:
    """Where a call comes from, and the captcha where one was asked for."""

    origin: Origin
    user_agent: str = ""
    captcha_id: str | None = None
    captcha: str | None = None


def register(
    database: Database, engine: Filings, declared: Registrations, policy: SessionPolicy, system: str, kind: str | None,
    registration_id: UUID, form: Form, asker: Asker, account: Account | None = None,
) -> Made:  # fmt: skip
    """Register, with an account where one is wanted; the same call within ten minutes is answered with the same code.

    Raises 404 for a system that takes nobody, 403 `captcha_required` and 429 where a line registers often, 422 with all
    faults, and 409 `id_taken` or `username_taken`.
    """
    registration = declared.find(system, kind)
    if registration is None:
        raise not_found()
    form = _cleaned(form, registration)
    with database.read() as session:
        region = current_region(session, form.region_code)
        faults = _faults(session, form, registration, region)
        if account is not None:
            faults += _account_faults(session, form, account, region)
    if faults:
        raise Problem("invalid", errors=faults)
    assert region is not None
    slow_down(database, "registration", FREE, MOST, asker)
    # Before the transaction: hashing takes long.
    login = None if account is None else (account.username, passwords.hash_password(account.password))
    told = {"kind": kind, **asdict(form), **({"username": account.username} if account is not None else {})}
    with database.write() as session:
        key = idempotency.key(_NOBODY, "registrations.register", registration_id, told)
        if not idempotency.claim(session, key):
            return _again(session, policy, registration_id, asker)
        if session.get(Registered, registration_id) is not None:
            raise Problem("id_taken")
        return _store(session, engine, policy, registration, registration_id, form, region, asker, login)


def slow_down(database: Database, what: str, free: int, most: int, asker: Asker) -> None:
    """Count a call of a line: above `free` in an hour a person has to be shown, above `most` it is 429."""
    with database.write() as session:
        busy = throttle.take(session, throttle.limits_by_origin(f"{what}-free-address", asker.origin, free), HOUR)
        wait = throttle.take(session, throttle.limits_by_origin(f"{what}-address", asker.origin, most), HOUR)
    if wait:
        raise Problem("too_many_requests", retry_after=wait)
    if busy:
        captcha_tries.check(database, captcha_tries.of_registrants(asker.origin), asker.captcha_id, asker.captcha)


def _cleaned(form: Form, registration: Registration) -> Form:
    person = registration.applicant == "person"
    return replace(
        form, name=clean_person(form.name) if person else clean_line(form.name),
        code=normalise_resident_id(form.code) if person else normalise_uscc(form.code),
        mobile=form.mobile.strip(), email=clean_line(form.email or "") or None,
    )  # fmt: skip


def _faults(session: Session, form: Form, registration: Registration, region: Region | None) -> list[Fault]:
    faults = []
    if not has_words(form.name):
        faults.append(Fault("/name", "meaningless", f"名称{MEANINGLESS}"))
    if registration.applicant == "person":
        if not is_resident_id(form.code):
            faults.append(Fault("/code", "bad_resident_id", "身份证号码不正确，请核对后重新填写"))
    elif (fault := uscc_fault(form.code)) is not None:
        faults.append(Fault("/code", "bad_uscc", fault))
    if sent_mobile(form.mobile) is None:
        faults.append(Fault("/mobile", "bad_mobile", "手机号码不正确，请填写11位大陆手机号"))
    if form.email is not None and not is_email(form.email):
        faults.append(Fault("/email", "bad_email", "邮箱格式不正确，请核对后重新填写"))
    if region is None or region.valid_to is not None:
        faults.append(Fault("/region_code", "unknown_region", unknown_message(session, region)))
    return faults


def _account_faults(session: Session, form: Form, account: Account, region: Region | None) -> list[Fault]:
    faults = []
    if is_enterprise_name(account.username) or account.username.startswith(GUEST):
        message = "用户名不能是统一社会信用代码，也不能以reg-开头，请更换"
        faults.append(Fault("/account/username", "enterprise_name", message))
    chain = () if region is None else (region.area1, region.area2, region.area3)
    names = [form.name, *account_queries.names_of_regions(session, chain)]
    if (weak := passwords.password_fault(account.password, account.username, names)) is not None:
        faults.append(Fault("/account/password", "weak_password", weak))
    return faults


def _again(session: Session, policy: SessionPolicy, registration_id: UUID, asker: Asker) -> Made:
    """The answer that was lost. Later the code is no longer told: whoever has it not asks for another by mail."""
    there = session.get(Registered, registration_id)
    code = query_codes.first_code(registration_id)
    if (
        there is None
        or there.created_at < clock.now() - REPEATED
        or there.query_code_hash != query_codes.hash_of(code, there.code or there.id_number or "")
    ):
        raise Problem("id_taken", "已登记，请用查询码查询；没有查询码的，请找回查询码")
    return _answered(session, policy, there, code, asker)


def _store(
    session: Session, engine: Filings, policy: SessionPolicy, registration: Registration, registration_id: UUID,
    form: Form, region: Region, asker: Asker, login: tuple[str, str] | None,
) -> Made:  # fmt: skip
    code, person = query_codes.first_code(registration_id), registration.applicant == "person"
    shown_as = f"{form.name[:1]}**" if person else form.name
    applicant = _applicant(session, shown_as, region)
    kind = engine.kinds[registration.kind]
    user_id = _user(session, applicant, region, registration_id, login, kind.system)
    actor = account_queries.actor_of(session, user_id, None, registration_id)
    filing = open_filing(
        session, engine, kind, applicant, actor=actor, saved=True, opening=opening_by_applicant(kind)
    )  # fmt: skip
    session.execute(
        update(Filing)
        .where(Filing.id == filing.id)
        .values(uscc="" if person else form.code)
        .execution_options(synchronize_session=False)
    )
    values: Mapping[str, Any] = {
        "id": registration_id, "system": registration.system, "kind": registration.kind,
        "applicant": registration.applicant, "name": form.name, "code": None if person else form.code,
        "id_number": form.code if person else None, "id_hash": query_codes.id_hash(form.code) if person else None,
        "mobile": normalise_mobile(form.mobile), "email": form.email,
        "region_code": region.code, "area1": region.area1, "area2": region.area2, "area3": region.area3,
        "query_code_hash": query_codes.hash_of(code, form.code), "spare_code_hash": None, "spare_until": None,
        "filing_id": filing.id, "applicant_id": applicant.id, "user_id": user_id, "opinion": None,
        "created_at": clock.now(),
    }  # fmt: skip
    if not REGISTERED.enter(session, None, "register", values):
        raise Problem("id_taken")
    todos.open_for_region(
        session, TODO_NEW, f"自行登记待核对：{shown_as}（{registration.title}）", ("registration", registration_id),
        verb=Verb.ENTERPRISES_MANAGE, area1=region.area1, area2=region.area2, area3=region.area3,
    )  # fmt: skip
    return _answered(session, policy, session.get_one(Registered, registration_id), code, asker)


def _applicant(session: Session, name: str, region: Region) -> Enterprise:
    """The filing's applicant: a row that no list of the register shows, and no code finds."""
    applicant_id = uuid4()
    session.execute(
        insert(Enterprise).values(
            id=applicant_id, uscc=f"~{applicant_id.hex[:17]}", name=name[:100], folded_name=fold_to_fit(name),
            former_names=[], region_code=region.code, area1=region.area1, area2=region.area2, area3=region.area3,
            status="active", source=REGISTRATION, product_codes=[], imported={}, updated_at=clock.now(),
        )
    )  # fmt: skip
    return session.get_one(Enterprise, applicant_id)


def _user(
    session: Session, applicant: Enterprise, region: Region, registration_id: UUID, login: tuple[str, str] | None,
    system: str,
) -> UUID:  # fmt: skip
    """The user of whoever has the query code: the account that was asked for, or one that no password opens."""
    office_id, kind = enterprise_office_id(applicant.uscc), OfficeKind.REGISTRANT.value
    session.execute(
        insert(Office).values(
            id=office_id, kind=kind, name=applicant.name, level=kind, parent_id=None, region_code=region.code, areas=[],
            enterprise_id=applicant.id, arriving=[], absorbed=[],
        )
    )  # fmt: skip
    name, password_hash = login or (f"{GUEST}{registration_id.hex}", "!")
    return operations.create_user(
        session, office_id, name, password_hash, [Role.ENTERPRISE], must_change_password=False,
        system=system if login is not None else None,
    )  # fmt: skip


def _answered(session: Session, policy: SessionPolicy, there: Registered, code: str, asker: Asker) -> Made:
    begun = sessions.begin(
        session, policy, there.user_id, None, asker.origin, asker.user_agent, filing_id=there.filing_id
    )
    return Made(there.id, there.filing_id, code, begun)
