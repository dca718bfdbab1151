"""Tables of the mail of users: confirmed addresses, and links that are good once."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from core.privacy import EncryptedText


class UserEmail(Base):
    """The address (邮箱) of a user name, once somebody has shown that its mails arrive.

    Sealed; `address_hash` is keyed, over the folded address. Several user names may have one address.
    """

    __tablename__ = "user_emails"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    address: Mapped[str] = mapped_column(EncryptedText("user_emails", "address", row="user_id"))
    address_hash: Mapped[str] = mapped_column(String(64))
    confirmed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Purpose(enum.StrEnum):
    """What a link by mail is good for."""

    CONFIRM = "confirm_email"
    RESET = "reset_password"
    INVITE = "invitation"


class MailLink(Base):
    """A link (一次性链接) that went out by mail: a keyed hash of its token. Deleted once it is used or over.

    `user_id` is null where somebody asked for a name and an address that do not belong together: such a row is written
    so that asking takes the same work, and no link leads to it. `address` is the one to be confirmed.
    """

    __tablename__ = "mail_links"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    address: Mapped[str | None] = mapped_column(EncryptedText("mail_links", "address"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
