"""Captchas (验证码): used once, within five minutes, upper or lower case alike (spec/common §3.2).

A picture, or for whoever cannot see it a question in words. How often answers may be tried stands in
`captcha_tries.py`.
"""

import secrets
import string
from datetime import timedelta
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from accounts.models import Captcha
from accounts.sign_in import captcha_questions
from core import clock
from core.identifiers import as_uuid
from core.privacy import keyed_hash
from core.text import fold

Kind = Literal["picture", "question"]
PICTURE: Kind = "picture"
QUESTION: Kind = "question"

_ALIKE = frozenset("BILOQSVZ01258")
"""Characters that look like one another once they are distorted."""
_ALPHABET = [sign for sign in string.ascii_uppercase + string.digits if sign not in _ALIKE]
_LENGTH = 5
_LIFE = timedelta(minutes=5)


def issue(session: Session) -> tuple[UUID, str]:
    """A new captcha: its id and the text that the picture shows. Sweeps those that are over."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return _hand_out(session, PICTURE, text), text


def ask(session: Session) -> tuple[UUID, str]:
    """A new question in words: its id and what is asked."""
    question = captcha_questions.make()
    return _hand_out(session, QUESTION, str(question.answer)), question.text


def _hand_out(session: Session, kind: str, answer: str) -> UUID:
    now, captcha_id = clock.now(), uuid4()
    session.execute(delete(Captcha).where(Captcha.until <= now))
    values = {"id": captcha_id, "kind": kind, "answer": _answer(captcha_id, answer), "until": now + _LIFE}
    session.execute(insert(Captcha).values(values))
    return captcha_id


def kind_of(session: Session, captcha_id: str | None) -> str | None:
    """Whether a captcha is a picture or a question; None where it is none or over."""
    known = as_uuid(captcha_id)
    return session.scalar(select(Captcha.kind).where(Captcha.id == known, Captcha.until > clock.now()))


def use(session: Session, captcha_id: str | None, text: str | None) -> bool:
    """Whether the answer is right; right or wrong, the captcha cannot be used again."""
    known = as_uuid(captcha_id)
    used = session.execute(
        delete(Captcha)
        .where(Captcha.id == known, Captcha.until > clock.now())
        .returning(Captcha.kind, Captcha.answer)
        .execution_options(synchronize_session=False)
    ).first()
    if known is None or used is None:
        return False
    typed = captcha_questions.number(text or "") if used.kind == QUESTION else text or ""
    return secrets.compare_digest(used.answer, _answer(known, typed))


def _answer(captcha_id: UUID, text: str) -> str:
    return keyed_hash("captcha", str(captcha_id), fold(text))
