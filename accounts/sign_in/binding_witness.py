"""WeChat bindings (微信绑定) in the history of their user: each change of them states a digest of those that are left.

Whoever can write to the table would else sign in as somebody else by moving an own binding there. When a binding was
used last (`last_used_at`) is no part of it: each sign-in changes that.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import User, WeChatBinding
from accounts.stated import Stated
from core.workflows import history
from core.workflows.witnesses import Witness

BIND, UNBIND, END = "bind_wechat", "unbind_wechat", "end_wechat_bindings"
STATING = (BIND, UNBIND, END, history.ERASE)
"""Actions of rows that may state the digest; the newest of them holds. Without any there is no binding."""

BINDINGS = Witness("bindings", ("user_id", "bindings"))
COLUMNS = (WeChatBinding.id, WeChatBinding.openid_hash, WeChatBinding.operator_name, WeChatBinding.bound_at)


def witnessed(user_id: UUID, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """What the digest is of; the rows hold `COLUMNS`."""
    return {"user_id": user_id, "bindings": sorted([str(row[0]), *row[1:]] for row in rows)}


def standing(session: Session, user_id: UUID) -> dict[str, Any]:
    """The bindings of a user as they stand in the table."""
    rows = session.execute(select(*COLUMNS).where(WeChatBinding.user_id == user_id)).all()
    return witnessed(user_id, rows)


def hold(session: Session, user_id: UUID) -> User:
    """The user, whose bindings nobody else changes until the transaction ends."""
    return session.scalars(
        select(User).where(User.id == user_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    ).one()


_STATED = Stated(BINDINGS, STATING, standing, "bindings")
fits, changing = _STATED.fits, _STATED.changing
