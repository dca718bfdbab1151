"""What the administrators are told: messages that died, and messages of a channel that is not configured."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from core import clock
from core.db import Database
from core.deliveries.models import CHANNELS, DEAD, WAITING, Delivery
from core.jobs.scheduler import Job
from core.workflows import todos

DEAD_TODO, UNSENT_TODO = "dead_deliveries", "unsent_deliveries"
PATIENCE = timedelta(minutes=10)
"""How long a message of a channel that is not configured waits before somebody is told."""
_SUBJECT = UUID(int=1)
"""Deliveries as a whole."""


def tell(database: Database, configured: Collection[str]) -> int:
    """Open a to-do while there are dead messages, and one while some wait for a channel; close them afterwards.

    Returns how many to-dos were opened or closed.
    """
    old = clock.now() - PATIENCE
    with database.read() as session:
        dead = session.scalar(select(Delivery.id).where(Delivery.status == DEAD).limit(1)) is not None
        unsent = session.scalar(
            select(Delivery.channel)
            .where(Delivery.status == WAITING, Delivery.channel.not_in(configured), Delivery.created_at < old)
            .limit(1)
        )
        opened = todos.kinds_open_of(session, _SUBJECT)
    channel = CHANNELS.get(unsent or "", "")
    wanted = {
        DEAD_TODO: ("有消息未能送达，请在服务器上执行 ./manage deliveries list 查看并重新发送", dead),
        UNSENT_TODO: (f"有{channel}待发送而未配置发送服务，请配置 SMTP_HOST、MAIL_FROM", unsent is not None),
    }
    changed = 0
    for kind, (title, needed) in wanted.items():
        if needed == (kind in opened):
            continue
        with database.write() as session:
            if needed:
                todos.open_for_administrators(session, kind, title, (todos.DELIVERIES, _SUBJECT))
            else:
                todos.close(session, _SUBJECT, kind)
        changed += 1
    return changed


def job(configured: Collection[str]) -> Job:
    """For the scheduler."""
    return Job("deliveries told", lambda database: tell(database, configured))


def state(database: Database) -> str:
    """For `/readyz`: `ok`, or that messages died."""
    with database.read() as session:
        dead = session.scalar(select(Delivery.id).where(Delivery.status == DEAD).limit(1)) is not None
    return "dead messages; ./manage deliveries list" if dead else "ok"
