"""The paper of a filing (办件打印): what a kind that declares a template prints, and what holds of a print later.

Complete and not yet sent it says 待签章 and has a code, so that it can be signed, sealed and sent back with the filing.
What the code stands for is the content: the print stays true when the filing is sent as it was printed.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Region
from assets.paper.form_sheet import fields_of, sheet
from assets.paper.papers import Paper, data_of
from core import clock
from core.actor import Actor
from core.clock import LOCAL
from core.errors import Problem, Warned, not_found
from core.forms.sealing import readable
from core.prints import operations as prints
from core.prints.operations import Look, Shown
from enterprise.catalogues.words import CatalogueWords
from enterprise.filings.content import data_place, version_place
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.models import DELETED, Filing, FilingVersion
from enterprise.filings.moves import find
from enterprise.filings.sides.access import demanded_standing

TO_SIGN = "待签章"
_DRAFT = "草稿"
_STALE: Warned = {"code": "print_stale", "message": "内容已修改，之前打印的纸质件已失效，请重新打印后再签字盖章"}


def prepared(session: Session, engine: Filings, actor: Actor, filing_id: UUID, public_url: str | None) -> Paper:
    """What is printed of a filing now: what its enterprise prepares, or what was sent last.

    `public_url`: where its code leads; None for what has none (Word).

    Raises 404 for who may not read it and where its kind declares no paper, 409 for an office before it was sent.
    """
    filing = find(session, filing_id)
    if filing is None:
        raise not_found()
    stands = demanded_standing(session, engine, actor, filing)
    kind = engine.kind_of(filing)
    if kind.paper is None:
        raise not_found()
    prepares = stands.own and filing.status in kind.editable
    if not prepares and not filing.sent:
        raise Problem("wrong_status", "企业尚未提交，提交后才能打印", current_status=filing.status)
    said = _said(session, engine, filing, filing if prepares else _last_version(session, filing))
    digest, url, across, mark = prints.digest(said), "", "", ""
    if prepares and digest not in _sent_digests(session, engine, filing):
        across, mark = ("", TO_SIGN) if _is_complete(session, engine, filing) else (_DRAFT, "")
    if not across and public_url is not None:
        url = f"{public_url}{prints.PAGE}{prints.issue(session, 'filing', filing.id, digest)}"
    if not stands.own and filing.status in kind.final:
        # As the office reads them then (`answers.prepare_answer`).
        row = _last_version(session, filing)
        said = said | _shown(engine, row, clear=False)
    return Paper(said["number"], kind.paper, data_of(said, digest, url, across=across, mark=mark))


def look(engine: Filings) -> Look:
    """For the page of a print: what was sent last holds, and what its enterprise prepares now."""

    def shown(session: Session, filing_id: UUID) -> Shown | None:
        filing = find(session, filing_id)
        if filing is None or filing.status == DELETED or engine.kind_of(filing).paper is None:
            return None
        said = _said(session, engine, filing, filing)
        digests = {}
        if filing.status in engine.kind_of(filing).editable:
            digests[prints.digest(said)] = "待签章，尚未提交"
        digests |= _sent_digests(session, engine, filing)
        return Shown(said["title"], said["number"], _day(filing), filing.org_name, digests)

    return shown


def stale_prints(session: Session, engine: Filings, filing: Filing) -> list[Warned]:
    """The warning of a save after which what was printed does not hold any more."""
    if engine.kind_of(filing).paper is None or not prints.is_printed(session, filing.id):
        return []
    now = prints.digest(_said(session, engine, filing, filing))
    return [] if prints.is_printed(session, filing.id, now) else [_STALE]


def number_of(filing: Filing) -> str:
    """The number on the paper: the day on which it was opened, and the beginning of its id."""
    return f"BJ{filing.created_at.astimezone(LOCAL):%Y%m%d}-{filing.id.hex[:8].upper()}"


def _said(session: Session, engine: Filings, filing: Filing, row: Filing | FilingVersion) -> dict[str, Any]:
    """What the paper says, whenever it is printed; `row` is the working copy or a version."""
    kind = engine.kind_of(filing)
    district = filing.title_region or _district(session, filing)
    title = f"{district}{kind.title}" if kind.titled_by_region else kind.title
    return {
        "form": row.form_code, "title": title, "office": "", "district": district,
        "year": filing.created_at.astimezone(LOCAL).year, "number": number_of(filing),
        "org_name": filing.org_name, "uscc": filing.uscc, **_shown(engine, row, clear=True),
    }  # fmt: skip


def _shown(engine: Filings, row: Filing | FilingVersion, *, clear: bool) -> dict[str, Any]:
    """The answers as the paper says them; `clear`: with whole numbers."""
    form = engine.forms.get(row.form_code, row.form_version).form
    place = data_place(row.id) if isinstance(row, Filing) else version_place(row.id)
    data = readable(form, row.data, place, clear=clear)
    return {"fields": fields_of(form, data), **sheet(form, data)}


def _is_complete(session: Session, engine: Filings, filing: Filing) -> bool:
    """Whether the form would be accepted as it stands; documents may still be missing, as the signed pages are."""
    form = engine.forms.get(filing.form_code, filing.form_version).form
    clear = readable(form, filing.data, data_place(filing.id), clear=True)
    return (
        filing.saved and not form.check(clear, submit=True, today=clock.today(), words=CatalogueWords(session)).faults
    )


def _sent_digests(session: Session, engine: Filings, filing: Filing) -> Mapping[str, str]:
    if not filing.sent:
        return {}
    return {prints.digest(_said(session, engine, filing, _last_version(session, filing))): ""}


def _last_version(session: Session, filing: Filing) -> FilingVersion:
    last = (FilingVersion.filing_id == filing.id) & (FilingVersion.number == filing.sent)
    return session.scalars(select(FilingVersion).where(last)).one()


def _day(filing: Filing) -> Any:
    return (filing.sent_at or filing.updated_at).astimezone(LOCAL).date()


def _district(session: Session, filing: Filing) -> str:
    code = filing.area3 or filing.area2 or filing.area1
    return session.scalar(select(Region.name).where(Region.code == code)) or ""
