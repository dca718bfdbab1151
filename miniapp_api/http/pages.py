"""What all pages for people share: their frame, colours and type, the manner in which they are shown, their headers.

The look stands in `templates/page/`: `tokens.css` names the colours (light, dark, 关怀版), `page.css` uses them, and
`words.css` is for pages to read, `rating/form.css` for the form. Style and scripts are part of each page, so that a
slow phone asks once; the policy allows exactly those.
"""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response, render_template, request
from markupsafe import Markup

_FOLDER = Path(__file__).resolve().parents[1] / "templates"


def _squeezed(*names: str) -> str:
    """Files without their lines' indentation, as they stand in every page."""
    lines = [line for name in names for line in (_FOLDER / name).read_text(encoding="utf-8").splitlines()]
    return "".join(line.strip() + "\n" for line in lines)


def _allowed(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


# Our own files, not what anyone sent.
CSS = Markup(_squeezed("page/tokens.css", "page/page.css", "page/words.css"))  # noqa: S704
FORM_CSS = Markup(_squeezed("page/tokens.css", "page/page.css", "rating/form.css"))  # noqa: S704
FORM_JS, TABLET_JS = Markup(_squeezed("rating/form.js")), Markup(_squeezed("rating/tablet.js"))  # noqa: S704
_POLICY = (
    f"default-src 'none'; style-src {_allowed(CSS)} {_allowed(FORM_CSS)}; "
    f"script-src {_allowed(FORM_JS)} {_allowed(TABLET_JS)}; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; img-src data:"
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a page is shown: in large type (关怀版), or on a hall's tablet that one person after another uses."""

    large: bool = False
    tablet: bool = False

    @classmethod
    def of_request(cls) -> "Manner":
        """As the address says."""
        return cls(request.args.get("large") == "1", request.args.get("mode") == "tablet")

    @property
    def query(self) -> str:
        """What an address of our own carries, so that the next page is shown alike."""
        return "mode=tablet" if self.tablet else "large=1" if self.large else ""

    @property
    def classes(self) -> str:
        """Classes of the page."""
        return "large tablet" if self.tablet else "large" if self.large else ""

    def kept(self, where: str) -> str:
        """An address of our own that is shown alike."""
        return where + ("&" if "?" in where else "?") + self.query if self.query else where


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page from a template below `templates/`."""
    manner = Manner.of_request()
    html = render_template(template, **{"css": CSS, "manner": manner, "tablet_js": TABLET_JS, **values})
    return dressed(Response(html, status, mimetype="text/html"))


def dressed(response: Any) -> Response:
    """The response with the headers of a page."""
    response.headers["Content-Security-Policy"] = _POLICY
    # Kept by the phone for going back, so that nothing typed is lost; asked anew otherwise. A tablet keeps nothing.
    response.headers["Cache-Control"] = "no-store" if Manner.of_request().tablet else "private, no-cache"
    return response  # type: ignore[no-any-return]
