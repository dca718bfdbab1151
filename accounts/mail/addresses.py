"""The address (邮箱) of a user name: asked for by mail, confirmed by the person, removed.

Whoever has the address can set the password (`password_resets.py`), so it stands under the history of its user as
WeChat bindings do: each change states a digest, and one that was put into the table is named by `history verify`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from accounts.mail import letters, links
from accounts.mail.letters import Site
from accounts.mail.models import MailLink, Purpose, UserEmail
from accounts.models import User
from accounts.operations import is_own_password
from accounts.sign_in import throttle
from accounts.sign_in.sessions import hash_token
from accounts.stated import Stated
from core import clock
from core.actor import Actor
from core.db import Database, dialect_of, insert_into
from core.deliveries.operations import enqueue_mail
from core.errors import Fault, Problem
from core.identifiers import is_email
from core.masking import mask_email
from core.privacy import InRow, keyed_hash
from core.text import clean_line
from core.workflows import history, idempotency
from core.workflows.witnesses import Witness

SET, REMOVE = "set_email", "remove_email"
STATING = (SET, REMOVE, history.ERASE)
"""Actions of rows that may state the digest; the newest of them holds. Without any there is no address."""

EMAIL = Witness("email", ("user_id", "address_hash"))
HOUR = timedelta(hours=1)
_PER_USER, _PER_ADDRESS = 5, 5
"""Mails to confirm an address in an hour: of one user, and to one address, which may be a stranger's."""


@dataclass(frozen=True, slots=True)
class Own:
    """What a user reads of the own address, masked, and of one that waits to be confirmed."""

    address: str | None
    confirmed_at: datetime | None
    pending: str | None
    pending_until: datetime | None


def hash_of(address: str) -> str:
    """The keyed hash of an address; upper and lower case alike, as mailboxes treat them."""
    return keyed_hash("user-email", address.casefold())


def own(session: Session, actor: Actor) -> Own:
    """The actor's address and the one that waits."""
    there = session.get(UserEmail, actor.user_id, populate_existing=True)
    waiting = session.scalar(
        select(MailLink)
        .where(
            MailLink.user_id == actor.user_id, MailLink.purpose == Purpose.CONFIRM.value, MailLink.until > clock.now()
        )
        .order_by(MailLink.until.desc())
        .limit(1)
    )  # fmt: skip
    return Own(
        mask_email(there.address) if there else None, there.confirmed_at if there else None,
        mask_email(waiting.address) if waiting else None, waiting.until if waiting else None,
    )  # fmt: skip


def masked_of(session: Session, user_ids: Collection[UUID]) -> dict[UUID, str]:
    """The addresses of users, masked; who has none is left out."""
    found = session.execute(select(UserEmail.user_id, UserEmail.address).where(UserEmail.user_id.in_(list(user_ids))))
    return {user_id: mask_email(address) or "" for user_id, address in found}


def ask(database: Database, site: Site, actor: Actor, address: str, password: str) -> None:
    """Send a link to an address that is to become the actor's; an earlier link of this kind is over.

    Not idempotent: each call sends a mail. Raises 422 for what is no address and for a wrong password, 429.
    """
    address = clean_line(address)
    with database.read() as session:
        stored = session.scalars(select(User.password_hash).where(User.id == actor.user_id)).one()
    faults = []
    if not is_email(address):
        faults.append(Fault("/email", "bad_email", "邮箱格式不正确，请核对后重新填写"))
    if not is_own_password(database, actor, stored, password):
        faults.append(Fault("/password", "wrong_password", "密码不正确，请重新输入"))
    if faults:
        raise Problem("invalid", errors=faults)
    limits = {f"email-user:{actor.user_id}": _PER_USER, f"email-address:{hash_of(address)}": _PER_ADDRESS}
    with database.write() as session:
        wait = throttle.take(session, limits, HOUR)
        if not wait:
            links.end_all_of(session, actor.user_id, Purpose.CONFIRM)
            token, until = links.make(session, Purpose.CONFIRM, actor.user_id, address)
            letter = letters.confirm(site, actor.username, token, until)
            enqueue_mail(session, Purpose.CONFIRM.value, address, letter, expires_at=until)
    if wait:
        raise Problem("too_many_requests", "确认邮件发送过于频繁，请查收邮箱，或稍后再试", retry_after=wait)


def confirm(session: Session, actor: Actor, token: str) -> None:
    """The actor, who has the link, confirms the address. Repeated it changes nothing.

    Raises 410 `link_over`, also for the link of another user.
    """
    key = idempotency.key(actor.user_id, "me.email.confirm", hash_token(token), {})
    if not idempotency.claim(session, key):
        return
    link = links.find(session, token, Purpose.CONFIRM)
    if link.user_id != actor.user_id or link.address is None:
        raise Problem("link_over")
    links.use_up(session, link)
    put(session, actor.user_id, actor.username, link.address, actor)


def put(session: Session, user_id: UUID, username: str, address: str, actor: Actor | None) -> None:
    """Make an address, whose mails arrived, that of a user; the former one is told, and its links are over."""
    former = session.get(UserEmail, user_id, populate_existing=True)
    told = former.address if former is not None and former.address_hash != hash_of(address) else None
    values: dict[str, Any] = {
        "address": InRow(address, user_id), "address_hash": hash_of(address), "confirmed_at": clock.now(),
    }  # fmt: skip
    fresh = insert_into(dialect_of(session), UserEmail).values(user_id=user_id, **values)
    with changing(session, user_id, SET, actor):
        session.execute(fresh.on_conflict_do_update(index_elements=["user_id"], set_=values))
        session.expire_all()
    links.end_all_of(session, user_id, *links.SETS_PASSWORD)
    _tell_former(session, username, told)


def remove(session: Session, actor: Actor) -> None:
    """Remove the actor's address, and whatever waits to be confirmed. Repeated it changes nothing."""
    former = session.get(UserEmail, actor.user_id, populate_existing=True)
    told = former.address if former is not None else None
    with changing(session, actor.user_id, REMOVE, actor):
        session.execute(
            delete(UserEmail)
            .where(UserEmail.user_id == actor.user_id)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        session.expire_all()
    links.end_all_of(session, actor.user_id, *Purpose)
    _tell_former(session, actor.username, told)


def _tell_former(session: Session, username: str, address: str | None) -> None:
    if address is not None:
        enqueue_mail(session, "email_changed", address, letters.address_was_changed(username, clock.now()))


def standing(session: Session, user_id: UUID) -> dict[str, Any]:
    """What the digest is of, as it stands in the table; the hash is empty where there is no address."""
    found = session.scalar(select(UserEmail.address_hash).where(UserEmail.user_id == user_id))
    return {"user_id": user_id, "address_hash": found}


_STATED = Stated(EMAIL, STATING, standing, "address_hash")
fits, changing = _STATED.fits, _STATED.changing
