"""Signing somebody in without the road through HTTP, which is most of what a small test costs."""

from apiflask import APIFlask
from sqlalchemy import exists, select

from accounts.models import SecondFactor, Throttle, User, UserStatus
from accounts.queries import named
from accounts.sign_in import audit, passwords, sessions
from core.db import Database
from core.origin import Origin
from miniapp_api.http.wiring import KEY

ORIGIN = Origin("127.0.0.1", "127.0.0.1")
USER_AGENT = "Werkzeug/3"


def token_of(application: APIFlask, username: str, password: str) -> str | None:
    """The token of a new session, which leaves the rows that signing in leaves: the session, and its audit.

    None where something could refuse or ask for more: no such active user, another password, a second factor, tries
    that were counted. Whoever asks then goes through HTTP, as the tests of signing in itself always do.
    """
    services = application.extensions[KEY]
    database: Database = services.database
    with database.read() as session:
        user = session.execute(
            select(User.id, User.password_hash).where(
                named(username),
                User.status == UserStatus.ACTIVE,
                ~exists().where(SecondFactor.user_id == User.id),
                ~exists().where(Throttle.wrong > 0),
            )
        ).first()
    if user is None or not passwords.verify_password(user.password_hash, password):
        return None
    with database.write() as session:
        audit.note(session, username, None, ORIGIN.address, audit.SIGNED_IN)
        return sessions.begin(session, services.policy, user.id, None, ORIGIN, USER_AGENT).token
