"""Rating codes (评价二维码) of offices, and their pictures."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from assets.paper.fonts import CharactersMissing, FontMissing
from assets.paper.made_pictures import MadePictures
from core.actor import Actor
from core.errors import Problem, invalid
from core.gateways.wechat import WeChatFailed
from feedback import queries
from feedback.codes import operations as codes
from feedback.codes import pictures
from feedback.codes.kinds import KINDS
from feedback.models import RatingCode
from feedback.queries import CodeFilters
from miniapp_api.feedback import rating_code_answers
from miniapp_api.feedback.rating_code_answers import CodeKind, CodeStatus, CreatedRatingCode
from miniapp_api.http.answers import Page, answers, refuses, sends
from miniapp_api.http.bodies import (
    ID_FIELD,
    Body,
    DescribedBody,
    PageQuery,
    Query,
    choice_field,
    described,
    text_field,
)
from miniapp_api.http.gates import gate
from miniapp_api.http.read_only_fields import read_only_warnings
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("rating_codes", __name__, tag="Ratings")

PNG, JPEG, SVG, PDF = "image/png", "image/jpeg", "image/svg+xml", "application/pdf"


class CodesQuery(PageQuery):
    """Filters of the list; `q` is a fragment of the matter's name (事项)."""

    kind: CodeKind | None = None
    status: CodeStatus | None = None
    q: str | None = Field(None, max_length=100)


class RatingCodeBody(DescribedBody):
    """A new rating code; `feedback.codes` validates it."""

    model_config = described(
        ("kind", "matter_name"),
        id={
            **ID_FIELD,
            "description": "made by the caller, so that a repetition makes no second code; optional",
        },
        kind=choice_field(KINDS),
        matter_name=text_field(codes.LENGTHS["matter_name"], "the matter (事项)"),
        office_id={**ID_FIELD, "description": "the own office (default) or a station directly below it"},
        org_name=text_field(100, "instead of `office_id`: the name of one of these offices (承办单位)"),
        window=text_field(codes.LENGTHS["window"], "the window (窗口)"),
        matter_ref=text_field(codes.LENGTHS["matter_ref"], "number of the case (办件编号); needed with `per_matter`"),
    )


class ReasonBody(Body):
    """Why a code is disabled."""

    reason: str | None = Field(None, max_length=200)


class SizeQuery(Query):
    """Side of the picture in pixels, rounded so that each module of the code has a whole number of pixels."""

    size: int | None = Field(None, ge=120, le=2000)


def address_of(code: RatingCode) -> str | None:
    """Where the code leads; None before it was generated."""
    return f"{wiring().settings.resolved_public_url}/r/{code.token}" if code.token else None


def _answer(code: RatingCode, actor: Actor) -> dict[str, Any]:
    url = address_of(code)
    tablet = f"{url}?mode=tablet" if url else None  # for the tablet of a service hall
    return {**queries.code_answer(code, actor), "url": url, "tablet_url": tablet}


@bp.post("/rating-codes")
@gate(Verb.RATINGS_GENERATE)
@answers(CreatedRatingCode, 200, 201)
@bp.input(RatingCodeBody, arg_name="body")
def create_rating_code(session: Session, actor: Actor, body: RatingCodeBody) -> tuple[dict[str, Any], int]:
    """Create a code for a window or a matter (一次一评) or for one case (一事一评); it has no picture before 生成.

    With an `id` the same call again answers the same code; without one every call makes a new code.
    """
    code, new = codes.create(session, actor, body.root)
    answer = _answer(code, actor)
    return {**answer, "warnings": read_only_warnings(body, {}, answer)}, 201 if new else 200


@bp.get("/rating-codes")
@gate(Verb.RATINGS_READ, Verb.FILINGS_WRITE)
@answers(Page[rating_code_answers.RatingCode])
@bp.input(CodesQuery, location="query", arg_name="query")
def list_rating_codes(session: Session, actor: Actor, query: CodesQuery) -> dict[str, Any]:
    """Codes of the caller's regions; an enterprise sees those of its own finished filings."""
    page = queries.codes(session, actor, CodeFilters(query.kind, query.status, query.q), query.request())
    return page.as_json(lambda row: _answer(row.RatingCode, actor))


@bp.get("/rating-codes/<uuid:code_id>")
@gate(Verb.RATINGS_READ, Verb.FILINGS_WRITE)
@answers(rating_code_answers.RatingCode)
def read_rating_code(session: Session, actor: Actor, code_id: UUID) -> dict[str, Any]:
    """One code."""
    return _answer(queries.get_readable_code(session, actor, code_id), actor)


@bp.post("/rating-codes/<uuid:code_id>/generate")
@gate(Verb.RATINGS_GENERATE)
@answers(rating_code_answers.RatingCode)
@refuses(409)
def generate_rating_code(session: Session, actor: Actor, code_id: UUID) -> dict[str, Any]:
    """生成: makes the link of the code; a repetition changes nothing."""
    return _answer(codes.generate(session, actor, code_id), actor)


@bp.post("/rating-codes/<uuid:code_id>/disable")
@gate(Verb.RATINGS_GENERATE)
@answers(rating_code_answers.RatingCode)
@bp.input(ReasonBody, arg_name="body")
def disable_rating_code(session: Session, actor: Actor, code_id: UUID, body: ReasonBody) -> dict[str, Any]:
    """停用: the page of the code says that it is disabled; its ratings stay."""
    return _answer(codes.disable(session, actor, code_id, body.reason), actor)


