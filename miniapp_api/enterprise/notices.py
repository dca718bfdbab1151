"""Notices (通知公告): read by everybody, written by the officers of a system."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from core.actor import Actor
from enterprise.notices import operations, queries
from miniapp_api.files import download_of, in_a_place
from miniapp_api.http.answers import Answer, Page, answers, refuses, sends
from miniapp_api.http.bodies import AsSent, PageQuery
from miniapp_api.http.gates import gate, public
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("notices", __name__, tag="Filings")

FileId = Annotated[UUID, Field(strict=False)]
Status = Literal["draft", "published", "withdrawn"]


class NoticeBody(AsSent):
    """A notice; `files` were uploaded before with the purpose `notice_file`, all of them each time."""

    system: str = Field(max_length=30)
    title: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=20_000)
    files: list[FileId] = Field(default_factory=list, max_length=operations.MOST_FILES)
    version: int | None = Field(None, ge=1, description="the version that was read; the first PUT sends none")


class PublishBody(AsSent):
    """The version that was read."""

    version: int = Field(ge=1)


class NoticeWithdrawBody(PublishBody):
    """And why it is withdrawn."""

    reason: str = Field(min_length=1, max_length=500)


class NoticesQuery(PageQuery):
    """Whose notices: of one system, or without it of all; `q` is a fragment of the title."""

    system: str | None = Field(None, max_length=30)
    q: str | None = Field(None, max_length=100)


class OwnNoticesQuery(PageQuery):
    """Filters of the own office's list."""

    status: Status | None = None


class NoticeRow(Answer):
    """A notice in a list."""

    id: UUID
    system: str
    title: str
    office: str
    published_at: datetime | None
    files: int = Field(description="how many files it has")


class NoticeFile(Answer):
    """A file of a notice, fetched from `/notices/{id}/files/{file_id}`."""

    id: UUID
    name: str
    size: int
    media_type: str


class Notice(Answer):
    """A notice as everybody reads it; plain text."""

    id: UUID
    system: str
    title: str
    office: str
    published_at: datetime | None
    text: str
    files: list[NoticeFile]


class OwnNotice(Notice):
    """A notice as its office reads it."""

    status: Status
    version: int
    created_at: datetime
    updated_at: datetime


@bp.get("/notices")
@public()
@answers(Page[NoticeRow])
@bp.input(NoticesQuery, location="query", arg_name="query")
def list_notices(session: Session, query: NoticesQuery) -> dict[str, Any]:
    """The published notices of a system, or of all of them, newest first."""
    if query.system is not None:
        wiring().notices.known(query.system)
    page = queries.published(session, query.system, query.q, query.request())
    return page.as_json(lambda row: queries.row_answer(row.Notice, row.name))


@bp.get("/notices/<uuid:notice_id>")
@public()
@answers(Notice)
def read_notice(session: Session, notice_id: UUID) -> dict[str, Any]:
    """A published notice."""
    return queries.answer(session, *queries.get_published(session, notice_id))


@bp.get("/notices/<uuid:notice_id>/files/<uuid:file_id>")
@public(transaction=False)
@sends("*/*")
@in_a_place
def download_notice_file(notice_id: UUID, file_id: UUID) -> Response:
    """A file of a published notice; 404 once it is withdrawn."""
    with wiring().database.read() as session:
        file = queries.get_published_file(session, notice_id, file_id)
    return download_of(file)


@bp.get("/own-notices")
@gate()
@answers(Page[OwnNotice])
@bp.input(OwnNoticesQuery, location="query", arg_name="query")
def list_own_notices(session: Session, actor: Actor, query: OwnNoticesQuery) -> dict[str, Any]:
    """The notices of the caller's office in every status, of the systems that the caller works for."""
    page = queries.own(session, wiring().notices, actor, query.status, query.request())
    return page.as_json(lambda row: queries.own_answer(session, row.Notice, row.name))


@bp.get("/own-notices/<uuid:notice_id>")
@gate()
@answers(OwnNotice)
def read_own_notice(session: Session, actor: Actor, notice_id: UUID) -> dict[str, Any]:
    """A notice of the caller's office."""
    return queries.own_of(session, operations.get_own(session, wiring().notices, actor, notice_id))


@bp.put("/notices/<uuid:notice_id>")
@gate()
@answers(OwnNotice, 200, 201)
@bp.input(NoticeBody, arg_name="body")
def save_notice(session: Session, actor: Actor, notice_id: UUID, body: NoticeBody) -> tuple[dict[str, Any], int]:
    """Write a notice as a draft, or change one that is not published."""
    sent = body.model_dump(mode="json", exclude_none=True)
    notice, new = operations.save(session, wiring().notices, actor, notice_id, sent)
    return queries.own_of(session, notice), 201 if new else 200


@bp.post("/notices/<uuid:notice_id>/publish")
@gate()
@answers(OwnNotice)
@bp.input(PublishBody, arg_name="body")
def publish_notice(session: Session, actor: Actor, notice_id: UUID, body: PublishBody) -> dict[str, Any]:
    """Publish (发布): from now on everybody reads it."""
    notice = operations.act(session, wiring().notices, actor, notice_id, "publish", body.model_dump())
    return queries.own_of(session, notice)


@bp.post("/notices/<uuid:notice_id>/withdraw")
@gate()
@answers(OwnNotice)
@refuses(409)
@bp.input(NoticeWithdrawBody, arg_name="body")
def withdraw_notice(session: Session, actor: Actor, notice_id: UUID, body: NoticeWithdrawBody) -> dict[str, Any]:
    """Withdraw (撤回), with the reason: nobody but the office reads it any more, nor its files."""
    notice = operations.act(session, wiring().notices, actor, notice_id, "withdraw", body.model_dump())
    return queries.own_of(session, notice)
