"""A forgotten password (找回密码): a link to the confirmed address, good once; the first password of who was invited.

Who asks learns nothing of the names and addresses that there are: a name and an address that belong together, and any
others, are the same statements and the same answer (`tests/miniapp_api/test_password_resets.py` compares them). Whether
there is a second factor is asked at the sign-in that follows, not here: the link replaces the password alone.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import queries
from accounts.mail import addresses, letters, links
from accounts.mail.letters import Site
from accounts.mail.models import MailLink, Purpose, UserEmail
from accounts.models import User, UserStatus
from accounts.sign_in import audit, captcha_tries, passwords, sessions, throttle
from accounts.workflows import USER
from core import clock
from core.db import Database
from core.deliveries.operations import enqueue_mail, enqueue_nothing
from core.errors import Problem, invalid
from core.origin import Origin
from core.privacy import keyed_hash
from core.text import clean_line
from core.workflows import idempotency

HOUR = timedelta(hours=1)
FREE = 10
"""Links asked for from one line in an hour without a captcha."""
MOST = 100
"""Links asked for from one line in an hour, behind captchas."""
OF_A_PAIR = 3
"""Links asked for in an hour for one name and address: whoever knows both fills nobody's mailbox."""
ASKED = "reset_asked"
"""What the audit of sign-ins notes, whether or not a mail goes out."""
BY_LINK = {Purpose.RESET: "reset_by_link", Purpose.INVITE: "accept_invitation"}


@dataclass(frozen=True, slots=True)
class Asking:
    """Who forgot a password, as typed, and from where."""

    username: str
    email: str
    origin: Origin
    captcha_id: str | None = None
    captcha: str | None = None


def ask(database: Database, site: Site, asking: Asking) -> None:
    """Send a link if name and address belong together; nobody learns whether they do.

    Raises 403 `captcha_required` where a line asks often, and 429 for a line or for a pair of name and address.
    """
    username, email = clean_line(asking.username)[:64], clean_line(asking.email)[:100]
    with database.write() as session:
        busy = throttle.take(session, throttle.limits_by_origin("reset-free-address", asking.origin, FREE), HOUR)
    if busy:
        captcha_tries.check(database, captcha_tries.of_resets(asking.origin), asking.captcha_id, asking.captcha)
    pair = keyed_hash("reset-pair", username.casefold(), email.casefold())
    limits = {f"reset-pair:{pair}": OF_A_PAIR, **throttle.limits_by_origin("reset-address", asking.origin, MOST)}
    with database.write() as session:
        wait = throttle.take(session, limits, HOUR)
        if not wait:
            audit.note(session, username, None, asking.origin.address, ASKED)
            _send(session, site, username, email)
    if wait:
        raise Problem("too_many_requests", "申请过于频繁，请先查收邮件，或稍后再试", retry_after=wait)


def _send(session: Session, site: Site, username: str, email: str) -> None:
    """The link and its mail; where nobody is meant, a row and a mail that lead nowhere."""
    found = session.execute(
        select(User.id, User.username, UserEmail.address)
        .join(UserEmail, UserEmail.user_id == User.id)
        .where(
            queries.named(username), User.status == UserStatus.ACTIVE.value,
            UserEmail.address_hash == addresses.hash_of(email),
        )
    ).first()  # fmt: skip
    token, until = links.make(session, Purpose.RESET, found.id if found else None)
    if found is None:
        enqueue_nothing(session, Purpose.RESET.value, letters.reset(site, username, token, until), expires_at=until)
    else:
        letter = letters.reset(site, found.username, token, until)
        enqueue_mail(session, Purpose.RESET.value, found.address, letter, expires_at=until)


def invite(session: Session, site: Site, user_id: UUID, office: str, address: str) -> None:
    """Send the link by which somebody sets the first password of a new account; earlier ones are over.

    It confirms the address too: whoever uses it has read the mail.
    """
    username = session.scalars(select(User.username).where(User.id == user_id)).one()
    links.end_all_of(session, user_id, *links.SETS_PASSWORD)
    token, until = links.make(session, Purpose.INVITE, user_id, address)
    letter = letters.invite(site, username, office, token, until)
    enqueue_mail(session, Purpose.INVITE.value, address, letter, expires_at=until)


def set_password(database: Database, token: str, password: str) -> None:
    """Set the password of the user whom a link is for, and end all sessions. The same call again changes nothing.

    In this order: repeated? → link → password → used once → sessions ended. Raises 410 `link_over`, and 422 for a
    password that will not do, which leaves the link as it is.
    """
    key = idempotency.key(_NOBODY, "password-resets.set", sessions.hash_token(token), {"password": password})
    with database.read() as session:
        if idempotency.is_claimed(session, key):
            return
        user = _user(session, links.find(session, token, *links.SETS_PASSWORD))
        names = _names(session, user)
    weak = passwords.password_fault(password, user.username, names)
    if weak:
        raise invalid("/password", "weak_password", weak)
    password_hash = passwords.hash_password(password)
    with database.write() as session:
        if not idempotency.claim(session, key):
            return
        link = links.find(session, token, *links.SETS_PASSWORD)
        user = _user(session, link)
        links.use_up(session, link)
        _store(session, user, link, password_hash)


_NOBODY = UUID(int=0)
"""In the idempotency key: nobody is signed in."""


def _user(session: Session, link: MailLink) -> User:
    """The user of a link; 410 `link_over` where the account was disabled since."""
    user = session.get(User, link.user_id, populate_existing=True)
    if user is None or user.status != UserStatus.ACTIVE:
        raise Problem("link_over")
    return user


def _names(session: Session, user: User) -> list[str]:
    """What somebody would guess the password from."""
    actor = queries.actor_of(session, user.id, None, uuid4())
    around = queries.names_around(session, actor) if actor is not None else []
    return [*around, *filter(None, [user.full_name])]


def _store(session: Session, user: User, link: MailLink, password_hash: str) -> None:
    purpose, user_id, username = Purpose(link.purpose), user.id, user.username
    values: dict[str, Any] = {"password_hash": password_hash, "must_change_password": False}
    # Nobody is signed in: the history names the user name itself, by the link.
    USER.move(session, None, user, BY_LINK[purpose], values, {"actor": username})
    sessions.end_sessions_of(session, user_id)
    throttle.forget(session, username)
    if purpose is Purpose.INVITE and link.address is not None:
        addresses.put(session, user_id, username, link.address, None)
    links.end_all_of(session, user_id, *links.SETS_PASSWORD)
    told = session.get(UserEmail, user_id, populate_existing=True)
    if told is not None and purpose is Purpose.RESET:
        enqueue_mail(session, "password_was_set", told.address, letters.password_was_set(username, clock.now()))
