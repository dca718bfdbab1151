"""Links that are good once (一次性链接) and go out by mail: a random token, of which only the SHA-256 is stored.

Of two who use one at the same moment one deletes its row and goes on; the other finds none.
"""

import secrets
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from accounts.mail.models import MailLink, Purpose
from accounts.sign_in.sessions import hash_token
from core import clock
from core.errors import Problem
from core.privacy import in_row

LIVES = {
    Purpose.CONFIRM: timedelta(hours=24),
    Purpose.RESET: timedelta(hours=1),
    Purpose.INVITE: timedelta(days=7),
}
"""How long a link is good; assumed, the texts name no time."""

SETS_PASSWORD = (Purpose.RESET, Purpose.INVITE)


def make(session: Session, purpose: Purpose, user_id: UUID | None, address: str | None = None) -> tuple[str, datetime]:
    """A new link: its token, known only here, and until when it is good."""
    token, now, link_id = secrets.token_urlsafe(32), clock.now(), uuid4()
    until = now + LIVES[purpose]
    values = {
        "id": link_id, "token_hash": hash_token(token), "purpose": purpose.value, "user_id": user_id,
        "address": address, "created_at": now, "until": until,
    }  # fmt: skip
    session.execute(insert(MailLink).values(in_row(MailLink, values)))
    return token, until


def find(session: Session, token: str, *purposes: Purpose) -> MailLink:
    """The link of a token; 410 `link_over` where there is none, it was used, or its time is over."""
    found = session.scalar(
        select(MailLink)
        .where(
            MailLink.token_hash == hash_token(token), MailLink.purpose.in_([one.value for one in purposes]),
            MailLink.until > clock.now(),
        )
        .execution_options(populate_existing=True)
    )  # fmt: skip
    if found is None or found.user_id is None:
        raise Problem("link_over")
    return found


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
