"""A paper as it is answered: PDF in the browser, or editable Word; kept nowhere."""

from flask import Response

from assets.paper import word
from assets.paper.fonts import CharactersMissing, FontMissing
from assets.paper.papers import Paper
from core.errors import Problem, invalid
from miniapp_api.http.downloads import disposition
from miniapp_api.http.wiring import wiring

PDF = "application/pdf"
WORD = word.MEDIA_TYPE


def as_pdf(paper: Paper) -> Response:
    """The paper as PDF; compiling takes long: call it when the transaction is over.

    422 `character_missing` names what no font of the server draws; 503 `font_missing` where it has no Chinese type.
    """
    try:
        content = wiring().press.pdf(paper)
    except FontMissing as error:
        raise Problem("font_missing", str(error)) from error
    except CharactersMissing as error:
        raise invalid("/data", "character_missing", str(error)) from error
    response = Response(content, mimetype=PDF)
    response.headers["Content-Disposition"] = disposition("inline", f"{paper.number}.pdf")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def as_word(paper: Paper) -> Response:
    """The paper as editable Word (.docx), which has no code: what can be edited proves nothing."""
    response = Response(word.docx(wiring().press, paper), mimetype=WORD)
    response.headers["Content-Disposition"] = disposition("attachment", f"{paper.number}.docx")
    response.headers["Cache-Control"] = "private, no-store"
    return response
