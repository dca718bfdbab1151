"""Papers (纸质文书): a template, its data and pictures, printed as PDF; and a bureau's own templates in place of ours.

A paper's template imports `parts.typ` of the folder `shared/`, which says what the data holds. Papers are set in Song
type (宋体).
"""

import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from PIL import Image

from assets.paper import compiling, qr_codes
from assets.paper.compiling import CompilingFailed, Outcome
from assets.paper.fonts import CharactersMissing, FontMissing, Style
from assets.paper.kept_papers import KeptPapers, key_of

log = structlog.get_logger()

SHARED = Path(__file__).resolve().parent / "shared"
"""What the templates of all rooms import."""
STYLE: Style = "serif"
_MEND = "./manage papers check"
PHOTO_SIDE = 900
"""Pixels of the longer side of a photo on paper: 300 dots to an inch of 75 mm."""
_PHOTO_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that is ready to be printed. `pictures` and `photos`: keys of the storage, by the file names that the
    data uses; photos are made smaller."""

    number: str
    template: Path
    data: Mapping[str, Any]
    pictures: Mapping[str, str] = field(default_factory=dict)
    photos: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Press:
    """Prints papers. `templates`: the folder of a bureau's own templates, each named as the one whose place it takes
    (`parts.typ` too);
    `fonts`: the folder of its own fonts; `read` gives what the storage has under a key."""

    templates: Path
    fonts: Path
    read: Callable[[str], bytes]

    kept: KeptPapers = field(default_factory=KeptPapers)

    def pdf(self, paper: Paper) -> bytes:
        """The paper as PDF, by the bureau's own template where there is one that can be printed.

        Printed again soon it is the same bytes. Raises as `compiling.compile` does.
        """
        template, beside = self._own(paper)
        parts = (paper.data, dict(paper.pictures), dict(paper.photos))
        return self.kept.get(key_of([*beside, template], *parts), lambda: self._made(paper))

    def _made(self, paper: Paper) -> bytes:
        pictures = self.pictures_of(paper)
        if self._has_own:
            try:
                return self.printed(paper, pictures)
            except CompilingFailed as error:
                log.error("own_template_broken", folder=str(self.templates), reason=str(error), mend=_MEND)
        return compiling.compile(
            paper.template, paper.data, "pdf", pictures, _templates(SHARED, paper.template.parent),
            style=STYLE, own_fonts=self.fonts,
        )  # fmt: skip

    def printed(self, paper: Paper, pictures: Mapping[str, bytes]) -> bytes:
        """The paper by the bureau's own templates; raises `CompilingFailed` where one is broken."""
        template, beside = self._own(paper)
        return compiling.compile(
            template, paper.data, "pdf", pictures, beside, style=STYLE, own_fonts=self.fonts
        )  # fmt: skip

    def pdfs(self, papers: Sequence[Paper]) -> list[Outcome]:
        """Many papers as PDF, of each the paper or why there is none; the pictures of all lie on the disk at once."""
        with tempfile.TemporaryDirectory(prefix="gongpin-papers-") as folder:
            laid = []
            for number, paper in enumerate(papers):
                place = Path(folder, str(number))
                place.mkdir()
                template, beside = self._own(paper)
                compiling.lay_out(place, template, self.pictures_of(paper), beside)
                laid.append((place / template.name, paper.data))
            try:
                outcomes = compiling.compile_many(Path(folder), laid, style=STYLE, own_fonts=self.fonts)
            except CompilingFailed as error:
                # One that takes all the memory or time of the child process is found by printing each by itself.
                log.warning("compiling_many_failed", papers=len(papers), reason=str(error))
                return [self._alone(paper) for paper in papers]
        for at, (paper, outcome) in enumerate(zip(papers, outcomes, strict=True)):
            if isinstance(outcome, CompilingFailed) and self._has_own:
                # The built-in one takes the place of a broken one.
                outcomes[at] = self.pdf(paper)
        return outcomes

    def _alone(self, paper: Paper) -> Outcome:
        try:
            return self.pdf(paper)
        except (CompilingFailed, CharactersMissing, FontMissing) as error:
            return error

    @property
    def _has_own(self) -> bool:
        return any(self.templates.glob("*.typ"))

    def _own(self, paper: Paper) -> tuple[Path, list[Path]]:
        """The template of a paper, the bureau's own before the built-in one, and what it may import."""
        own = self.templates / paper.template.name
        template = own if own.is_file() else paper.template
        return template, _templates(SHARED, paper.template.parent, self.templates)

    def pictures_of(self, paper: Paper) -> dict[str, bytes]:
        """The pictures of a paper by file name, photos as small as they are printed."""
        pictures = {name: self.read(key) for name, key in paper.pictures.items()}
        return pictures | {name: smaller(self.read(key)) for name, key in paper.photos.items()}


def data_of(
    said: Mapping[str, Any], digest: str, url: str, *, across: str = "", mark: str = "",
    signatures: Sequence[Mapping[str, str]] = (), photos: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:  # fmt: skip
    """The data of a template: what a paper says, its code (where `url` is not empty), its pictures by file name."""
    return {
        **said, "digest": digest if url else "", "url": url, "modules": list(qr_codes.modules(url)) if url else [],
        "across": across, "mark": mark, "signatures": list(signatures), "photos": list(photos),
    }  # fmt: skip


def _templates(*folders: Path) -> list[Path]:
    """The templates of these folders; of two with one name the later holds."""
    return [path for folder in folders for path in sorted(folder.glob("*.typ"))]


def smaller(content: bytes) -> bytes:
    """A photo as JPEG whose longer side has `PHOTO_SIDE` pixels at the most; it was decoded and made anew on upload."""
    with Image.open(io.BytesIO(content)) as picture:
        if max(picture.size) <= PHOTO_SIDE:
            return content
        picture.draft("RGB", (PHOTO_SIDE, PHOTO_SIDE))
        small = picture.convert("RGB")
    small.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    target = io.BytesIO()
    small.save(target, "JPEG", quality=_PHOTO_QUALITY)
    return target.getvalue()
