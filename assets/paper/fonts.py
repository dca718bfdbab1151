"""Chinese type: which font files there are, and which of them draws which character.

Noto Sans SC, or Noto Serif SC where a paper is set in Song type (see `assets.paper.fetch_fonts`), comes first, then
what the system has, then a bureau's own fonts. A character that the first font lacks is drawn with another one; one
that no font has is named in an error, because typst leaves it out silently.
"""

import functools
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from shutil import which
from typing import Literal

from assets.paper import font_files

SET_UP_FOLDER = Path(sys.prefix) / "share" / "fonts"
"""Where the set-up puts the fonts; an administrator without a network may put the two files there by hand."""
SYSTEM_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path.home() / ".fonts",
    Path("/Library/Fonts"),
    Path("/System/Library/Fonts"),
)
_FC_TIMEOUT = 10
_SAMPLE = "政务服务好差评"


class Weight(IntEnum):
    """The two weights that are used; the numbers are those of CSS."""

    REGULAR = 400
    BOLD = 700


Style = Literal["sans", "serif"]
"""黑体 for posters and captions, 宋体 for papers."""
_SET_UP_NAMES: dict[Style, dict[Weight, tuple[str, ...]]] = {
    "sans": {Weight.REGULAR: ("NotoSansSC_400Regular.ttf",), Weight.BOLD: ("NotoSansSC_700Bold.ttf",)},
    "serif": {
        Weight.REGULAR: ("NotoSerifSC_400Regular.ttf", "NotoSansSC_400Regular.ttf"),
        Weight.BOLD: ("NotoSerifSC_700Bold.ttf", "NotoSansSC_700Bold.ttf"),
    },
}
# The fonts of Debian, Fedora, macOS; outlines of either kind will do, variable fonts will not.
_SYSTEM_NAMES = {
    Weight.REGULAR: (
        "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "NotoSansSC-Regular.ttf", "NotoSansSC-Regular.otf",
        "SourceHanSansCN-Regular.otf", "SourceHanSansSC-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc",
        "DroidSansFallbackFull.ttf", "NotoSerifCJK-Regular.ttc", "HanaMinA.ttf", "HanaMinB.ttf", "Hiragino Sans GB.ttc",
    ),
    Weight.BOLD: (
        "NotoSansCJK-Bold.ttc", "NotoSansCJKsc-Bold.otf", "NotoSansSC-Bold.ttf", "NotoSansSC-Bold.otf",
        "SourceHanSansCN-Bold.otf", "SourceHanSansSC-Bold.otf", "NotoSerifCJK-Bold.ttc",
    ),
}  # fmt: skip

_SYSTEM_SERIF = {
    Weight.REGULAR: (
        "NotoSerifCJK-Regular.ttc", "NotoSerifCJKsc-Regular.otf", "NotoSerifSC-Regular.ttf", "NotoSerifSC-Regular.otf",
        "SourceHanSerifCN-Regular.otf", "SourceHanSerifSC-Regular.otf",
    ),
    Weight.BOLD: (
        "NotoSerifCJK-Bold.ttc", "NotoSerifCJKsc-Bold.otf", "NotoSerifSC-Bold.ttf", "NotoSerifSC-Bold.otf",
        "SourceHanSerifCN-Bold.otf", "SourceHanSerifSC-Bold.otf",
    ),
}  # fmt: skip


class FontMissing(Exception):
    """No font on this machine can draw Chinese; the text is a Chinese sentence that says what to do."""

    def __init__(self) -> None:
        super().__init__(
            "服务器上没有中文字体，暂不能生成图片；"
            "请管理员联网执行 make setup，或安装系统字体（如 fonts-noto-cjk）后重试"
        )


class CharactersMissing(Exception):
    """No font on this machine has these characters; the text is a Chinese sentence that says what to do."""

    def __init__(self, characters: str) -> None:
        self.characters = characters
        named = "、".join(f"“{character}”（U+{ord(character):04X}）" for character in characters)
        super().__init__(f"字体中没有这些字：{named}；请改用其他写法，或请管理员安装含有这些字的字体后重试")


@dataclass(frozen=True, slots=True)
class Face:
    """A font within a file; `index` is its place in a collection (`.ttc`), else 0."""

    path: Path
    index: int = 0


