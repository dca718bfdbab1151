"""Loading the demo: accounts, register, checks, drafts, filings, ratings and a pending application, once.

Every part makes only what is missing, so that an interrupted load continues where it stopped and nothing exists twice.
The pending application is loaded last: if it exists, whatever was decided, the demo is complete. A demo that an earlier
version completed is not changed.
"""

from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from accounts import applications, queries
from accounts.models import AccountApplication, Office, Region, User
from accounts.sign_in import passwords
from accounts.support import groups as support
from assets.files.purposes import FilePurposes
from assets.files.uploads import open_uploads
from assets.paper import qr_codes
from core import clock
from core.actor import Actor
from core.config import Settings
from core.db import Database
from core.errors import Problem
from core.forms.library import FormLibrary
from core.workflows.events import Events
from core.workflows.subjects import SubjectRegistry
from demo import accounts, amendments, filings, papers, ratings, records, register
from enterprise.filings.operations import follow_enterprise
from enterprise.models import Enterprise
from enterprise.operations import EnterpriseFacts, put_enterprises
from enterprise.systems import filing_engine, register_file_purposes
from inspection.campaigns import CampaignCalendar
from inspection.corrections import disposals
from inspection.dictionaries.entries import PRODUCT_ITEMS, TEST_ITEMS
from inspection.dictionaries.lookup import Dictionary
from inspection.dictionaries.models import DictionaryEntry
from inspection.kinds import CHECK, KINDS
from inspection.models import Inspection
from inspection.submissions import drafts, submitting
from inspection.submissions.validation import Tools

Progress = Callable[[str, int, int], None]
"""Called with the name of a part, the number done, and the number in all."""

_BATCH = 20
_DRAFT_IDS = UUID("2c9d0b52-7d0c-4c84-8f1f-0d5a1f6b7c8d")

# user name, region, checks, spot checks
_POSTS = [
    ("demo_jiangsu", "320000", 5, 4),
    ("demo_changzhou", "320400", 12, 5),
    ("demo_tianning", "320402", 18, 5),
    ("demo_zhonglou", "320404", 16, 4),
    ("demo_xuanwu", "320102", 14, 3),
    *((accounts.colleague(code), code, 8 if code.startswith("3204") else 5, 1) for code in accounts.COLLEAGUES),
]


def is_complete(database: Database) -> bool:
    """Whether the demo was loaded to its end."""
    applied = select(AccountApplication.id).where(
        queries.applied_under(accounts.APPLICANT), AccountApplication.username == accounts.APPLICANT
    )
    with database.read() as session:
        return session.scalar(applied.limit(1)) is not None


def has_other_users(database: Database) -> bool:
    """Whether there are users who are not of the demo: then the installation is in real use."""
    others = (
        select(User.id)
        .join(Office, Office.id == User.office_id)
        .outerjoin(Enterprise, Enterprise.id == Office.enterprise_id)
        .where(
            User.username.not_like("demo\\_%", escape="\\"),
            or_(Enterprise.source.is_(None), Enterprise.source != register.SOURCE),
        )
    )
    with database.read() as session:
        return session.scalar(others.limit(1)) is not None


def load(database: Database, settings: Settings, progress: Progress) -> bool:
    """Load the demo; False when it is already complete. Raises Problem when there are other users."""
    if is_complete(database):
        return False
    if has_other_users(database):
        raise Problem("bad_request", "已有正式用户，不能再装入演示数据；请另设 DATA_DIR 或 DATABASE_URL 后再试")
    enterprises = _enterprises(database)
    works = filings.works(enterprises)
    progress("演示账号", 0, 1)
    accounts.make_accounts(database, settings.data_dir, works)
    progress("演示账号", 1, 1)
    _load_register(database, enterprises, progress)
    accounts.make_enterprise_user(database, settings.data_dir, works)
    forms = FormLibrary(database)
    loader = _Records(database, forms, enterprises)
    loader.load(progress)
    loader.save_drafts()
    amendments.load(database, loader.tools, loader.actors)
    papers.load(database, forms, loader.actors["demo_tianning"], works)
    progress("许可证与申报", 0, filings.LICENCES)
    engine = filing_engine(forms, SubjectRegistry(), Events())
    purposes = FilePurposes()
    register_file_purposes(purposes)
    filings.load(database, engine, open_uploads(settings, purposes), enterprises)
    progress("许可证与申报", filings.LICENCES, filings.LICENCES)
    progress("好差评", 0, ratings.RATINGS)
    ratings.load(database)
    _set_support_groups(database)
    progress("好差评", ratings.RATINGS, ratings.RATINGS)
    _apply(database)
    return True


def _set_support_groups(database: Database) -> None:
    picture = support.as_picture(qr_codes.png("https://example.org/demo-support-group", size=600))
    with database.write() as session:
        support.set_group(session, register.PROVINCE, "江苏技术支持一群（演示）", "100000001", picture)
        support.set_group(session, register.PROVINCE, "江苏技术支持二群（演示）", "100000002")


def _enterprises(database: Database) -> list[EnterpriseFacts]:
    city = aliased(Region)
    with database.read() as session:
        rows = session.execute(
            select(Region.code, Region.name, city.name.label("city"))
            .join(city, city.code == Region.parent_code)
            .where(Region.area1 == register.PROVINCE, Region.level == "county", Region.valid_to.is_(None))
            .order_by(Region.code)
        ).all()
    return register.enterprises([register.County(row.code, row.name, row.city) for row in rows])


