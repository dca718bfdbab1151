"""Demo accounts: who they are, their passwords, and the file that holds them."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import offices, operations
from accounts.models import Office, Region, User
from accounts.sign_in import passwords
from accounts.verbs import DEFAULT_ROLES, Role, verbs_at
from core.actor import Actor, Scope
from core.db import Database
from enterprise.handover import office_of
from enterprise.models import Enterprise
from enterprise.operations import EnterpriseFacts

PREFIX = "demo_"
FILE = "demo-accounts.json"
_PAYLOAD = {"actor": "演示数据"}


@dataclass(frozen=True, slots=True)
class Account:
    """An account in the accounts file (HTTP contract, §6); that of an enterprise has a credit code and no level."""

    username: str
    password: str
    roles: list[str]
    level: str | None
    region_code: str
    note: str
    uscc: str | None = None


REVIEWER = "demo_licence_reviewer"
APPROVER = "demo_tianning_head"
RATING_POSTS = ("demo_rating_officer", "demo_rating_handler", "demo_rating_supervisor")

# user name: region, note
_SIGN_IN = {
    "demo_jiangsu": ("320000", "江苏省局：审核市级账号，查看全省记录与统计"),
    "demo_changzhou": ("320400", "常州市局：审核所辖县级账号（有一个待审核），审核更正申请，查看全市记录与统计"),
    "demo_tianning": ("320402", "常州天宁区局：填报检查、抽查（有两份暂存、一份退回更正、一份更正申请、一份作废）"),
    "demo_zhonglou": ("320404", "常州钟楼区局：填报检查、抽查"),
    "demo_xuanwu": ("320102", "南京玄武区局：外市，看不到常州的记录"),
    REVIEWER: ("320402", "常州天宁区局：审核数据申报，下达整改，发布自查主题"),
    APPROVER: ("320402", "常州天宁区局负责人：审批执法文书（有一份行政检查审批表待审批）"),
    RATING_POSTS[0]: ("320402", "常州天宁区局：生成好差评二维码、海报，查看评价与统计"),
    RATING_POSTS[1]: ("320402", "常州天宁区局：差评承办人，回访、核实、整改、反馈（有待整改的差评）"),
    RATING_POSTS[2]: ("320402", "常州天宁区局：好差评管理员，指派、审核办结、复核申诉、公开"),
}
_ENTERPRISE_NOTE = "企业（登录须输入验证码）：两张生产许可证、待审核的数据申报、待整改事项"

# Other accounts have the default roles of their level.
_ROLES = {
    REVIEWER: (Role.LICENCE_REVIEWER,),
    APPROVER: (Role.INSPECTION_APPROVER,),
    RATING_POSTS[0]: (Role.RATING_OFFICER,),
    RATING_POSTS[1]: (Role.RATING_HANDLER,),
    RATING_POSTS[2]: (Role.RATING_SUPERVISOR,),
}

# Counties of further users, whose records fill the statistics of the province; nobody knows their passwords.
COLLEAGUES = (
    "320411", "320412", "320413", "320481",
    "320205", "320302", "320505", "320612", "320703", "320803", "320902", "321002", "321102", "321202", "321302",
)  # fmt: skip

APPLICANT = "demo_applicant"
"""User name that the pending application asks for; it is loaded last: if it exists, the demo is complete."""


def colleague(region_code: str) -> str:
    """User name of the colleague in a county."""
    return f"{PREFIX}{region_code}"


def accounts_file(data_dir: Path) -> Path:
    """Path of the file with the accounts and their passwords."""
    return data_dir / FILE


def read_accounts(data_dir: Path) -> list[Account]:
    """The accounts in the file; empty when there is none."""
    try:
        lines = json.loads(accounts_file(data_dir).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [Account(**line) for line in lines]


def make_accounts(database: Database, data_dir: Path, works: EnterpriseFacts) -> None:
    """Write the accounts file, and create the missing demo users of offices.

    The file also has the user of the enterprise, whom `make_enterprise_user` creates after the register is loaded. It
    is written before the users are stored, because an interruption in the other order would leave users whose
    passwords nobody knows.
    """
    known = {account.username: account for account in read_accounts(data_dir)}
    with database.read() as session:
        present = set(session.scalars(select(User.username).where(User.username.startswith(PREFIX, autoescape=True))))
        levels = {code: _region(session, code).level for code, _ in _SIGN_IN.values()}
    accounts = [
        known.get(username)
        or Account(
            username, _password(username), [role.value for role in _roles(username, levels[code])],
            str(levels[code]), code, note,
        )
        for username, (code, note) in _SIGN_IN.items()
    ]  # fmt: skip
    uscc = works["uscc"]
    roles = [Role.ENTERPRISE.value]
    owner = known.get(uscc) or Account(uscc, _password(uscc), roles, None, works["region_code"], _ENTERPRISE_NOTE, uscc)
    _write(data_dir, [*accounts, owner])
    # Hashing is slow, so it is done before the transaction. The colleagues share a password that is not kept.
    hashes = {a.username: passwords.hash_password(a.password) for a in accounts if a.username not in present}
    unknown_password = passwords.hash_password(passwords.one_time_password())
    wanted = {username: code for username, (code, _) in _SIGN_IN.items()}
    wanted |= {colleague(code): code for code in COLLEAGUES}
    with database.write() as session:
        for username, code in wanted.items():
            if username in present:
                continue
            region = _region(session, code)
            operations.create_user(
                session, offices.bureau_of(session, region), username, hashes.get(username, unknown_password),
                list(_roles(username, region.level)), must_change_password=False, payload=_PAYLOAD,
            )  # fmt: skip


def make_enterprise_user(database: Database, data_dir: Path, works: EnterpriseFacts) -> None:
    """Create the user of the enterprise with the password in the file. The register must be loaded."""
    uscc = works["uscc"]
    password = next(account.password for account in read_accounts(data_dir) if account.username == uscc)
    password_hash = passwords.hash_password(password)
    with database.write() as session:
        if session.scalar(select(User.id).where(User.username == uscc)) is None:
            enterprise = session.scalars(select(Enterprise).where(Enterprise.uscc == uscc)).one()
            operations.create_user(
                session, office_of(session, enterprise), uscc, password_hash, [Role.ENTERPRISE],
                must_change_password=False, payload=_PAYLOAD,
            )  # fmt: skip


def _roles(username: str, level: str) -> tuple[Role, ...]:
    return _ROLES.get(username, DEFAULT_ROLES[level])


def _region(session: Session, code: str) -> Region:
    return session.get_one(Region, code)


def _password(username: str) -> str:
    while True:
        password = passwords.one_time_password()
        if passwords.password_fault(password, username) is None:
            return password


def _write(data_dir: Path, accounts: list[Account]) -> None:
    """Write the file completely or not at all; from its creation on only the owner can read it."""
    path = accounts_file(data_dir)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        lines = [asdict(account) for account in accounts]
        for line in lines:
            if line["uscc"] is None:
                del line["uscc"]
        json.dump(lines, file, ensure_ascii=False, indent=2)
        file.write("\n")
    temporary.replace(path)


def actor_of(session: Session, username: str, operator_name: str) -> Actor:
    """An actor for the user, without a sign-in."""
    found = session.execute(
        select(User, Office, Region)
        .join(Office, Office.id == User.office_id)
        .join(Region, Region.code == Office.region_code)
        .where(User.username == username)
    ).one()
    user, office, region = found.User, found.Office, found.Region
    areas = tuple((int(depth), str(code)) for depth, code in office.areas)
    return Actor(
        user_id=user.id, username=user.username, operator_name=operator_name, session_id=uuid4(),
        office_id=office.id, office_name=office.name, office_kind=office.kind, level=office.level,
        region_code=region.code, region_name=region.name, chain=(region.area1, region.area2, region.area3),
        scope=Scope(False, areas), roles=tuple(user.roles), verbs=verbs_at(office.level, user.roles),
        must_change_password=False, enterprise_id=office.enterprise_id,
    )  # fmt: skip
