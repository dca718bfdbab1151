"""Pictures of codes as a phone meets them: small, smudged, printed."""

import io

import pypdfium2
import zxingcpp
from PIL import Image, ImageDraw

ADDRESS = "https://haoping.example.gov.cn/r/8Jq2Vv7mZk1xT0sYd3nB5wLhRf9cGpAe"


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def printed(pdf: bytes, dots: int = 150) -> Image.Image:
    """The first page as a printer with so many dots to an inch makes it."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return document[0].render(scale=dots / 72).to_pil().convert("RGB")
    finally:
        document.close()


def decoded(picture: Image.Image) -> str | None:
    """What the only code in the picture says."""
    found = zxingcpp.read_barcodes(picture)
    return found[0].text if len(found) == 1 else None


def halved(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BILINEAR)


def smudged(picture: Image.Image, colour: str) -> Image.Image:
    """A blot over the lower right corner of the code, the one without a finder pattern: a quarter of its side."""
    (code,) = zxingcpp.read_barcodes(picture)
    corner, across = code.position.bottom_right, code.position.top_left
    side = (corner.x - across.x) * 0.25
    spoiled = picture.copy()
    box = (corner.x - side, corner.y - side, corner.x + 3, corner.y + 3)
    ImageDraw.Draw(spoiled).ellipse((box[0], box[1], box[2] + side, box[3] + side), fill=colour)
    return spoiled
