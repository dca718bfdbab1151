"""The few characters of a font that a document needs, as a small TrueType font that can be embedded.

Debian's Noto CJK has PostScript (CFF) outlines, which reportlab cannot embed: those are turned into
TrueType outlines here, after everything that is not needed was taken away.
"""

import hashlib
import io

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

from assets.paper.fonts import Face, name_by_number

_NOT_NEEDED = ("GPOS", "GSUB", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG", "STAT")
_MAX_ERROR = 0.001
"""Of the em: how far a quadratic outline may stray from the cubic one."""


def truetype(face: Face, characters: str) -> bytes:
    """A TrueType font with those characters; the same characters give the same bytes."""
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = [1, 2, 4, 6]
    with TTFont(str(face.path), fontNumber=face.index, lazy=True, recalcTimestamp=False) as font:
        if "glyf" in font:
            name_by_number(font)
        for table in _NOT_NEEDED:
            if table in font:
                # Here, not by the options: those would have it read first.
                del font[table]
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=characters + " ")
        subsetter.subset(font)
        if "CFF " in font:
            _to_quadratic(font)
        _rename(font, face, characters)
        target = io.BytesIO()
        font.save(target, reorderTables=False)
    return target.getvalue()


def _rename(font: TTFont, face: Face, characters: str) -> None:
    """A PostScript name of its own: programs take fonts of one name for the same font, whatever is in them."""
    old = font["name"].getDebugName(6) or face.path.stem
    digest = hashlib.sha256(f"{face.path.name} {face.index} {characters}".encode()).hexdigest()[:12]
    for record in font["name"].names:
        if record.nameID == 6:
            record.string = f"{old}-{digest}"


def _to_quadratic(font: TTFont) -> None:
    order = font.getGlyphOrder()
    outlines = font.getGlyphSet()
    glyphs = {}
    for name in order:
        pen = TTGlyphPen(outlines)
        outlines[name].draw(Cu2QuPen(pen, _MAX_ERROR * font["head"].unitsPerEm, reverse_direction=True))
        glyphs[name] = pen.glyph()
    glyf = newTable("glyf")
    glyf.glyphOrder = order
    glyf.glyphs = glyphs
    font["loca"], font["glyf"] = newTable("loca"), glyf
    del font["CFF "]
    font.sfntVersion = "\0\1\0\0"
    maxp = font["maxp"]
    maxp.tableVersion = 0x00010000
    for counter in (
        "maxZones", "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs",
        "maxStackElements", "maxSizeOfInstructions", "maxPoints", "maxContours", "maxCompositePoints",
        "maxCompositeContours", "maxComponentElements", "maxComponentDepth",
    ):  # fmt: skip
        setattr(maxp, counter, 1 if counter == "maxZones" else 0)
    font["post"].formatType = 3.0
