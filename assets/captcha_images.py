"""Pictures of captchas."""

import base64

from captcha.image import ImageCaptcha

_IMAGES = ImageCaptcha(width=140, height=52, font_sizes=(38, 42, 46))


def data_url(text: str) -> str:
    """The text as a distorted PNG, as a data URL."""
    png: bytes = _IMAGES.generate(text).getvalue()
    return "data:image/png;base64," + base64.b64encode(png).decode()
