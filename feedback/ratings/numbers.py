"""Who sees a rater's number: 手机号只用于防重复和回访，窗口人员看不到 (what the rating page promises).

The handler who has to call back reads the whole number by a step of the follow-up (`reveal_number`), which is a row of
the history like every other; once the rater was answered only with a reason, and not at all when the rating is closed.
Everybody else reads it masked. Whoever sits at a window (rating officers, and who made the code) reads no digit of it
and no name, and cannot search for its last digits: they know who stood before them, and four digits would identify the
rater.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from accounts.verbs import Role
from core.actor import Actor
from core.errors import Problem
from core.masking import mask_phone
from feedback.models import Rating
from feedback.ratings.masking import mask
from feedback.workflows import HANDLE, WRITTEN

REVEAL = "reveal_number"
_AT_THE_WINDOW = "窗口人员不能查看评价人的手机号，请由不在窗口的差评承办人回访，或请好差评管理员重新指派"


def sits_at_the_window(actor: Actor, made_by: UUID | None) -> bool:
    """Whether somebody sits, as far as is known, at the window that is rated; `made_by` made its code."""
    return Role.RATING_OFFICER in actor.roles or (made_by is not None and made_by == actor.user_id)


def has_to_call(actor: Actor, rating: Rating, handler_id: UUID | None, made_by: UUID | None) -> bool:
    """Whether the actor handles this bad rating under a real name, at the office that was rated, right now."""
    under_way = rating.due_on is not None and rating.closed_at is None and rating.real_name
    own = rating.office_id in actor.offices and handler_id in (None, actor.user_id)
    return under_way and own and HANDLE in actor.verbs and not sits_at_the_window(actor, made_by)


def is_over(rating: Rating) -> bool:
    """Whether nobody needs a number any more, also none that was written down: a bad rating that was closed."""
    return rating.due_on is not None and rating.closed_at is not None


def refuse_reveal(actor: Actor, rating: Rating, made_by: UUID | None) -> None:
    """403 for whoever may not read the number although the step would be theirs."""
    if not rating.real_name:
        raise Problem("forbidden", "评价人选择了匿名，不作电话回访")
    if not rating.mobile:
        raise Problem("forbidden", "评价人已要求删除个人信息，不再电话回访；请按已有情况办结")
    if sits_at_the_window(actor, made_by):
        raise Problem("forbidden", _AT_THE_WINDOW)


def masked(actor: Actor, rating: Rating, made_by: UUID | None) -> str | None:
    """The number in lists, tables and records; nothing of it at the window, or when its time is over."""
    return None if sits_at_the_window(actor, made_by) else mask_phone(rating.mobile) or None


def refuse_looking_up(actor: Actor) -> None:
    """403 for who sits at a window and searches for the last digits of a number."""
    if Role.RATING_OFFICER in actor.roles:
        raise Problem("forbidden", "窗口人员不能按手机号查找评价")


def without_numbers(shown: Mapping[str, Any]) -> dict[str, Any]:
    """For the window, and for everybody once the rating is over: numbers in what others wrote are masked."""
    return {
        name: mask(value, "") if name in WRITTEN and isinstance(value, str) else value for name, value in shown.items()
    }
