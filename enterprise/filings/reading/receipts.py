"""Receipts of sending (提交回执): what an enterprise holds in its hand for each version that it sent."""

import hashlib
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from assets.files.models import File
from core import clock
from core.actor import Actor
from core.clock import LOCAL
from core.errors import not_found
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.integrity import recorded_digests
from enterprise.filings.models import FilingVersion
from enterprise.filings.sides.access import get_readable

APP_PAGE = "/app/#/pages/enterprise/receipt"
"""The page of the phone's app that shows a receipt to whoever may read its filing."""


def receipt(
    session: Session, engine: Filings, actor: Actor, filing_id: UUID, number: int | None, public_url: str
) -> dict[str, Any]:
    """The receipt of a version, the last one by default; 404 for who may not read the filing, and before it is sent.

    It is made from the version, which never changes, so that it is the same whenever it is asked for.
    """
    filing = get_readable(session, engine, actor, filing_id)
    chosen = FilingVersion.number == (filing.sent if number is None else number)
    version = session.scalar(select(FilingVersion).where(FilingVersion.filing_id == filing_id, chosen))
    if version is None:
        raise not_found()
    kind = engine.kind_of(filing)
    return {
        "number": receipt_number(version),
        "filing_id": str(filing.id),
        "sending": version.number,
        "title": filing.title,
        "kind_title": kind.title,
        "org_name": filing.org_name,
        "uscc": filing.uscc,
        "sent_at": clock.rfc3339(version.sent_at),
        "tried_at": clock.rfc3339(version.tried_at) if version.tried_at else None,
        "phone_tried_at": clock.rfc3339(version.phone_tried_at) if version.phone_tried_at else None,
        "operator_name": version.operator_name,
        "content": recorded_digests(session, {filing_id}).get((filing_id, version.number)),
        "documents": _documents(session, kind.allowed_documents(), version),
        "url": f"{public_url}{APP_PAGE}?id={filing.id}&sending={version.number}",
    }


def receipt_number(version: FilingVersion) -> str:
    """`20261129-7F3A-91C2-04BD`: the day, and twelve digits that only this sending has."""
    digits = hashlib.sha256(version.id.bytes).hexdigest()[:12].upper()
    return f"{version.sent_at.astimezone(LOCAL):%Y%m%d}-{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def _documents(session: Session, categories: dict[str, Any], version: FilingVersion) -> list[dict[str, Any]]:
    """The documents with the digests of what was received, in the order in which they were sent."""
    ids = [UUID(one["file_id"]) for one in version.documents]
    files = {file.id: file for file in session.scalars(select(File).where(File.id.in_(ids)))}
    return [
        {
            "category": one["category"],
            "category_title": categories[one["category"]].label if one["category"] in categories else one["category"],
            "file_id": one["file_id"],
            "name": files[file_id].original_name,
            "size": files[file_id].size,
            "sha256": files[file_id].sent_sha256,
        }
        for one, file_id in zip(version.documents, ids, strict=True)
        if file_id in files
    ]
