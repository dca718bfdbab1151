"""The address (邮箱) of the signed-in user, by which a forgotten password is set anew."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.mail import addresses
from core import clock
from core.actor import Actor
from miniapp_api.http.answers import Answer, answers, refuses
from miniapp_api.http.bodies import Body, Password
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("own_email", __name__, tag="People")


class EmailBody(Body):
    """The address, and the own password: whoever has the address can set the password."""

    email: str = Field(min_length=3, max_length=100)
    password: Password


class EmailTokenBody(Body):
    """The token of the link in the mail."""

    token: str = Field(min_length=20, max_length=100)


class OwnEmail(Answer):
    """The own address and the one that waits to be confirmed, masked: a user name may be shared."""

    email: str | None
    confirmed_at: datetime | None
    pending: str | None = Field(description="an address to which a link went")
    pending_until: datetime | None
    sends_mail: bool = Field(
        description="whether a mail server is set up; without one mails are kept until there is one"
    )


@bp.get("/me/email")
@gate()
@answers(OwnEmail)
def read_my_email(session: Session, actor: Actor) -> dict[str, Any]:
    """The caller's confirmed address, and the one that waits."""
    return _answer(session, actor)


@bp.put("/me/email")
@gate(transaction=False)
@answers(OwnEmail, 202)
@refuses(429)
@bp.input(EmailBody, arg_name="body")
def ask_for_email(actor: Actor, body: EmailBody) -> tuple[dict[str, Any], int]:
    """Send a link to an address, good for a day; it is the caller's once `PUT /me/email/confirmation` has the token.

    Not idempotent: each call sends a mail, and an earlier link is over.
    """
    services = wiring()
    addresses.ask(services.database, services.site, actor, body.email, body.password)
    with services.database.read() as session:
        return _answer(session, actor), 202


@bp.put("/me/email/confirmation")
@gate()
@answers(OwnEmail)
@refuses(410)
@bp.input(EmailTokenBody, arg_name="body")
def confirm_my_email(session: Session, actor: Actor, body: EmailTokenBody) -> dict[str, Any]:
    """Confirm the address by the token of the mail, signed in as the user who gave it."""
    addresses.confirm(session, actor, body.token)
    return _answer(session, actor)


@bp.delete("/me/email")
@gate()
@answers(OwnEmail)
def remove_my_email(session: Session, actor: Actor) -> dict[str, Any]:
    """Remove the own address; the address is told by mail."""
    addresses.remove(session, actor)
    return _answer(session, actor)


def _answer(session: Session, actor: Actor) -> dict[str, Any]:
    own = addresses.own(session, actor)
    return {
        "email": own.address, "confirmed_at": own.confirmed_at and clock.rfc3339(own.confirmed_at),
        "pending": own.pending, "pending_until": own.pending_until and clock.rfc3339(own.pending_until),
        "sends_mail": wiring().site.sends_mail,
    }  # fmt: skip