def _load_register(database: Database, facts: list[EnterpriseFacts], progress: Progress) -> None:
    for start in range(0, len(facts), 500):
        batch = facts[start : start + 500]
        with database.write() as session:
            put_enterprises(session, batch, source=register.SOURCE, on_move=follow_enterprise)
        progress("企业名录", start + len(batch), len(facts))


class _Records:
    def __init__(self, database: Database, forms: FormLibrary, enterprises: list[EnterpriseFacts]) -> None:
        self.database = database
        self.tools = Tools(forms, Dictionary(), CampaignCalendar())
        self.today = clock.today()
        self.enterprises = enterprises
        self.items: dict[tuple[str, str], list[records.DictionaryItem]] = {}
        self.actors: dict[str, Actor] = {}
        self.pools: dict[tuple[str, str], Iterator[EnterpriseFacts]] = {}
        with database.read() as session:
            entries = session.scalars(
                select(DictionaryEntry)
                .where(DictionaryEntry.area1 == "", DictionaryEntry.alias_of.is_(None))
                .order_by(DictionaryEntry.id)
            )
            for entry in entries:
                item = records.DictionaryItem(str(entry.id), entry.regulation_type)
                self.items.setdefault((entry.dictionary, entry.product_code), []).append(item)
            for username, *_ in _POSTS:
                self.actors[username] = accounts.actor_of(session, username, "操作员某某")

    def load(self, progress: Progress) -> None:
        """Submit the missing records."""
        plans = [(plan, self._enterprise(plan)) for plan in records.plans(_POSTS)]
        with self.database.read() as session:
            present = set(session.scalars(select(Inspection.id).where(Inspection.id.in_([p.id for p, _ in plans]))))
        for start in range(0, len(plans), _BATCH):
            batch = plans[start : start + _BATCH]
            with self.database.write() as session:
                for plan, enterprise in batch:
                    if plan.id not in present:
                        self._submit(session, plan, enterprise)
            progress("检查与抽查记录", start + len(batch), len(plans))

    def _enterprise(self, plan: records.Plan) -> EnterpriseFacts:
        """The next enterprise in the office's region; most have the preset product (电线电缆)."""
        only_cables = plan.kind == "spot_check"
        key = (plan.username, "06" if only_cables else "")
        if key not in self.pools:
            prefix = plan.region_code.removesuffix("00").removesuffix("00")
            pool = [
                facts
                for facts in self.enterprises
                if facts["region_code"].startswith(prefix) and (not only_cables or facts["product_codes"][0] == "06")
            ]
            # The 24 enterprises of a county are consecutive: a step of 7, coprime to 24, visits all of them in mixed
            # order, so that all products occur.
            pool = [pool[(number * 7) % len(pool)] for number in range(len(pool))]
            self.pools[key] = cycle(pool)
        return next(self.pools[key])

    def _submit(self, session: Session, plan: records.Plan, enterprise: EnterpriseFacts) -> None:
        form = self.tools.forms.get(KINDS[plan.kind].form_code).form
        product = enterprise["product_codes"][0]
        if plan.kind == "spot_check":
            items = self.items[TEST_ITEMS, "06"]
            body = records.spot_check_body(plan, form, enterprise, items, self.today)
        else:
            items = self.items[PRODUCT_ITEMS, product]
            body = records.check_body(plan, form, enterprise, product, items, self.today)
        actor = self.actors[plan.username]
        record, _ = submitting.submit(session, self.tools, actor, plan.record_type, plan.id, body)
        if plan.outcome == "problem_in_progress" and plan.seed % 2:
            done = next(name for name, value in body["disposals"].items() if value == "in_progress")
            move = {"disposals": {done: "done"}, "version": record.version}
            disposals.move_disposals(session, actor, plan.record_type, plan.id, move)

    def save_drafts(self) -> None:
        """Save two drafts of the inspector in 天宁区: one just begun, one almost complete."""
        actor = self.actors["demo_tianning"]
        product = "06"
        known = (
            one for one in reversed(self.enterprises)
            if one["region_code"] == "320402" and product in one["product_codes"]
        )  # fmt: skip
        first, second = islice(known, 2)
        header: dict[str, Any] = {"kind": "production", "product_code": product, "check_date": self.today.isoformat()}
        bodies = (
            {**header, "uscc": first["uscc"], "org_name": first["name"], "org_address": first["address"]},
            {**header, "uscc": second["uscc"], "org_name": second["name"], "org_address": second["address"],
             "inspectors": ["检查员甲", "检查员乙"], "unable": False, "answers": {"1.1": "yes", "1.2": "no"}},
        )  # fmt: skip
        for number, body in enumerate(bodies):
            record_id = uuid5(_DRAFT_IDS, str(number))
            with self.database.write() as session:
                if session.get(Inspection, record_id) is None:
                    drafts.save_draft(session, self.tools, actor, CHECK, record_id, body)


def _apply(database: Database) -> None:
    """Make an application that the city's user can decide.

    Its password is not kept: after approval, a reset gives the applicant a new one.
    """
    applications.apply_for_account(
        database,
        applications.NewApplication(
            applicant_name="申请人某某", unit_name="常州市钟楼区某某市场监管所", region_code="320404",
            mobile="13800000000", username=accounts.APPLICANT, password=passwords.one_time_password(),
            reason="承担电线电缆生产企业检查工作（演示）",
        ),
    )  # fmt: skip
