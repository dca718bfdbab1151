"""Tables of the accounts room: regions, offices, users, sessions, applications."""

import enum
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from core.privacy import EncryptedText


class RegionLevel(enum.StrEnum):
    """Level of a region (行政区划)."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"


class Region(Base):
    """A region (行政区划, GB/T 2260), with the chain of regions it lies in.

    `area1` is the province, `area2` the region directly below it, `area3` the one below that.
    The chain follows `parent_code`, never the digits of the code: a county may hang directly
    below a province and then stands in `area2`. `depth` says which of the three is the region
    itself. An abolished region keeps its row, with `valid_to`; `successor_code` is the region that
    took its place in a reorganisation (`accounts/regions/reorganisations.py`).
    """

    __tablename__ = "regions"

    code: Mapped[str] = mapped_column(String(6), primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    level: Mapped[RegionLevel] = mapped_column(String(10))
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("regions.code"), index=True)
    depth: Mapped[int] = mapped_column(Integer)
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    successor_code: Mapped[str | None] = mapped_column(String(6))


class OfficeKind(enum.StrEnum):
    """Kind of an office; later systems add theirs."""

    BUREAU = "market_supervision_bureau"
    STATION = "station"
    ENTERPRISE = "enterprise"
    REGISTRANT = "registrant"
    ENERGY_BRANCH = "energy_regulation_branch"
    TRANSPORT_AUTHORITY = "transport_authority"
    EVALUATION_AGENCY = "evaluation_agency"
    PORT_BUREAU = "port_bureau"
    MAINTENANCE_UNIT = "maintenance_unit"


class Office(Base):
    """An office (机关): where a user's roles hold.

    `level` is that of the region it stands for (`national` for the State Administration).
    `areas` keeps the regions it covers as `[[depth, code], …]`, derived from `office_regions`
    by `offices.cover`, so that sign-in checks need no second query; `[]` with level
    `national` covers everything. An office of kind `enterprise` stands for an enterprise's own
    users: `enterprise_id` names it, and it covers nothing; one of kind `registrant` stands for whoever registered
    without an account, and has one user whom nobody manages. `hotline` is where the public calls it (服务电话).
    """

    __tablename__ = "offices"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(100))
    level: Mapped[str] = mapped_column(String(10))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("offices.id"))
    region_code: Mapped[str | None] = mapped_column(ForeignKey("regions.code"), index=True)
    areas: Mapped[list[list[int | str]]] = mapped_column(JSON)
    enterprise_id: Mapped[UUID | None] = mapped_column(Uuid)
    arriving: Mapped[list[list[int | str]]] = mapped_column(JSON, default=list)
    absorbed: Mapped[list[str]] = mapped_column(JSON, default=list)
    hotline: Mapped[str | None] = mapped_column(String(40))
    closed_on: Mapped[date | None]


class OfficeRegion(Base):
    """A region that an office covers."""

    __tablename__ = "office_regions"

    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"), primary_key=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("regions.code"), primary_key=True)


class Reorganisation(Base):
    """A change of regions (区划调整) on a day: another superior, another code, or merged into another region.

    `kind`, `code` and `into_code` (the new superior, the new code, the region merged into) say what is to happen, and
    for a region that is made by it `name` and `parent_code`. From the day on `old_chain` and `new_chain` say
    what became of the region's place; `swept_at` is when all its records had been moved for the first time.
    """

    __tablename__ = "reorganisations"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(6))
    into_code: Mapped[str] = mapped_column(String(6))
    parent_code: Mapped[str | None] = mapped_column(String(6))
    name: Mapped[str | None] = mapped_column(String(50))
    day: Mapped[date]
    note: Mapped[str | None] = mapped_column(Text)
    planned_by: Mapped[str] = mapped_column(String(64))
    planned_at: Mapped[datetime] = mapped_column(UTCDateTime)
    status: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(Integer, default=1)
    old_chain: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    new_chain: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    moved: Mapped[int] = mapped_column(Integer, default=0)
    swept_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


USERNAME = r"^[A-Za-z0-9\-_.@\u4e00-\u9fff]{3,64}$"
"""Pattern of a user name (HTTP contract, §2). What it allows has no second width, and case only in Latin letters."""


class UserStatus(enum.StrEnum):
    """Status of a user (状态)."""

    PENDING = "pending"
    ACTIVE = "active"
    REJECTED = "rejected"
    DISABLED = "disabled"


class User(Base):
    """A user name (用户名). Several people may sign in under one (seed 001, annex 7, part 1).

    No two differ by case only: people would confuse them, and they would be throttled together. `system`: the one
    business system (业务系统) in which somebody has rights who registered without an officer (自行注册).
    """

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("username"),
        Index("uq_users_username_any_case", text("lower(username)"), unique=True),
        Index("ix_users_office_id", "office_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    username: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    full_name: Mapped[str | None] = mapped_column(EncryptedText("users", "full_name"))
    unit_name: Mapped[str | None] = mapped_column(String(100))
    mobile: Mapped[str | None] = mapped_column(EncryptedText("users", "mobile"))
    roles: Mapped[list[str]] = mapped_column(JSON)
    system: Mapped[str | None] = mapped_column(String(30))
    status: Mapped[str] = mapped_column(String(10))
    status_reason: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class UserSession(Base):
    """A sign-in (会话): an opaque token of which only the SHA-256 is stored.

    `address` is the line that it came from (`core/origin.py`): with IPv6 the /64.
    `binding_id` is the WeChat binding by which it was begun, or that was made in it; that may be gone. `filing_id`: it
    was begun by a query code (查询码) and reaches that filing alone. `proof`: whose session it is, by a keyed digest;
    those of releases up to 0.3 have none and are over.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_user_id", "user_id"),
        # Ratings are asked whether they come from where staff are signed in.
        Index("ix_sessions_address", "address", "last_seen_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    operator_name: Mapped[str | None] = mapped_column(String(30))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(200))
    binding_id: Mapped[UUID | None] = mapped_column(Uuid, index=True)
    filing_id: Mapped[UUID | None] = mapped_column(Uuid)
    proof: Mapped[str | None] = mapped_column(String(120))


class WeChatBinding(Base):
    """A WeChat account (微信号) that signs in under a user name without a password; several may under one.

    WeChat's id of the person (openid) is personal data: found by its keyed hash, kept sealed.
    """

    __tablename__ = "wechat_bindings"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    openid_hash: Mapped[str] = mapped_column(String(64), unique=True)
    openid: Mapped[str] = mapped_column(EncryptedText("wechat_bindings", "openid", row="openid_hash"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    operator_name: Mapped[str | None] = mapped_column(String(30))
    bound_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ResetProposal(Base):
    """A reset (重置) that one person proposed and another may confirm until `until`; see `accounts/resets.py`.

    `proposed_as` names who proposed it as the history does.
    """

    __tablename__ = "reset_proposals"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(500))
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    proposed_as: Mapped[dict[str, str | None]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[datetime] = mapped_column(UTCDateTime)


class SecondFactor(Base):
    """The second factor (动态口令) of a user name: its secret, sealed; see `accounts/sign_in/second_factor.py`.

    `confirmed_at` is null until the first code. `last_step`: the step of the code that was used last.
    """

    __tablename__ = "second_factors"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    secret: Mapped[str] = mapped_column(EncryptedText("second_factors", "secret", row="user_id"))
    begun_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_step: Mapped[int] = mapped_column(BigInteger)


class RecoveryCode(Base):
    """A code that stands in for a lost phone, once: its keyed hash. Used ones are deleted."""

    __tablename__ = "recovery_codes"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)


class Throttle(Base):
    """Wrong passwords and captchas counted per key (`user:…`, `address:…`) in a window that ends by itself."""

    __tablename__ = "throttles"

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    wrong: Mapped[int] = mapped_column(Integer)
    until: Mapped[datetime] = mapped_column(UTCDateTime)


class Captcha(Base):
    """A captcha (验证码) that was handed out, a picture or a question: keyed hash of its answer; see `captchas.py`."""

    __tablename__ = "captchas"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), server_default="picture")
    answer: Mapped[str] = mapped_column(String(64))
    until: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class SupportGroup(Base):
    """A support group (技术支持群) of a province; `picture` is a JPEG of its QR code, good for a week."""

    __tablename__ = "support_groups"
    __table_args__ = (UniqueConstraint("province", "name"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    province: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    name: Mapped[str] = mapped_column(String(60))
    qq_group: Mapped[str] = mapped_column(String(20))
    picture: Mapped[bytes | None] = mapped_column(LargeBinary)
    picture_set_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SignIn(Base):
    """Audit of sign-ins: who tried, from which address (the whole one), and what came of it.

    `digest` is keyed (`accounts/sign_in/audit.py`) by the key `key_id`; rows of releases up to 0.3 have none.
    """

    __tablename__ = "sign_ins"
    __table_args__ = (
        Index("ix_sign_ins_username_at", "username", "at"),
        Index("ix_sign_ins_at", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    username: Mapped[str] = mapped_column(String(64))
    operator_name: Mapped[str | None] = mapped_column(String(30))
    address: Mapped[str] = mapped_column(String(45))
    outcome: Mapped[str] = mapped_column(String(40))
    digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    key_id: Mapped[str | None] = mapped_column(String(10))


class AccountApplication(Base):
    """An application for an account (账号申请), decided by a superior office.

    The account begins with the approval: until then the user name is free for others, so that whoever applies learns
    nothing of the names that there are. `password_hash` is kept until the approval.

    `decided_as` keeps who decided it, as they were named then: `{"username", "name", "office"}`.
    """

    __tablename__ = "account_applications"
    __table_args__ = (
        Index("ix_account_applications_area1", "area1", "status"),
        Index("ix_account_applications_area2", "area2", "status"),
        Index("ix_account_applications_username", text("lower(username)")),
        Index(
            "uq_account_applications_user_id_pending",
            "user_id",
            unique=True,
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    query_code: Mapped[str] = mapped_column(String(32), unique=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    username: Mapped[str] = mapped_column(String(64), server_default="")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    applicant_name: Mapped[str] = mapped_column(
        EncryptedText("account_applications", "applicant_name"), server_default=""
    )
    unit_name: Mapped[str] = mapped_column(String(100))
    folded_unit: Mapped[str] = mapped_column(String(100), server_default="")
    region_code: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    mobile: Mapped[str] = mapped_column(EncryptedText("account_applications", "mobile"))
    reason: Mapped[str | None] = mapped_column(String(500))
    status: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(Integer, default=1)
    opinion: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_as: Mapped[dict[str, str | None] | None] = mapped_column(JSON(none_as_null=True))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
