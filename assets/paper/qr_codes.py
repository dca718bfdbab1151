"""QR codes as PNG and SVG: error correction Q, a quiet zone of four modules, sharp edges at every size."""

import functools
import io
import re
from html import escape

import qrcode
from PIL import Image
from qrcode.constants import ERROR_CORRECT_Q

BOX = 10
"""Pixels of a module when no size is asked for."""
BORDER = 4
"""Modules of the quiet zone on each side, as ISO/IEC 18004 asks for."""
SMALLEST, LARGEST = 120, 2000
"""Pixels of a side that may be asked for."""


@functools.lru_cache(maxsize=16)
def modules(text: str) -> tuple[str, ...]:
    """The code without its quiet zone: a text a row, "1" is dark. Raises `ValueError` if it is too long."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=0)
    code.add_data(text)
    code.make(fit=True)
    return tuple("".join("1" if dark else "0" for dark in row) for row in code.get_matrix())


def png_width(text: str, size: int | None) -> int:
    """The width in pixels of a picture of which `size` was asked: between 120 and 2000, or a pixel to a module."""
    across = len(modules(text)) + 2 * BORDER
    return across * BOX if size is None else max(across, min(max(size, SMALLEST), LARGEST))


def png(text: str, *, size: int | None = None) -> bytes:
    """The code as a PNG, `png_width` wide; the same arguments give the same bytes.

    What is left over by modules of whole pixels becomes more quiet zone.
    """
    rows, width = modules(text), png_width(text, size)
    scale = width // (len(rows) + 2 * BORDER)
    code = Image.new("1", (len(rows), len(rows)), 1)
    code.putdata([0 if module == "1" else 255 for row in rows for module in row])
    code = code.resize((len(rows) * scale, len(rows) * scale), Image.Resampling.NEAREST)
    picture = Image.new("1", (width, width), 1)
    picture.paste(code, ((width - code.width) // 2, (width - code.height) // 2))
    target = io.BytesIO()
    picture.save(target, "PNG", optimize=True)
    return target.getvalue()


def svg(text: str) -> bytes:
    """The code as an SVG without a size of its own: one unit to a module."""
    rows = modules(text)
    across = len(rows) + 2 * BORDER
    runs = [(y, run) for y, row in enumerate(rows) for run in re.finditer("1+", row)]
    path = "".join(f"M{run.start() + BORDER} {y + BORDER}h{len(run[0])}v1h-{len(run[0])}z" for y, run in runs)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} {across}" '
        'shape-rendering="crispEdges" role="img">'
        f"<title>{escape(text)}</title>"
        f'<path fill="#fff" d="M0 0h{across}v{across}H0z"/><path d="{path}"/></svg>'
    ).encode()
