"""The page at `/` with links to what people look for. It never shows a password."""

import re

from apiflask import APIBlueprint
from flask import Response, request

from miniapp_api.feedback.refusal_pages import NATIONAL_HOTLINE
from miniapp_api.http.gates import public
from miniapp_api.http.openapi import DOCS_PATH, SPEC_PATH
from miniapp_api.http.pages import page
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("home", __name__, enable_openapi=False)

_CODE = re.compile(r"[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){3}")
_FOR_DEVELOPERS = ((f"{DOCS_PATH}/", "接口文档"), (SPEC_PATH, "OpenAPI 3.1"), ("/readyz", "运行状态"))


@bp.get("/")
@public(transaction=False)
def home() -> Response:
    """The start page; after a rating (`?rated=`) it thanks the enterprise and says how to follow it up."""
    settings = wiring().settings
    rated = request.args.get("rated", "")
    return page(
        "home.html", rated=rated if _CODE.fullmatch(rated) else None, national=NATIONAL_HOTLINE,
        developers=_FOR_DEVELOPERS, demo=settings.demo and not settings.production,
    )  # fmt: skip
