"""Roles and verbs: one enum, one table. A user holds roles at an office; a role is a set of verbs."""

import enum
import functools
from collections.abc import Callable, Sequence

from core.workflows.todos import CONFIGURE


class Verb(enum.StrEnum):
    """What can be done at an office."""

    ACCOUNTS_DECIDE = "accounts.decide"
    ACCOUNTS_MANAGE = "accounts.manage"
    ACCESS_LOG_READ = "access_log.read"
    INSPECTION_WRITE = "inspection.write"
    INSPECTION_READ = "inspection.read"
    INSPECTION_APPROVE = "inspection.approve"
    DICTIONARIES_KEEP = "dictionaries.keep"
    STATISTICS_READ = "statistics.read"
    ENTERPRISES_READ = "enterprises.read"
    RATINGS_READ = "ratings.read"
    RATINGS_GENERATE = "ratings.generate"
    RATINGS_HANDLE = "ratings.handle"
    RATINGS_SUPERVISE = "ratings.supervise"
    ENTERPRISES_MANAGE = "enterprises.manage"
    FILINGS_REVIEW = "filings.review"
    FILINGS_WRITE = "filings.write"
    POWER_FORMAL_CHECK = "power.formal_check"
    POWER_ACCEPT = "power.accept"
    POWER_EXAMINE = "power.examine"
    POWER_COMMITTEE = "power.committee"
    POWER_APPROVE = "power.approve"
    POWER_ISSUE = "power.issue"
    TRANSPORT_SUPERVISE = "transport.supervise"
    TRANSPORT_EVALUATE = "transport.evaluate"
    TRANSPORT_REVIEW = "transport.review"
    CCC_ACCEPT = "ccc.accept"
    CCC_FIRST_REVIEW = "ccc.first_review"
    CCC_FINAL_REVIEW = "ccc.final_review"
    CCC_COMPARE = "ccc.compare"
    CCC_AMEND = "ccc.amend"
    CCC_WRITE_OFF = "ccc.write_off"
    CCC_SUPERVISE = "ccc.supervise"
    CCC_TERMINATE = "ccc.terminate"
    SYSTEM_CONFIGURE = CONFIGURE


FILING_VERBS = (
    Verb.FILINGS_WRITE, Verb.FILINGS_REVIEW, Verb.POWER_FORMAL_CHECK, Verb.POWER_ACCEPT, Verb.POWER_EXAMINE,
    Verb.POWER_COMMITTEE, Verb.POWER_APPROVE, Verb.POWER_ISSUE, Verb.TRANSPORT_SUPERVISE, Verb.TRANSPORT_EVALUATE,
    Verb.TRANSPORT_REVIEW, Verb.CCC_ACCEPT, Verb.CCC_FIRST_REVIEW, Verb.CCC_FINAL_REVIEW, Verb.CCC_COMPARE,
    Verb.CCC_AMEND, Verb.CCC_WRITE_OFF, Verb.CCC_SUPERVISE, Verb.CCC_TERMINATE,
)  # fmt: skip
"""The verbs of the posts and parties of all kinds of filings (办件): each opens its calls, the kind says for what."""


class Role(enum.StrEnum):
    """Roles of the HTTP contract, §2."""

    INSPECTOR = "inspector"
    INSPECTION_APPROVER = "inspection_approver"
    ACCOUNT_APPROVER = "account_approver"
    DICTIONARY_KEEPER = "dictionary_keeper"
    RATING_OFFICER = "rating_officer"
    RATING_HANDLER = "rating_handler"
    RATING_SUPERVISOR = "rating_supervisor"
    LICENCE_REVIEWER = "licence_reviewer"
    ENTERPRISE = "enterprise"
    SYS_ADMIN = "sys_admin"
    POWER_FORMAL_CHECK = "power_formal_check"
    POWER_ACCEPTANCE = "power_acceptance"
    POWER_EXAMINER = "power_examiner"
    POWER_COMMITTEE = "power_committee"
    POWER_APPROVER = "power_approver"
    POWER_CERTIFICATES = "power_certificates"
    TRANSPORT_AUTHORITY = "transport_authority"
    TRANSPORT_AGENCY = "transport_agency"
    TRANSPORT_REVIEWER = "transport_reviewer"
    CCC_ACCEPTANCE = "ccc_acceptance"
    CCC_FIRST_REVIEW = "ccc_first_review"
    CCC_FINAL_REVIEW = "ccc_final_review"
    CCC_COMPARISON = "ccc_comparison"
    CCC_AMENDMENT = "ccc_amendment"
    CCC_WRITE_OFF = "ccc_write_off"
    CCC_SUPERVISION = "ccc_supervision"
    CCC_TERMINATION = "ccc_termination"


