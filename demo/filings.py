"""Licences, filings and a self-check topic of the demo."""

import io
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5
from xml.sax.saxutils import escape

from sqlalchemy import select

from assets.files.uploading import Upload, upload
from assets.files.uploads import Uploads
from core import clock
from core.actor import Actor
from core.db import Database
from demo import accounts
from enterprise.filings import operations
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.models import Filing
from enterprise.filings.steps import actions
from enterprise.operations import EnterpriseFacts
from enterprise.production.models import Licence, SelfCheckTopic
from enterprise.production.operations import LicenceFacts, put_licence, put_topic

LICENCES = 20
_IDS = UUID("8d0f3c64-0a5b-4f0e-9a2e-57b1c2d3e4f5")
_COUNTIES = ("320402", "320404")
_DETAILS = ("塑料绝缘控制电缆", "挤包绝缘低压电力电缆", "架空绝缘电缆", "塑料绝缘电线")
_TEMPLATE = (
    "生产企业自查报告（演示模板）", "企业名称（盖章）：", "统一社会信用代码：", "生产许可证编号：", "自查日期：",
    "一、生产条件保持情况", "二、原材料进货查验情况", "三、出厂检验情况", "四、存在的问题及整改情况",
)  # fmt: skip


def works(enterprises: Sequence[EnterpriseFacts]) -> EnterpriseFacts:
    """The enterprise that has a demo account: the first of 天宁区; it makes cables."""
    return _cable_works(enterprises, _COUNTIES[0])[0]


def load(database: Database, engine: Filings, uploads: Uploads, enterprises: Sequence[EnterpriseFacts]) -> None:
    """Make what is missing. Raises Problem when the template of the topic cannot be stored."""
    _put_licences(database, engine, enterprises)
    with database.read() as session:
        reviewer = accounts.actor_of(session, accounts.REVIEWER, "审核员某某")
        owner = accounts.actor_of(session, works(enterprises)["uscc"], "经办人某某")
    _declare(database, engine, owner)
    _order_rectification(database, engine, reviewer, owner.username)
    _put_topic(database, uploads, reviewer)


def _cable_works(enterprises: Sequence[EnterpriseFacts], region_code: str) -> list[EnterpriseFacts]:
    return [one for one in enterprises if one["region_code"] == region_code and one["product_codes"][0] == "06"]


def _licences(enterprises: Sequence[EnterpriseFacts]) -> Iterator[LicenceFacts]:
    """Two licences for the enterprise with an account, one for each other enterprise, `LICENCES` in all."""
    owners = [works(enterprises), *(one for county in _COUNTIES for one in _cable_works(enterprises, county))]
    for number, owner in enumerate(owners[:LICENCES]):
        issued_on = clock.today() - timedelta(days=40 + 60 * number)
        yield LicenceFacts(
            licence_no=f"(苏)XK06-001-9{number:04d}", uscc=owner["uscc"], product_class="电线电缆",
            product_detail=_DETAILS[number % len(_DETAILS)], issued_on=issued_on,
            valid_to=issued_on + timedelta(days=5 * 365), issuer="江苏省市场监督管理局",
        )  # fmt: skip


def _put_licences(database: Database, engine: Filings, enterprises: Sequence[EnterpriseFacts]) -> None:
    with database.write() as session:
        present = set(session.scalars(select(Licence.licence_no)))
        for facts in _licences(enterprises):
            if facts.licence_no not in present:
                put_licence(session, engine, facts)


def _declare(database: Database, engine: Filings, owner: Actor) -> None:
    """Fill in and send the declaration of the enterprise's first licence; that of the second stays open."""
    with database.write() as session:
        filing = session.scalars(
            select(Filing)
            .join(Licence, Licence.id == Filing.subject_id)
            .where(Filing.kind == "data_declaration", Filing.enterprise_id == owner.enterprise_id)
            .order_by(Licence.licence_no)
        ).first()
        assert filing is not None
        if filing.sent:
            return
        data = {
            **filing.data, "contact_name": "联系人某某", "contact_mobile": "13800000000", "is_producing": "normal",
            "annual_output": "3600", "employees": "120",
        }  # fmt: skip
        body = {"data": data, "documents": [], "version": filing.version}
        saved, _ = operations.save(session, engine, owner, filing.id, body)
        actions.act(session, engine, owner, filing.id, "submit", {"version": saved.version})


def _order_rectification(database: Database, engine: Filings, reviewer: Actor, uscc: str) -> None:
    filing_id = uuid5(_IDS, "rectification")
    data: dict[str, Any] = {
        "problem": "出厂检验记录不完整，部分批次缺少导体电阻检验数据",
        "check_date": (clock.today() - timedelta(days=3)).isoformat(),
        "due_on": (clock.today() + timedelta(days=15)).isoformat(),
    }
    with database.write() as session:
        if session.get(Filing, filing_id) is None:
            body = {"kind": "rectification", "uscc": uscc, "data": data, "documents": []}
            operations.save(session, engine, reviewer, filing_id, body)
    _cancel_an_order(database, engine, reviewer, uscc, data)


def _cancel_an_order(database: Database, engine: Filings, reviewer: Actor, uscc: str, data: Mapping[str, Any]) -> None:
    """Make an order for the wrong enterprise and cancel it (撤销)."""
    filing_id = uuid5(_IDS, "rectification taken back")
    with database.write() as session:
        if session.get(Filing, filing_id) is None:
            wrong = {**data, "problem": "未建立销售台账"}
            body = {"kind": "rectification", "uscc": uscc, "data": wrong, "documents": []}
            filing, _ = operations.save(session, engine, reviewer, filing_id, body)
            cancellation = {"version": filing.version, "comment": "误选企业（演示）"}
            actions.act(session, engine, reviewer, filing_id, "cancel", cancellation)


def _put_topic(database: Database, uploads: Uploads, reviewer: Actor) -> None:
    topic_id, template_id = uuid5(_IDS, "topic"), uuid5(_IDS, "template")
    with database.read() as session:
        if session.get(SelfCheckTopic, topic_id) is not None:
            return
    with tempfile.TemporaryDirectory(dir=uploads.incoming) as folder:
        source = Path(folder) / "template.docx"
        source.write_bytes(_document(_TEMPLATE))
        # Our own document needs no scan, and a virus scanner that is still starting must not delay the server.
        template = Upload(source, "生产企业自查报告模板.docx", "template", template_id)
        upload(database, replace(uploads, scanner=None), reviewer, template)
    year = clock.today().year
    body = {"title": f"{year}年度生产企业自查", "year": year, "template_file_id": str(template_id)}
    with database.write() as session:
        put_topic(session, reviewer, topic_id, body)


def _document(paragraphs: Sequence[str]) -> bytes:
    """A .docx with these paragraphs, with the same bytes every time, so that a repeated upload is recognised."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    text = "".join(f"<w:p><w:r><w:t>{escape(paragraph)}</w:t></w:r></w:p>" for paragraph in paragraphs)
    members = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{word}"><w:body>{text}</w:body></w:document>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            # Without a date, ZipInfo has a fixed one.
            member = zipfile.ZipInfo(name)
            archive.writestr(member, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{content}')
    return out.getvalue()
