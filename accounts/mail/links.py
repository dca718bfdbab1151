"""Links that are good once (一次性链接) and go out by mail: a random token, of which only a keyed hash is stored.

The token names its row. The hash is also of what the link is good for and for whom: in the row of somebody else, or
put into the table by whoever has no key, it opens nothing.
Of two who use one at the same moment one deletes its row and goes on; the other finds none.
"""

import base64
import secrets
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from accounts.mail.models import MailLink, Purpose
from core import clock
from core.errors import Problem
from core.privacy import in_row, keyed_hash

LIVES = {
    Purpose.CONFIRM: timedelta(hours=24),
    Purpose.RESET: timedelta(hours=1),
    Purpose.INVITE: timedelta(days=7),
}
"""How long a link is good; assumed, the texts name no time."""

_TOKEN = 48
"""Bytes of a token: the id of its row and 32 random ones."""

SETS_PASSWORD = (Purpose.RESET, Purpose.INVITE)


def make(session: Session, purpose: Purpose, user_id: UUID | None, address: str | None = None) -> tuple[str, datetime]:
    """A new link: its token, known only here, and until when it is good."""
    now, link_id = clock.now(), uuid4()
    token = base64.urlsafe_b64encode(link_id.bytes + secrets.token_bytes(32)).decode()
    until = now + LIVES[purpose]
    values = {
        "id": link_id, "token_hash": _hash_of(token, purpose.value, user_id), "purpose": purpose.value,
        "user_id": user_id, "address": address, "created_at": now, "until": until,
    }  # fmt: skip
    session.execute(insert(MailLink).values(in_row(MailLink, values)))
    return token, until


def find(session: Session, token: str, *purposes: Purpose) -> MailLink:
    """The link of a token; 410 `link_over` where there is none, it was used, or its time is over."""
    found = session.scalar(
        select(MailLink)
        .where(
            MailLink.id == _row_of(token), MailLink.purpose.in_([one.value for one in purposes]),
            MailLink.until > clock.now(),
        )
        .execution_options(populate_existing=True)
    )  # fmt: skip
    if found is None or found.user_id is None:
        raise Problem("link_over")
    if not secrets.compare_digest(found.token_hash, _hash_of(token, found.purpose, found.user_id)):
        raise Problem("link_over")
    return found


def _row_of(token: str) -> UUID | None:
    """The id that a token names; None for what is no token."""
    try:
        named = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except ValueError:
        return None
    return UUID(bytes=named[:16]) if len(named) == _TOKEN else None


def _hash_of(token: str, purpose: str, user_id: UUID | None) -> str:
    return keyed_hash("mail link", purpose, "" if user_id is None else user_id.hex, token)


def use_up(session: Session, link: MailLink) -> None:
    """Use the link; 410 `link_over` where somebody else has at this moment."""
    gone = session.execute(
        delete(MailLink)
        .where(MailLink.id == link.id, MailLink.until > clock.now())
        .returning(MailLink.id)
        .execution_options(synchronize_session=False)
    ).first()
    if gone is None:
        raise Problem("link_over")


def end_all_of(session: Session, user_id: UUID, *purposes: Purpose) -> None:
    """End the links of a user that are good for one of the purposes."""
    session.execute(
        delete(MailLink)
        .where(MailLink.user_id == user_id, MailLink.purpose.in_([one.value for one in purposes]))
        .execution_options(synchronize_session=False)
    )