def _picture(
    code_id: UUID, actor: Actor, media_type: str, make: Callable[[MadePictures, RatingCode, str], bytes]
) -> Response:
    services = wiring()
    # Drawing takes long: the connection is given back before.
    with services.database.read() as session:
        code = queries.get_readable_code(session, actor, code_id)
    address = address_of(code)
    if address is None:
        raise Problem("not_generated")
    try:
        content = make(services.pictures, code, address)
    except FontMissing as error:
        raise Problem("font_missing", str(error)) from error
    except CharactersMissing as error:
        raise invalid("/matter_name", "character_missing", str(error)) from error
    except WeChatFailed as error:
        raise Problem("wechat_unavailable", retry_after=30 if error.retryable else None) from error
    if content.startswith(b"\xff\xd8"):  # WeChat answers PNG or JPEG
        media_type = JPEG
    return picture_response(content, media_type, code)


def picture_response(content: bytes, media_type: str, code: RatingCode) -> Response:
    """A picture with an ETag and an hour of private caching: the same code always gives the same picture."""
    response = Response(content, mimetype=media_type)
    ending = media_type.partition("/")[2].partition("+")[0]
    response.headers["Content-Disposition"] = f'inline; filename="rating-code-{code.id.hex[:8]}.{ending}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.add_etag()
    response.make_conditional(request)
    return response


@bp.get("/rating-codes/<uuid:code_id>/qr.png")
@gate(Verb.RATINGS_READ, transaction=False)
@sends("image/png", 200, 304)
@refuses(409)
@bp.input(SizeQuery, location="query", arg_name="query")
def read_qr_png(actor: Actor, code_id: UUID, query: SizeQuery) -> Response:
    """The QR code with the matter's name below, where the fonts have all its characters."""
    # Rounded to steps of 20 pixels, which limits how many pictures of a code are drawn and cached.
    size = query.size - query.size % 20 if query.size is not None else None

    def make(made: MadePictures, code: RatingCode, url: str) -> bytes:
        try:
            return pictures.captioned_code(made, code, url, size)
        except (CharactersMissing, FontMissing):
            return made.qr_png(url, size=size)

    return _picture(code_id, actor, PNG, make)


@bp.get("/rating-codes/<uuid:code_id>/qr.svg")
@gate(Verb.RATINGS_READ, transaction=False)
@sends("image/svg+xml", 200, 304)
@refuses(409)
def read_qr_svg(actor: Actor, code_id: UUID) -> Response:
    """The QR code as SVG."""
    return _picture(code_id, actor, SVG, lambda made, _, url: made.qr_svg(url))


@bp.get("/rating-codes/<uuid:code_id>/poster.png")
@gate(Verb.RATINGS_READ, transaction=False)
@sends("image/png", 200, 304)
@refuses(409)
def read_poster_png(actor: Actor, code_id: UUID) -> Response:
    """The poster (海报, A4)."""
    return _picture(code_id, actor, PNG, lambda made, code, url: pictures.paper(made, code, url, "poster", "png"))


@bp.get("/rating-codes/<uuid:code_id>/poster.pdf")
@gate(Verb.RATINGS_READ, transaction=False)
@sends("application/pdf", 200, 304)
@refuses(409)
def read_poster_pdf(actor: Actor, code_id: UUID) -> Response:
    """The poster (海报, A4) for printing."""
    return _picture(code_id, actor, PDF, lambda made, code, url: pictures.paper(made, code, url, "poster", "pdf"))


@bp.get("/rating-codes/<uuid:code_id>/sign.png")
@gate(Verb.RATINGS_READ, transaction=False)
@sends("image/png", 200, 304)
@refuses(409)
def read_sign_png(actor: Actor, code_id: UUID) -> Response:
    """The table sign (台签, A5)."""
    return _picture(code_id, actor, PNG, lambda made, code, url: pictures.paper(made, code, url, "sign", "png"))


@bp.get("/rating-codes/<uuid:code_id>/sign.pdf")
@gate(Verb.RATINGS_READ, transaction=False)
@sends("application/pdf", 200, 304)
@refuses(409)
def read_sign_pdf(actor: Actor, code_id: UUID) -> Response:
    """The table sign (台签, A5) for printing."""
    return _picture(code_id, actor, PDF, lambda made, code, url: pictures.paper(made, code, url, "sign", "pdf"))


@bp.get("/rating-codes/<uuid:code_id>/wxacode.png")
@gate(Verb.RATINGS_READ, transaction=False)
@sends("image/*", 200, 304)
@refuses(409)
def read_wxacode(actor: Actor, code_id: UUID) -> Response:
    """The code that opens the mini-program (小程序码), as WeChat draws it: PNG or JPEG.

    503 where no mini-program is set up.
    """
    services = wiring()

    def make(made: MadePictures, code: RatingCode, _url: str) -> bytes:
        if services.wechat is None:
            raise Problem("wechat_unavailable", "尚未配置微信小程序，请使用二维码")
        assert code.token is not None
        return services.wechat.unlimited_code(code.token, services.settings.wechat_rating_page)

    return _picture(code_id, actor, PNG, make)