VERBS: dict[Role, frozenset[Verb]] = {
    Role.INSPECTOR: frozenset(
        {Verb.INSPECTION_WRITE, Verb.INSPECTION_READ, Verb.STATISTICS_READ, Verb.ENTERPRISES_READ}
    ),
    Role.INSPECTION_APPROVER: frozenset({Verb.INSPECTION_APPROVE, Verb.INSPECTION_READ}),
    Role.ACCOUNT_APPROVER: frozenset({Verb.ACCOUNTS_DECIDE, Verb.ACCOUNTS_MANAGE, Verb.ACCESS_LOG_READ}),
    Role.DICTIONARY_KEEPER: frozenset({Verb.DICTIONARIES_KEEP, Verb.INSPECTION_READ}),
    Role.RATING_OFFICER: frozenset({Verb.RATINGS_READ, Verb.RATINGS_GENERATE}),
    Role.RATING_HANDLER: frozenset({Verb.RATINGS_READ, Verb.RATINGS_HANDLE}),
    Role.RATING_SUPERVISOR: frozenset({Verb.RATINGS_READ, Verb.RATINGS_GENERATE, Verb.RATINGS_SUPERVISE}),
    Role.LICENCE_REVIEWER: frozenset({Verb.FILINGS_REVIEW, Verb.ENTERPRISES_READ, Verb.ENTERPRISES_MANAGE}),
    Role.ENTERPRISE: frozenset({Verb.FILINGS_WRITE}),
    Role.SYS_ADMIN: frozenset({Verb.SYSTEM_CONFIGURE}),
    Role.POWER_FORMAL_CHECK: frozenset({Verb.POWER_FORMAL_CHECK}),
    Role.POWER_ACCEPTANCE: frozenset({Verb.POWER_ACCEPT}),
    Role.POWER_EXAMINER: frozenset({Verb.POWER_EXAMINE}),
    Role.POWER_COMMITTEE: frozenset({Verb.POWER_COMMITTEE}),
    Role.POWER_APPROVER: frozenset({Verb.POWER_APPROVE}),
    Role.POWER_CERTIFICATES: frozenset({Verb.POWER_ISSUE}),
    Role.TRANSPORT_AUTHORITY: frozenset({Verb.TRANSPORT_SUPERVISE}),
    Role.TRANSPORT_AGENCY: frozenset({Verb.TRANSPORT_EVALUATE}),
    Role.TRANSPORT_REVIEWER: frozenset({Verb.TRANSPORT_REVIEW}),
    Role.CCC_ACCEPTANCE: frozenset({Verb.CCC_ACCEPT}),
    Role.CCC_FIRST_REVIEW: frozenset({Verb.CCC_FIRST_REVIEW}),
    Role.CCC_FINAL_REVIEW: frozenset({Verb.CCC_FINAL_REVIEW}),
    Role.CCC_COMPARISON: frozenset({Verb.CCC_COMPARE}),
    Role.CCC_AMENDMENT: frozenset({Verb.CCC_AMEND}),
    Role.CCC_WRITE_OFF: frozenset({Verb.CCC_WRITE_OFF}),
    Role.CCC_SUPERVISION: frozenset({Verb.CCC_SUPERVISE}),
    Role.CCC_TERMINATION: frozenset({Verb.CCC_TERMINATE}),
}
"""`sys_admin` configures (dictionaries, calendars) on the command line, gets the to-dos for it, and is no
business approver."""


AT_PROVINCES: dict[Role, frozenset[Verb]] = {Role.ACCOUNT_APPROVER: frozenset({Verb.DICTIONARIES_KEEP})}
"""What a role brings besides at the office of a province: its administrator keeps the words that it shares."""


def verbs_at(level: str, roles: list[str] | tuple[str, ...]) -> frozenset[str]:
    """All verbs that the roles bring at an office of that level."""
    if level not in ("province", "national"):
        return verbs_of(roles)
    besides = (verbs for role, verbs in AT_PROVINCES.items() if role in roles)
    return verbs_of(roles).union(*besides)


def verbs_of(roles: list[str] | tuple[str, ...]) -> frozenset[str]:
    """All verbs that the roles bring; an unknown role brings none."""
    return _verbs_of(tuple(roles))


@functools.lru_cache(maxsize=1024)
def _verbs_of(roles: tuple[str, ...]) -> frozenset[str]:
    known = {role.value: verbs for role, verbs in VERBS.items()}
    return frozenset(verb.value for role in roles for verb in known.get(role, frozenset()))


DEFAULT_ROLES: dict[str, tuple[Role, ...]] = {
    "province": (Role.INSPECTOR, Role.ACCOUNT_APPROVER),
    "city": (Role.INSPECTOR, Role.ACCOUNT_APPROVER),
    "county": (Role.INSPECTOR,),
}
"""Roles of a new user by the level of the office (HTTP contract, §2)."""


def roles_after_move(
    roles: Sequence[str], former: str, level: str, may_grant: Callable[[str], bool] = lambda _role: True
) -> tuple[list[str], list[str]]:
    """The roles that a user keeps who comes from one level to another, and those that go; one rule for every move.

    What the former level brought by itself and the new one does not (an approver's at a city) goes; what was given by
    hand stays where whoever moves the user may grant it. Who would keep nothing but for that has what the level brings.
    """
    usual, before = ([role.value for role in DEFAULT_ROLES.get(one, ())] for one in (level, former))
    kept = [role for role in roles if role in usual or (role not in before and may_grant(role))]
    dropped = [role for role in roles if role not in kept]
    if roles and not kept and all(role in before for role in dropped):
        kept = usual
    return kept, dropped
