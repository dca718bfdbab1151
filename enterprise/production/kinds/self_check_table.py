"""Self-check tables (安全隐患自查表): annexes 2 and 3 of seed 001; spec/a §4."""

from dataclasses import replace
from pathlib import Path

from assets.files.file_types import FROM_PHONES
from assets.files.purposes import Category, FilePurpose
from core.errors import Problem
from enterprise.filings.declaring.declarations import (
    APPLICANT,
    DECLARATION_ATTACHMENT,
    SYSTEM,
    Document,
    Move,
    Status,
    Step,
)
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.production.kinds.posts import OFFICE
from enterprise.production.kinds.rectification import MOST_PAGES, REPORT

# "注:如有存在问题,则需另附隐患台帐及整改报告" (annexes 2 and 3).
_REPORT = replace(REPORT, required="problems")
_LEDGER = Document(
    Category("hazard_ledger", "隐患台帐", frozenset({DECLARATION_ATTACHMENT}), max_count=MOST_PAGES), "problems"
)

# Printed, signed and sealed (自查单位盖章), then photographed or scanned page by page.
SIGNED_UPLOAD = FilePurpose("signed_pages", "签字盖章页", (".pdf", ".jpg", ".jpeg", ".png", *FROM_PHONES))
_SIGNED = Document(
    Category("signed_pages", "签字盖章页", frozenset({SIGNED_UPLOAD}), max_count=MOST_PAGES), required="never"
)
_PAPERS = Path(__file__).resolve().parent.parent / "papers"


def _by_problems(move: Move) -> str:
    """A problem declared opens the rectification by itself; without one the table is done."""
    return "find_problems" if move.found is not None and move.found.problems_found else "find_none"


def _only_its_own(move: Move) -> None:
    """A table begun by mistake may go; one that a campaign set, or that came back with its problems, stays."""
    filing = move.filing
    if filing.sent:
        raise Problem("wrong_status", "该自查表已提交过，不可删除，请修改后重新提交", current_status=filing.status)
    if filing.opened_by is None:
        raise Problem("wrong_status", "该自查表由局方布置，不可删除，请填写后提交", current_status=filing.status)


def _table(code: str, title: str, form_code: str, documents: list[Document]) -> FilingKind:
    return FilingKind(
        code=code,
        system="production",
        title=title,
        form_code=form_code,
        statuses=[
            Status("draft", "填写中", APPLICANT, edits=APPLICANT, todo="自查表待填写"),
            Status("submitted", "已提交"),
            Status("rectifying", "整改中", OFFICE, todo="自查发现问题待核查"),
            Status("done", "未发现问题", end=True),
            Status("closed", "已闭环", end=True),
            Status("deleted", "已删除", end=True),
        ],
        titled_by_region=True,
        listed=("check_date",),
        documents=[*documents, _SIGNED],
        paper=_PAPERS / f"{form_code}.typ",
        steps=[
            Step("open", "填写", None, "draft", APPLICANT),
            Step("submit", "提交", "draft", "submitted", APPLICANT, sends=True, then=_by_problems),
            Step("delete", "删除", "draft", "deleted", APPLICANT, guard=_only_its_own),
            Step("find_problems", "发现问题", "submitted", "rectifying", SYSTEM),
            Step("find_none", "未发现问题", "submitted", "done", SYSTEM),
            Step("close", "闭环", "rectifying", "closed", OFFICE),
            Step("return", "退回", "rectifying", "draft", OFFICE, comment=True, asks_back=True),
        ],
    )


SALES = _table(
    "self_check_sales",
    "工业产品质量安全隐患自查表（销售经营者填报）",
    "self-check-sales",
    [_REPORT],
)
PRODUCTION = _table(
    "self_check_production",
    "工业产品质量安全隐患自查表（生产企业填报）",
    "self-check-production",
    [_LEDGER, _REPORT],
)
