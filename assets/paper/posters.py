"""What hangs on the wall and stands on the table so that people rate a service: posters (A4) and signs (A5).

Both are drawn once, as PDF; the PNG is that PDF as dots, so that they look the same.
"""

import io
from collections.abc import Callable
from dataclasses import fields, replace

from assets.paper.fonts import Fonts, installed
from assets.paper.line_breaking import printable
from assets.paper.poster_layouts import POSTER_DOTS, SIGN_DOTS, WORDS, draw_poster, draw_sign
from assets.paper.poster_text import Poster
from assets.paper.rating_faces import LEVELS
from assets.paper.typesetting import Sheet, rasterised, sheet


def poster_pdf(poster: Poster, fonts: Fonts | None = None) -> bytes:
    """A4 upright. The same poster gives the same bytes. Raises `FontMissing`, `CharactersMissing`."""
    return _pdf(poster, POSTER_DOTS, draw_poster, fonts)


def poster_png(poster: Poster, fonts: Fonts | None = None) -> bytes:
    """The same as `poster_pdf`, 1654 × 2339 dots."""
    return rasterised(poster_pdf(poster, fonts))


def sign_pdf(poster: Poster, fonts: Fonts | None = None) -> bytes:
    """A5 lying, for the usual stands of clear plastic. Raises `FontMissing`, `CharactersMissing`."""
    return _pdf(poster, SIGN_DOTS, draw_sign, fonts)


def sign_png(poster: Poster, fonts: Fonts | None = None) -> bytes:
    """The same as `sign_pdf`, 1654 × 1166 dots."""
    return rasterised(sign_pdf(poster, fonts))


def _pdf(poster: Poster, dots: tuple[int, int], draw: Callable[[Sheet, Poster], None], fonts: Fonts | None) -> bytes:
    named = {field.name: printable(getattr(poster, field.name)) for field in fields(poster) if field.name != "url"}
    shaped = replace(poster, **named)
    texts = [*named.values(), poster.url, *LEVELS, *WORDS]
    target = io.BytesIO()
    title = " ".join(part for part in (shaped.title, shaped.matter, shaped.window) if part)
    with sheet(target, dots, texts, fonts or installed(), title) as drawn:
        draw(drawn, shaped)
    return target.getvalue()
