"""Pictures of captchas: small, of good contrast, never twice the same. How hard they are to read was measured."""

import base64
from io import BytesIO

from PIL import Image, ImageStat

from accounts.sign_in import captcha_images

TEXT = "ACDEF"


def luminance(colour: tuple[int, ...]) -> float:
    parts = [value / 255 for value in colour[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_picture_is_small_enough_for_a_page_of_twenty_kilobytes() -> None:
    url = captcha_images.data_url(TEXT)
    assert len(url) < 7_000
    with Image.open(BytesIO(base64.b64decode(url.partition(",")[2]))) as picture:
        assert (picture.format, picture.size) == ("PNG", (captcha_images.WIDTH, captcha_images.HEIGHT))
        assert TEXT.encode() not in base64.b64decode(url.partition(",")[2])


def test_ink_and_ground_differ_as_text_has_to() -> None:
    for _ in range(10):
        colours = captcha_images.picture(TEXT).convert("RGB").getcolors()
        shades = sorted(luminance(colour) for count, colour in colours or [] if count > 100)  # type: ignore[arg-type]
        assert (shades[-1] + 0.05) / (shades[0] + 0.05) > 4.5


def test_one_text_is_never_drawn_twice_alike_and_ink_and_ground_change_places() -> None:
    pictures = [captcha_images.picture(TEXT).convert("L") for _ in range(5)]
    assert len({picture.tobytes() for picture in pictures}) == 5
    # Much more than the letters is dark, and much is not: no threshold tells letters from ground.
    assert all(60 < ImageStat.Stat(picture).mean[0] < 200 for picture in pictures)
