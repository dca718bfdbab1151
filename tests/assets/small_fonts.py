"""Fonts of a few square characters, for tests about which font draws what."""

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen

CHINESE = "政务服务好差评"
REGULAR, BOLD = "NotoSansSC_400Regular.ttf", "NotoSansSC_700Bold.ttf"


def write_font(path: Path, characters: str, *, postscript: bool = False) -> Path:
    """A font whose characters are squares, with TrueType or PostScript (CFF) outlines."""
    names = [".notdef", "space", *(f"u{ord(c):X}" for c in dict.fromkeys(characters))]
    builder = FontBuilder(1000, isTTF=not postscript)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({32: "space", **{ord(c): f"u{ord(c):X}" for c in characters}})
    shapes = {}
    for name in names:
        pen = T2CharStringPen(1000, None) if postscript else TTGlyphPen(None)
        if name != "space":
            pen.moveTo((100, 0))
            for point in ((100, 800), (900, 800), (900, 0)):
                pen.lineTo(point)
            pen.closePath()
        shapes[name] = pen.getCharString() if postscript else pen.glyph()
    if postscript:
        builder.setupCFF(path.stem, {"FullName": path.stem}, shapes, {})
    else:
        builder.setupGlyf(shapes)
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 100)))
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular", "psName": path.stem})
    builder.setupOS2()
    builder.setupPost()
    path.parent.mkdir(parents=True, exist_ok=True)
    builder.save(path)
    return path
