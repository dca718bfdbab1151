"""The papers of a rating code (templates: `feedback/papers/`): poster, table sign, and the code with a caption.

`url` is where the code leads, `made` what keeps pictures that were made once.
"""

from pathlib import Path
from typing import Any, Literal

from assets.paper import qr_codes
from assets.paper.made_pictures import MadePictures
from feedback.codes.catalogue import LEVELS
from feedback.models import RatingCode
from feedback.ratings.rating_window import WINDOW_DAYS

PAPERS = Path(__file__).resolve().parent.parent / "papers"

What = Literal["poster", "sign"]


def paper_data(url: str, matter: str, bureau: str, window: str) -> dict[str, Any]:
    """The data of `poster.typ` and `sign.typ`; the fields are described in `parts.typ`."""
    return {
        "url": url,
        "modules": list(qr_codes.modules(url)),
        "matter": _in_one_line(matter),
        "bureau": _in_one_line(bureau),
        "window": _in_one_line(window),
        "levels": list(LEVELS.values()),
        "days": WINDOW_DAYS,
    }


def paper(made: MadePictures, code: RatingCode, url: str, what: What, form: Literal["png", "pdf"]) -> bytes:
    """The poster (海报, A4 upright) or the table sign (台签, A5 lying); a PNG has 200 dots to an inch.

    Raises `FontMissing`, `CharactersMissing`, and 503 when it could not be made in time.
    """
    data = paper_data(url, code.matter_name, code.org_name, code.window or "")
    return made.paper(PAPERS / f"{what}.typ", data, form)


def captioned_code(made: MadePictures, code: RatingCode, url: str, size: int | None) -> bytes:
    """The code as a PNG `size` dots wide, as `qr_codes.png`, and the matter's name below it. Raises like `paper`."""
    data = {
        "modules": list(qr_codes.modules(url)),
        "width": qr_codes.png_width(url, size),
        "caption": _in_one_line(code.matter_name),
    }
    return made.paper(PAPERS / "captioned-code.typ", data, "png")


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
