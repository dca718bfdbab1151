"""Pictures of captchas that people read and plain text recognition hardly does (measured in docs/decisions/0013).

Recognition needs letters that stand apart, upright, and darker than their ground. Here letters touch and lean, their
base line waves, and within some shapes ink and ground are exchanged, so that no threshold separates the two.
"""

import base64
import math
import secrets
from io import BytesIO
from pathlib import Path

import captcha
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

WIDTH, HEIGHT = 240, 80
_FONT = Path(captcha.__file__).parent / "data" / "DroidSansMono.ttf"
_SIZES = [ImageFont.truetype(str(_FONT), size) for size in (50, 54, 58)]
_CELL = 12
"""Side in pixels of the squares that the wave moves."""


def data_url(text: str) -> str:
    """The text as a distorted PNG, as a data URL."""
    png = BytesIO()
    picture(text).save(png, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()


def picture(text: str) -> Image.Image:
    """The text as a distorted picture in sixteen shades."""
    ink = _waved(_letters(text))
    for shape in (_fields(), _curve()):
        ink = ImageChops.difference(ink, shape)
    dark = (secrets.randbelow(70), secrets.randbelow(70), secrets.randbelow(110))
    coloured = ImageOps.colorize(ink, (245, 247, 250), dark)
    return coloured.quantize(16)


def _between(least: float, most: float) -> float:
    return least + (most - least) * secrets.randbelow(10_001) / 10_000


def _letters(text: str) -> Image.Image:
    """White letters on black, each turned and moved, and touching the next one."""
    found = Image.new("L", (WIDTH, HEIGHT))
    stamps = [_letter(character) for character in text]
    overlap = 3
    total = sum(stamp.width - overlap for stamp in stamps)
    at = (WIDTH - total) / 2 + _between(-6, 6)
    for stamp in stamps:
        top = (HEIGHT - stamp.height) / 2 + _between(-6, 6)
        placed = Image.new("L", (WIDTH, HEIGHT))
        placed.paste(stamp, (round(at), round(top)))
        found = ImageChops.lighter(found, placed)
        at += stamp.width - overlap
    return found


def _letter(character: str) -> Image.Image:
    font = secrets.choice(_SIZES)
    stamp = Image.new("L", (80, 80))
    ImageDraw.Draw(stamp).text((40, 40), character, 255, font, anchor="mm", stroke_width=1)
    turned = stamp.rotate(_between(-22, 22), Image.Resampling.BICUBIC)
    leaning = _between(-0.2, 0.2)
    leant = turned.transform(
        turned.size, Image.Transform.AFFINE, (1, leaning, -40 * leaning, 0, 1, 0), Image.Resampling.BICUBIC
    )
    return leant.crop(leant.getbbox())


def _waved(ink: Image.Image) -> Image.Image:
    """Moved up and down, left and right along two waves."""
    across, along = _between(70, 110), _between(35, 60)
    first, second = _between(0, 2 * math.pi), _between(0, 2 * math.pi)

    def moved(x: float, y: float) -> tuple[float, float]:
        return x + 2 * math.sin(y / along * 2 * math.pi + second), y + 4 * math.sin(x / across * 2 * math.pi + first)

    mesh = []
    for left in range(0, WIDTH, _CELL):
        for top in range(0, HEIGHT, _CELL):
            box = (left, top, min(left + _CELL, WIDTH), min(top + _CELL, HEIGHT))
            corners = [(box[0], box[1]), (box[0], box[3]), (box[2], box[3]), (box[2], box[1])]
            mesh.append((box, tuple(value for corner in corners for value in moved(*corner))))
    return ink.transform(ink.size, Image.Transform.MESH, mesh, Image.Resampling.BICUBIC)


def _fields() -> Image.Image:
    """Where ink and ground are exchanged: fields between slanting, bent lines, about as wide as a letter."""
    shape = Image.new("L", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(shape)
    x = _between(-30, 30)
    while x < WIDTH:
        wide, slant, bend = _between(36, 56), _between(-30, 30), _between(-10, 10)
        left = [(x + slant * part / 8 + bend * math.sin(part / 8 * math.pi), HEIGHT * part / 8) for part in range(9)]
        right = [(place + wide, y) for place, y in reversed(left)]
        draw.polygon(left + right, 255)
        x += wide + _between(36, 56)
    return shape


def _curve() -> Image.Image:
    """A line through the letters, thinner than their strokes."""
    shape = Image.new("L", (WIDTH, HEIGHT))
    middle, swing = _between(32, 48), _between(8, 16)
    length, start = _between(120, 220), _between(0, 2 * math.pi)
    points = [(x, middle + swing * math.sin(x / length * 2 * math.pi + start)) for x in range(-4, WIDTH + 5, 4)]
    ImageDraw.Draw(shape).line(points, 255, 2, joint="curve")
    return shape
