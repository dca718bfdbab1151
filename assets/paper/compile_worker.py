"""The child process that compiles a paper: `main`, started by `compiling.py`.

It reads `{"template": path, "data": {…}, "form": "pdf"|"png"|"svg"}` from standard input and writes the paper to
standard output; or, with `REFUSED` as its exit status, the reason as one JSON object: `{"font_missing": true}` or
`{"characters": "…"}`. As far as the kernel helps it can read the template's folder and the fonts, and nothing else.
"""

import ctypes
import functools
import json
import re
import resource
import signal
import struct
import sys
import unicodedata
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typst

from assets.files.documents import confinement
from assets.paper.fonts import CharactersMissing, Face, FontMissing, Fonts, Style, installed
from assets.paper.limits import DOTS, MEMORY, REFUSED, SECONDS, Form

_METRE_IN_INCHES = 39.3701
_PNG_START = 33
"""Bytes of a PNG's signature and its first chunk."""


def main() -> int:
    """Entry of the child process for one paper."""
    asked = json.load(sys.stdin)
    _bound(SECONDS)
    template, data = Path(asked["template"]), printable(asked["data"])
    style = Setting.of(asked)
    try:
        faces = needed_faces(template, data, style.fonts)
    except FontMissing:
        print(json.dumps({"font_missing": True}))
        return REFUSED
    except CharactersMissing as missing:
        print(json.dumps({"characters": missing.characters}))
        return REFUSED
    _shut_in([template.parent, *_folders(faces), *style.own_folder])
    try:
        content = compiled(template, data, asked["form"], faces, style)
    except typst.TypstError as error:
        print(error.diagnostic, file=sys.stderr)
        return 1
    sys.stdout.buffer.write(content)
    return 0


def main_of_many() -> int:
    """Entry of the child process for many papers as PDF, `{"papers": [{"template", "data"}, …]}`, all below one folder.

    Writes of each in its order a byte (0: the paper, `REFUSED`: a JSON object as for one, 1: what is wrong with its
    template), the length of what follows in four bytes, and this.
    """
    asked = json.load(sys.stdin)
    _bound(SECONDS + len(asked["papers"]))
    style = Setting.of(asked)
    folders = [Path(asked["folder"])]
    outcomes: list[tuple[Path, Any, list[Face], dict[str, Any] | None]] = []
    for one in asked["papers"]:
        template, data = Path(one["template"]), printable(one["data"])
        try:
            faces = needed_faces(template, data, style.fonts)
        except FontMissing:
            outcomes.append((template, data, [], {"font_missing": True}))
        except CharactersMissing as missing:
            outcomes.append((template, data, [], {"characters": missing.characters}))
        else:
            outcomes.append((template, data, faces, None))
            folders += _folders(faces)
    _shut_in([*dict.fromkeys(folders), *style.own_folder])
    for template, data, faces, refused in outcomes:
        if refused is not None:
            _write(REFUSED, json.dumps(refused).encode())
            continue
        try:
            _write(0, compiled(template, data, "pdf", faces, style))
        except typst.TypstError as error:
            _write(1, error.diagnostic.encode())
    return 0


def _write(outcome: int, content: bytes) -> None:
    sys.stdout.buffer.write(struct.pack(">BI", outcome, len(content)) + content)


@dataclass(frozen=True, slots=True)
class Setting:
    """In which type a paper is set; `own`: the folder of a bureau's own fonts, which templates may name."""

    style: Style
    own: Path | None

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> "Setting":
        """As the server asked for it."""
        own = asked.get("own_fonts")
        return cls(asked.get("style", "sans"), Path(own) if own and Path(own).is_dir() else None)

    @property
    def fonts(self) -> Fonts:
        """Those of this machine."""
        return installed(self.style, self.own)

    @property
    def own_folder(self) -> list[Path]:
        """The own fonts' folder, where there is one."""
        return [self.own] if self.own is not None else []


def printable(value: Any) -> Any:
    """JSON whose texts have nothing without a shape (control and format characters, variation selectors).

    Spaces are made single; line breaks stay.
    """
    if isinstance(value, dict):
        return {name: printable(part) for name, part in value.items()}
    if isinstance(value, list):
        return [printable(part) for part in value]
    if not isinstance(value, str):
        return value
    shaped = (" " if c.isspace() and c != "\n" else c for c in unicodedata.normalize("NFC", value))
    kept = (c for c in shaped if c == "\n" or (unicodedata.category(c) not in ("Cc", "Cf", "Cs") and not _selects(c)))
    return re.sub(" +", " ", "".join(kept)).strip()


def _selects(character: str) -> bool:
    return 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF


def needed_faces(template: Path, data: Any, fonts: Fonts) -> list[Face]:
    """The fonts that draw what stands in the data (as `printable` gives it) and the words of the folder's templates.

    Of the templates only Chinese characters count: other signs stand in their code too, which is not drawn.
    Raises `FontMissing`, `CharactersMissing`.
    """
    sources = "".join(path.read_text("utf-8") for path in sorted(template.parent.glob("*.typ")))
    words = [character for character in sources if unicodedata.category(character) == "Lo"]
    return fonts.faces("".join(dict.fromkeys("".join([*_texts(data), *words]))))


_SANS = Setting("sans", None)


def compiled(template: Path, data: Any, form: Form, faces: Sequence[Face], setting: Setting = _SANS) -> bytes:
    """The paper, set in those fonts. Raises `typst.TypstError`."""
    found = _typst_fonts(tuple(dict.fromkeys([*_folders(faces), *setting.own_folder])))
    families = {(info.path, info.index): info.family for info in found.fonts()}
    named = list(dict.fromkeys(families[str(face.path), face.index] for face in faces))
    # The template need not know which fonts there are, and does not carry the day on which it was compiled.
    source = (
        f'#set text(font: ({"".join(_quoted(name) + "," for name in named)}), lang: "zh", region: "cn")\n'
        f"#set document(date: none)\n#include {_quoted('/' + template.name)}\n"
    )
    pages = typst.Compiler(root=str(template.parent), font_paths=found).compile(
        source.encode(),
        format=form,
        ppi=DOTS,
        timestamp=0,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False), "families": json.dumps(named)},
    )
    content = pages[0] if isinstance(pages, list) else pages
    assert content is not None
    return _with_resolution(content) if form == "png" else content


@functools.cache
def _typst_fonts(folders: tuple[Path, ...]) -> typst.Fonts:
    return typst.Fonts(False, False, [str(folder) for folder in folders])


def _folders(faces: Sequence[Face]) -> list[Path]:
    """typst takes folders of fonts, not files."""
    return list(dict.fromkeys(face.path.parent for face in faces))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str | int | float):
        yield str(value)
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _with_resolution(png: bytes) -> bytes:
    """The PNG saying how many dots it has to a metre (chunk pHYs), so that it is printed at its size."""
    chunk = b"pHYs" + struct.pack(">IIB", *[round(DOTS * _METRE_IN_INCHES)] * 2, 1)
    return png[:_PNG_START] + struct.pack(">I", 9) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[_PNG_START:]


def _bound(seconds: int) -> None:
    for limit, most in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (most, most))


def _shut_in(folders: Sequence[Path]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    confinement.restrict_files((str(folder), confinement.READ) for folder in folders)
    confinement.end_with_parent(libc, signal.SIGKILL)