class Fonts:
    """The fonts of a machine. What was found is kept, so new fonts are seen after a restart."""

    def __init__(
        self, set_up: Path, system: Sequence[Path], *, fontconfig: bool, style: Style = "sans", own: Path | None = None
    ) -> None:
        self._set_up = set_up
        self._names = _SET_UP_NAMES[style]
        self._system_names = (
            _SYSTEM_NAMES
            if style == "sans"
            else {weight: (*_SYSTEM_SERIF[weight], *_SYSTEM_NAMES[weight]) for weight in Weight}
        )
        self._own = [Face(path) for path in sorted(own.glob("*.[to]tf"))] if own is not None and own.is_dir() else []
        self._system = system
        self._fontconfig = fontconfig
        self._identity: str | None = None
        self._set_up_faces: dict[Weight, list[Face]] = {}
        self._system_faces: dict[Weight, list[Face]] = {}
        self._system_files: list[Path] | None = None
        self._main: dict[Weight, Face] = {}
        self._coverage: dict[Face, frozenset[int]] = {}
        self._found: dict[str, Face | None] = {}

    def load(self, weight: Weight) -> Face:
        """The main font of a weight; a system without a bold font gives the regular one. Raises `FontMissing`."""
        if weight not in self._main:
            face = next((face for face in self._chain(weight) if self._draws(face, _SAMPLE)), None)
            if face is None:
                raise FontMissing
            self._main[weight] = face
        return self._main[weight]

    def missing(self, text: str) -> str:
        """The characters that no font has, each once. Raises `FontMissing`."""
        self.load(Weight.REGULAR)
        return "".join(c for c in dict.fromkeys(text) if self._face_of(c, Weight.REGULAR) is None)

    def faces(self, text: str) -> list[Face]:
        """The fonts that draw the text in both weights, the main ones first.

        Raises `FontMissing`, `CharactersMissing`.
        """
        if lost := self.missing(text):
            raise CharactersMissing(lost)
        found = dict.fromkeys(self.load(weight) for weight in Weight)
        for weight in Weight:
            found.update((face, None) for c in dict.fromkeys(text) if (face := self._face_of(c, weight)))
        return list(found)

    def identity(self) -> str:
        """Names and sizes of the main fonts, without reading them: pictures made with others look different."""
        if self._identity is None:
            found = [face.path for weight in Weight for face in self._of_set_up(weight)[:1]]
            paths = found or self._named_system()[:1]
            self._identity = " ".join(f"{path.name}:{path.stat().st_size}" for path in paths)
        return self._identity

    def _face_of(self, character: str, weight: Weight) -> Face | None:
        main = self.load(weight)
        if character.isspace() or self._draws(main, character):
            return main
        for face in self._chain(weight):
            if self._draws(face, character):
                return face
        if character not in self._found:
            asked = self._asked_for(character)
            self._found[character] = next((face for face in asked if self._draws(face, character)), None)
        return self._found[character]

    def _draws(self, face: Face, text: str) -> bool:
        if face not in self._coverage:
            self._coverage[face] = font_files.characters(face.path, face.index)
        return all(ord(character) in self._coverage[face] for character in text)

    def _chain(self, weight: Weight) -> Iterator[Face]:
        """Fonts in the order in which they are asked: the system is not searched before it must be."""
        other = Weight.REGULAR if weight is Weight.BOLD else Weight.BOLD
        for asked in (weight, other):
            yield from self._of_set_up(asked)
            yield from self._of_system(asked)
        yield from self._own

    def _of_set_up(self, weight: Weight) -> list[Face]:
        if weight not in self._set_up_faces:
            newest_first = [sorted(self._set_up.rglob(name), reverse=True) for name in self._names[weight]]
            self._set_up_faces[weight] = [Face(path) for paths in newest_first for path in paths]
        return self._set_up_faces[weight]

    def _of_system(self, weight: Weight) -> list[Face]:
        if weight not in self._system_faces:
            files = {path.name: path for path in self._named_system()}
            self._system_faces[weight] = [
                _simplified(files[name]) for name in self._system_names[weight] if name in files
            ]
        return self._system_faces[weight]

    def _named_system(self) -> list[Path]:
        """The fonts of the system that are known by name, the better ones first."""
        if self._system_files is None:
            files = (path for folder in self._system if folder.is_dir() for path in folder.rglob("*.[to]t[cf]"))
            named = {path.name: path for path in files}
            self._system_files = [
                named[name] for names in self._system_names.values() for name in names if name in named
            ]
        return self._system_files

    def _asked_for(self, character: str) -> Iterator[Face]:
        """What fontconfig knows to have the character, where there is fontconfig."""
        program = which("fc-list") if self._fontconfig else None
        if program is None:
            return
        pattern = f":charset={ord(character):x}:outline=True:variable=False"
        try:
            answer = subprocess.run(  # noqa: S603 -- a fixed program; the pattern is a number
                [program, "--format", "%{file}|%{index}\n", pattern],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_FC_TIMEOUT, check=True,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            return
        for line in sorted(answer.stdout.splitlines()):
            path, _, index = line.rpartition("|")
            if path and index.isdecimal():
                # The upper half is the instance of a variable font.
                yield Face(Path(path), int(index) & 0xFFFF)


def _simplified(path: Path) -> Face:
    """The font of a collection that draws the shapes of the mainland."""
    if path.suffix != ".ttc":
        return Face(path)
    names = font_files.families(path)
    return Face(path, next((i for i, name in enumerate(names) if name.endswith(" SC") and "Mono" not in name), 0))


@functools.cache
def installed(style: Style = "sans", own: Path | None = None) -> Fonts:
    """The fonts of this machine, and those of a bureau's own folder."""
    return Fonts(SET_UP_FOLDER, SYSTEM_FOLDERS, fontconfig=True, style=style, own=own)


def load(weight: Weight) -> Face:
    """The main font of a weight. Raises `FontMissing`."""
    return installed().load(weight)
