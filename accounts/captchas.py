"""Captchas (验证码): used once, within five minutes, upper or lower case alike (spec/common §3.2)."""

import secrets
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from accounts.models import Captcha
from core import clock
from core.privacy import keyed_hash
from core.text import fold

# Without characters that look alike.
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_LENGTH = 4
_LIFE = timedelta(minutes=5)


def issue(session: Session) -> tuple[UUID, str]:
    """A new captcha: its id and the text that the picture shows. Sweeps those that are over."""
    now = clock.now()
    session.execute(delete(Captcha).where(Captcha.until <= now))
    captcha_id, text = uuid4(), "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    session.execute(insert(Captcha).values(id=captcha_id, answer=_answer(captcha_id, text), until=now + _LIFE))
    return captcha_id, text


def use(session: Session, captcha_id: str | None, text: str | None) -> bool:
    """Whether the text is right; right or wrong, the captcha cannot be used again."""
    try:
        known = UUID(captcha_id or "")
    except ValueError:
        return False
    answer = session.execute(
        delete(Captcha)
        .where(Captcha.id == known, Captcha.until > clock.now())
        .returning(Captcha.answer)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    return answer is not None and secrets.compare_digest(answer, _answer(known, text or ""))


def _answer(captcha_id: UUID, text: str) -> str:
    return keyed_hash("captcha", str(captcha_id), fold(text))
