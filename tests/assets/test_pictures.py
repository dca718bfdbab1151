"""Pictures lose all that stands beside their pixels, are bounded, and decoded in a child process."""

import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

from assets.files.file_types import FILE_TYPES
from assets.files.pictures import fork_servers, lossless, pictures
from assets.files.pictures.fork_servers import ForkServer
from assets.files.pictures.pictures import Picture
from core.clock import TimeLimit
from core.errors import Problem
from tests import paperwork
from tests.paperwork import segment, with_segments

ROOT = Path(__file__).resolve().parent.parent.parent


def prepared(tmp_path: Path, content: bytes, wanted: str = ".jpg") -> tuple[Picture, Image.Image]:
    source, target = tmp_path / "source", tmp_path / "picture"
    source.write_bytes(content)
    known = pictures.prepare(source, FILE_TYPES[wanted], target, TimeLimit(120))
    assert hashlib.sha256(target.read_bytes()).hexdigest() == known.sha256
    return known, Image.open(target)


def stored(tmp_path: Path) -> bytes:
    return (tmp_path / "picture").read_bytes()


def thumbnail(tmp_path: Path, content: bytes) -> Image.Image:
    source, target = tmp_path / "source", tmp_path / "thumbnail"
    source.write_bytes(content)
    pictures.make_thumbnail(source, target, TimeLimit(120))
    return Image.open(target)


def refusal(tmp_path: Path, content: bytes, wanted: str = ".jpg") -> str:
    with pytest.raises(Problem) as refused:
        prepared(tmp_path, content, wanted)
    assert refused.value.status == 422
    assert any("\u4e00" <= character <= "\u9fff" for character in refused.value.errors[0].message)
    return refused.value.errors[0].code


def put_off(tmp_path: Path) -> str:
    """The code with which a good picture is refused for now."""
    with pytest.raises(Problem) as refused:
        prepared(tmp_path, paperwork.png(), ".png")
    assert refused.value.status == 503 and refused.value.retry_after
    return refused.value.code


def is_red(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    return pixel[0] > 200 and pixel[1] < 60


def same_pixels(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getbbox() is None


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


# --- what is kept of a JPEG -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"restart_marker_blocks": 7}, {"restart_marker_rows": 1}, {"optimize": True},
     {"subsampling": "4:4:4"}, {"progressive": True, "restart_marker_rows": 2}],
)  # fmt: skip
def test_the_pixels_of_a_photo_are_kept_bit_for_bit(tmp_path: Path, options: dict[str, object]) -> None:
    content = paperwork.photo((320, 233), **options)
    known, picture = prepared(tmp_path, content)
    assert (known.width, known.height) == picture.size == (320, 233)
    assert same_pixels(picture, opened(content))
    # The coded data themselves are those that were sent.
    scan = content[content.index(b"\xff\xda") :]
    assert stored(tmp_path).endswith(scan)


def test_what_was_kept_once_is_kept_as_it_is(tmp_path: Path) -> None:
    prepared(tmp_path, paperwork.jpeg(orientation=6, taken="2026:11:20 09:30:00", place=True))
    once = stored(tmp_path)
    prepared(tmp_path, once)
    assert stored(tmp_path) == once


@pytest.mark.parametrize(
    ("orientation", "size", "red"), [(3, (640, 480), (630, 470)), (6, (480, 640), (470, 5)), (8, (480, 640), (5, 630))]
)
def test_a_turned_photo_is_shown_upright(
    tmp_path: Path, orientation: int, size: tuple[int, int], red: tuple[int, int]
) -> None:
    content = paperwork.jpeg((640, 480), orientation=orientation)
    known, picture = prepared(tmp_path, content)
    assert (known.width, known.height) == size and dict(picture.getexif()) == {0x0112: orientation}
    assert same_pixels(picture, opened(content))
    shown = ImageOps.exif_transpose(picture)
    assert shown.size == size and is_red(shown.getpixel(red))
    small = thumbnail(tmp_path, stored(tmp_path))
    assert (small.width > small.height) == (size[0] > size[1]) and not small.getexif()
    assert is_red(small.getpixel((red[0] * small.width // size[0], red[1] * small.height // size[1])))


def test_time_and_position_are_read_and_then_gone(tmp_path: Path) -> None:
    content = paperwork.jpeg(orientation=6, taken="2026:11:20 09:30:00", place=True, comment=b"secret comment")
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><exif:GPSLatitude>31,48.6N</exif:GPSLatitude></x:xmpmeta>"
    content = with_segments(content, segment(0xE1, xmp), segment(0xED, b"Photoshop 3.0\0secret city"))
    known, picture = prepared(tmp_path, content)
    assert known.taken_at == datetime(2026, 11, 20, 1, 30, tzinfo=UTC)  # a camera without a zone is in China
    assert (known.latitude, known.longitude) == ("31.810700", "119.974000")
    small = thumbnail(tmp_path, stored(tmp_path))
    assert dict(picture.getexif()) == {0x0112: 6} and not picture.getexif().get_ifd(0x8825) and not small.getexif()
    for trace in (b"Huawei", b"secret", b"2026:11:20", b"GPS", b"xmp", b"Photoshop"):
        assert trace not in stored(tmp_path) and trace not in (tmp_path / "thumbnail").read_bytes()


@pytest.mark.parametrize("make", [paperwork.heic, paperwork.webp])
def test_no_position_is_left_in_what_was_another_kind_of_picture(tmp_path: Path, make: object) -> None:
    assert callable(make)
    content = paperwork.heic(place=True) if make is paperwork.heic else paperwork.webp()
    known, picture = prepared(tmp_path, content)
    assert (known.latitude, known.longitude) == ("31.810700", "119.974000")
    assert not picture.getexif() and b"Exif" not in stored(tmp_path) and b"Huawei" not in stored(tmp_path)


def test_every_marker_of_what_is_kept_is_one_that_the_picture_needs(tmp_path: Path) -> None:
    film = b"\0\0\0\x18ftypmp42" + os.urandom(2000)
    content = paperwork.photo(progressive=True)
    content = with_segments(
        content, *(segment(marker, os.urandom(50)) for marker in (*range(0xE1, 0xF0), 0xFE)),
        segment(0xE2, b"MPF\0" + os.urandom(80)), segment(0xE0, b"JFXX\0" + os.urandom(300)),
    )  # fmt: skip
    prepared(tmp_path, content + film)
    kept = stored(tmp_path)
    markers = [kept[place + 1] for place in range(len(kept) - 1) if kept[place] == 0xFF and kept[place + 1] >= 0xC0]
    assert set(markers) - set(range(0xD0, 0xD8)) <= {0xD8, 0xE0, 0xDB, 0xC2, 0xC4, 0xDA, 0xD9}
    assert kept.endswith(b"\xff\xd9") and kept.count(b"\xff\xd9") == 1


def test_between_scans_nothing_is_kept_either(tmp_path: Path) -> None:
    content = paperwork.photo(progressive=True)
    second = content.rindex(b"\xff\xda")
    table = content.rindex(b"\xff\xc4", 0, second)
    prepared(tmp_path, content[:table] + segment(0xFE, b"secret") + content[table:])
    assert b"secret" not in stored(tmp_path) and same_pixels(opened(stored(tmp_path)), opened(content))


@pytest.mark.parametrize(
    "hide",
    [
        lambda content: content.replace(b"\xff\xdb", b"\xff\xdb\0\x16hidden here, just so\xff\xdb", 1),
        lambda content: content.replace(b"\xff\xc0", b"hidden here\xff\xc0", 1),
        lambda content: content.replace(b"\xff\xda", segment(0xDE, b"hidden here") + b"\xff\xda", 1),
        lambda content: content.replace(b"\xff\xda", segment(0xDB, b"\x00" + b"hidden here" * 5 + bytes(9)) * 5
                                        + content[content.index(b"\xff\xdb") : content.index(b"\xff\xc0")]
                                        + b"\xff\xda", 1),
    ],
    ids=["in a table that is too long", "between segments", "in a segment that is unknown",
         "in tables that are written over"],
)  # fmt: skip
def test_what_hides_within_the_stream_is_gone(tmp_path: Path, hide: object) -> None:
    assert callable(hide)
    content = hide(paperwork.photo((160, 120)))
    assert b"hidden here" in content
    with suppress(Problem):  # what the decoder does not bear is refused
        prepared(tmp_path, content)
        assert b"hidden here" not in stored(tmp_path)


def test_restart_markers_that_do_not_count_are_not_kept(tmp_path: Path) -> None:
    content = paperwork.photo((160, 120), restart_marker_blocks=4)
    first = content.index(b"\xff\xd0", content.index(b"\xff\xda"))
    swapped = content[:first] + b"\xff\xd5" + content[first + 2 :]
    prepared(tmp_path, swapped)
    assert swapped[-200:] not in stored(tmp_path)


@pytest.mark.parametrize(
    ("start", "place"), [(b"PK\x05\x06", -500), (b"%PDF-", 700), (b"Rar!\x1a\x07", 9000), (b"7z\xbc\xaf\x27\x1c", 9000)]
)
def test_a_beginning_of_something_else_within_the_coded_data_does_not_survive(
    tmp_path: Path, start: bytes, place: int
) -> None:
    content = photo_with(start, place)
    while decoded(content) is None:  # a picture that is broken by it is refused, which is not what is tested here
        content = photo_with(start, place)
    prepared(tmp_path, content)
    assert start not in stored(tmp_path)


def photo_with(start: bytes, place: int) -> bytes:
    content = bytearray(paperwork.photo())
    content[place : place + len(start)] = start
    assert place < 0 or place > content.index(b"\xff\xda") + 12
    return bytes(content)


def decoded(content: bytes) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            return picture
    except OSError:
        return None


def test_a_motion_photo_loses_its_film(tmp_path: Path) -> None:
    film = b"\0\0\0\x18ftypmp42" + os.urandom(200_000)
    prepared(tmp_path, paperwork.jpeg() + film)
    assert b"ftypmp42" not in stored(tmp_path) and stored(tmp_path).endswith(b"\xff\xd9")


def test_a_photo_of_several_pictures_is_its_first(tmp_path: Path) -> None:
    out = io.BytesIO()
    first = Image.new("RGB", (64, 48), "red")
    first.save(out, "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48), "blue")])
    _, picture = prepared(tmp_path, out.getvalue())
    assert picture.format == "JPEG" and is_red(picture.getpixel((5, 5)))
    assert stored(tmp_path).count(b"\xff\xd8\xff") == 1


def profile_of(colours: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(colours)).tobytes()  # type: ignore[arg-type]


def wide_gamut() -> bytes:
    """The profile of sRGB under another name and with another red, as phones have one of Display P3."""
    profile = profile_of("sRGB")
    return profile.replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be"))


def test_the_colours_of_a_wide_gamut_phone_are_kept_with_their_profile(tmp_path: Path) -> None:
    profile = wide_gamut()
    content = paperwork.photo(icc_profile=profile)
    _, picture = prepared(tmp_path, content)
    assert picture.info["icc_profile"] == profile and same_pixels(picture, opened(content))


@pytest.mark.parametrize(
    "profile", [profile_of("LAB"), wide_gamut() + b"hidden here", b"hidden here" * 200, wide_gamut()[:300]]
)
def test_a_profile_that_is_none_is_not_kept(tmp_path: Path, profile: bytes) -> None:
    _, picture = prepared(tmp_path, paperwork.photo(icc_profile=profile))
    assert "icc_profile" not in picture.info and b"hidden" not in stored(tmp_path)


def test_the_plain_profile_is_left_out(tmp_path: Path) -> None:
    content = paperwork.photo(icc_profile=profile_of("sRGB"))
    _, picture = prepared(tmp_path, content)
    assert "icc_profile" not in picture.info and same_pixels(picture, opened(content))


# --- what real pictures are like ------------------------------------------------------------------------------------


def test_print_settings_of_photoshop_on_a_mac_are_no_web_page(tmp_path: Path) -> None:
    settings = (
        b'Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10<?xml version="1.0"?><!DOCTYPE plist PUBLIC '
        b'"-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd"><plist version="1.0"><dict/>'
    )
    content = with_segments(paperwork.photo(), segment(0xED, settings))
    _, picture = prepared(tmp_path, content)
    assert b"plist" not in stored(tmp_path) and same_pixels(picture, opened(content))


@pytest.mark.parametrize("missing", [1, 2, 3, 40])
def test_a_photo_that_lacks_its_last_bytes_is_taken_and_has_an_end_again(tmp_path: Path, missing: int) -> None:
    content = paperwork.photo((640, 480))
    known, picture = prepared(tmp_path, content[:-missing])
    assert (known.width, known.height) == (640, 480) and stored(tmp_path).endswith(b"\xff\xd9")
    picture.load()
    upper = (0, 0, 640, 448)
    whole = opened(content)
    if missing <= 2:
        assert same_pixels(picture, whole)
    # Written anew, it is the same but for the noise of that.
    difference = ImageChops.difference(picture.crop(upper), whole.convert("RGB").crop(upper))
    assert max(high for _, high in difference.getextrema()) < 40


def test_so_is_a_progressive_one_whose_last_scan_is_cut(tmp_path: Path) -> None:
    content = paperwork.photo((640, 480), progressive=True)
    _, picture = prepared(tmp_path, content[:-50])
    picture.load()
    assert picture.size == (640, 480)


def test_one_of_which_more_is_missing_is_refused(tmp_path: Path) -> None:
    content = paperwork.photo((640, 480))
    assert refusal(tmp_path, content[: len(content) // 2]) == "content_mismatch"
    assert refusal(tmp_path, content[: len(content) * 9 // 10]) == "content_mismatch"
    content = paperwork.photo((640, 480), progressive=True)
    assert refusal(tmp_path, content[: content.rindex(b"\xff\xda")]) == "content_mismatch"


@pytest.mark.parametrize(("size", "kept"), [((8000, 6000), (4000, 3000)), ((8160, 6144), (4080, 3072)),
                                            ((24000, 3000), (12000, 1500))])  # fmt: skip
def test_photos_of_48_and_50_megapixels_and_long_panoramas_are_made_smaller(
    tmp_path: Path, size: tuple[int, int], kept: tuple[int, int]
) -> None:
    out = io.BytesIO()
    image = Image.new("RGB", size, "teal")
    image.paste("red", (0, 0, size[0] // 4, size[1] // 4))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(out, "JPEG", exif=exif)
    known, picture = prepared(tmp_path, out.getvalue())
    # Written anew, it stands upright.
    assert (known.height, known.width) == kept and picture.size == kept[::-1]
    assert is_red(picture.getpixel((kept[1] - 5, 5)))


def test_a_photo_of_200_megapixels_fits_too(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("L", (16384, 12288)).save(out, "JPEG")
    known, _ = prepared(tmp_path, out.getvalue())
    assert (known.width, known.height) == (4096, 3072)


def test_a_progressive_one_of_50_megapixels_fits_too(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8160, 6144), "teal").save(out, "JPEG", progressive=True)
    known, _ = prepared(tmp_path, out.getvalue())
    assert (known.width, known.height) == (4080, 3072)


def test_a_picture_of_40_megapixels_keeps_its_size(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8000, 5000), "teal").save(out, "JPEG")
    known, _ = prepared(tmp_path, out.getvalue())
    assert (known.width, known.height) == (8000, 5000)


@pytest.mark.parametrize(("size", "kept"), [((8000, 5000), (8000, 5000)), ((8160, 6144), (4080, 3072))])
def test_so_does_a_png_with_transparency_and_a_larger_one_is_made_smaller(
    tmp_path: Path, size: tuple[int, int], kept: tuple[int, int]
) -> None:
    out = io.BytesIO()
    Image.new("RGBA", size, (1, 2, 3, 4)).save(out, "PNG", compress_level=1)
    known, _ = prepared(tmp_path, out.getvalue(), ".png")
    assert (known.width, known.height) == kept


@pytest.mark.only_in_rounds  # ten seconds of one core; smaller ones run every time
def test_a_heic_of_48_megapixels_is_made_smaller(tmp_path: Path) -> None:
    known, picture = prepared(tmp_path, paperwork.heic((8064, 6048)))
    assert (known.width, known.height) == picture.size == (4032, 3024) and is_red(picture.getpixel((9, 9)))


def test_a_picture_of_900_megapixels_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, paperwork.huge_png(), ".png") == "picture_too_large"


def test_so_is_a_jpeg_that_claims_to_be_as_large(tmp_path: Path) -> None:
    content = bytearray(paperwork.photo((64, 64)))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = b"\xff\x00\xff\x00"
    assert refusal(tmp_path, bytes(content)) == "picture_too_large"


@pytest.mark.parametrize("make", [paperwork.heic, paperwork.webp])
def test_photos_of_iphones_and_androids_become_jpeg(tmp_path: Path, make: object) -> None:
    assert callable(make)
    known, picture = prepared(tmp_path, make())
    assert picture.format == "JPEG" and (known.width, known.height) == picture.size == (640, 480)
    assert is_red(picture.getpixel((5, 5)))
    assert known.taken_at == datetime(2026, 11, 20, 1, 30, tzinfo=UTC) or make is paperwork.webp


def test_a_turned_photo_of_an_iphone_stands_upright(tmp_path: Path) -> None:
    known, picture = prepared(tmp_path, paperwork.heic(orientation=6))
    assert (known.width, known.height) == picture.size == (480, 640) and is_red(picture.getpixel((470, 5)))
    assert not picture.getexif()


def test_an_animated_picture_is_its_first(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    for format_, wanted in (("WEBP", ".jpg"), ("PNG", ".png")):
        out = io.BytesIO()
        frames[0].save(out, format_, save_all=True, append_images=frames[1:], lossless=True)
        _, picture = prepared(tmp_path, out.getvalue(), wanted)
        assert is_red(picture.convert("RGB").getpixel((5, 5))) and getattr(picture, "n_frames", 1) == 1


def test_an_interlaced_png_is_taken(tmp_path: Path) -> None:
    _, picture = prepared(tmp_path, paperwork.interlaced_png(), ".png")
    assert [picture.convert("L").getpixel((x, 0)) for x in range(4)] == [0, 80, 160, 240]


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_scans_in_other_colour_modes_are_taken(tmp_path: Path, mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (64, 64), 0).save(out, "JPEG")
    _, picture = prepared(tmp_path, out.getvalue())
    assert picture.mode in ("L", "RGB") and same_pixels(picture, opened(out.getvalue()))


def test_the_four_colours_of_a_printer_become_three_that_look_the_same(tmp_path: Path) -> None:
    for content in (paperwork.cmyk_jpeg("red"), paperwork.ycck_jpeg("red")):
        _, picture = prepared(tmp_path, content)
        assert picture.mode == "RGB" and is_red(picture.getpixel((5, 5)))
        assert is_red(thumbnail(tmp_path, content).getpixel((5, 5)))


def test_a_signature_keeps_its_transparency_and_shows_black_on_white(tmp_path: Path) -> None:
    _, picture = prepared(tmp_path, paperwork.png(text="secret"), ".png")
    assert picture.format == "PNG" and picture.getpixel((2, 2)) == (0, 0, 0, 0)
    assert b"secret" not in stored(tmp_path)
    small = thumbnail(tmp_path, stored(tmp_path))
    assert min(small.getpixel((1, 1))) > 240 and max(small.getpixel((150, 50))) < 15
    _, flat = prepared(tmp_path, paperwork.png(), ".jpg")
    assert min(flat.getpixel((1, 1))) > 240 and max(flat.getpixel((150, 50))) < 15


def test_a_thumbnail_of_16_bit_grey_is_grey(tmp_path: Path) -> None:
    out = io.BytesIO()
    scan = Image.new("I;16", (640, 480), 0x8000)
    scan.save(out, "PNG")
    for content in (out.getvalue(), (prepared(tmp_path, out.getvalue(), ".png"), stored(tmp_path))[1]):
        assert abs(thumbnail(tmp_path, content).convert("L").getpixel((9, 9)) - 0x80) < 4
    _, picture = prepared(tmp_path, out.getvalue(), ".jpg")
    assert abs(picture.convert("L").getpixel((9, 9)) - 0x80) < 4


@pytest.mark.parametrize("mode", ["1", "P"])
def test_a_thumbnail_of_a_fax_or_of_a_palette_is_smooth(tmp_path: Path, mode: str) -> None:
    stripes = Image.new("L", (1280, 960), 255)
    for x in range(0, 1280, 4):
        stripes.paste(0, (x, 0, x + 2, 960))
    out = io.BytesIO()
    stripes.convert(mode).save(out, "PNG")
    small = thumbnail(tmp_path, out.getvalue()).convert("L").crop((10, 10, 310, 230))
    low, high = small.getextrema()
    assert 100 < low <= high < 155


def test_a_camera_that_names_its_zone_is_believed(tmp_path: Path) -> None:
    known, _ = prepared(tmp_path, paperwork.jpeg(taken="2026:11:20 09:30:00", offset="+09:00"))
    assert known.taken_at == datetime(2026, 11, 20, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("taken", ["0000:00:00 00:00:00", "yesterday", "2026:13:45 99:00:00", None])
def test_a_time_that_is_none_is_left_out(tmp_path: Path, taken: str | None) -> None:
    known, _ = prepared(tmp_path, paperwork.jpeg(taken=taken))
    assert (known.taken_at, known.latitude, known.longitude) == (None, None, None)


# --- what is refused ------------------------------------------------------------------------------------------------


def zip_behind(content: bytes) -> bytes:
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("evil.exe", b"MZ")
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        zip_behind(paperwork.jpeg()),
        paperwork.jpeg() + b"\r\n<html><script>alert(1)</script>",
        paperwork.jpeg() + b"\0\0%PDF-1.7",
        paperwork.jpeg() + b"MZ\x90\0",
        paperwork.jpeg() + b"#!/bin/sh",
        paperwork.jpeg() + os.urandom(5000) + b"<script>alert(1)</script>",
        paperwork.jpeg(comment=b"<?php system($_GET[0]); ?>"),
        paperwork.jpeg(comment=b"*/=alert(1)//<html>"),
        paperwork.jpeg(comment=b"<!DOCTYPE html>"),
        paperwork.jpeg(comment=b"%PDF-1.4"),
        paperwork.jpeg(comment=b"PK\x03\x04" + bytes(20)) + b"PK\x05\x06" + bytes(18),
    ],
)  # fmt: skip
def test_a_picture_that_is_something_else_besides_is_refused(tmp_path: Path, content: bytes) -> None:
    opened(content).load()
    assert refusal(tmp_path, content) == "polyglot"


def described_png(text: str) -> bytes:
    described, out = PngInfo(), io.BytesIO()
    described.add_text("Comment", text)
    Image.new("L", (9, 9)).save(out, "PNG", pnginfo=described)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        described_png("<script>"),
        paperwork.png() + b"<html>",
        paperwork.png() + b"PK\x03\x04",
        zip_behind(paperwork.webp()),
        paperwork.webp() + b"<html>",
        zip_behind(paperwork.heic()),
        paperwork.heic() + b"\x7fELF",
        paperwork.heic() + os.urandom(100) + b"<script>alert(1)</script>",
    ],
)
def test_so_is_one_of_another_kind(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content) == "polyglot"


HEAD = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"


@pytest.mark.parametrize(
    "made_to_last",
    [HEAD + b"\xff" * 6_000_000, HEAD + b"\xff\xe1\x00\x02" * 1_500_000, HEAD + b"\xff\xdb\x00\x02" * 1_500_000,
     HEAD + b"<!doctype" + b" " * 6_000_000, HEAD + b"\xff\xda\x00\x02" * 1_500_000],
)  # fmt: skip
def test_what_is_made_to_take_the_time_of_the_walk_does_not(tmp_path: Path, made_to_last: bytes) -> None:
    assert refusal(tmp_path, made_to_last) == "content_mismatch"


def test_nor_do_restart_markers_without_end(tmp_path: Path) -> None:
    content = paperwork.photo((64, 64), restart_marker_blocks=1)
    stream = lossless.parse(content[:-2] + b"\xff\xd0" * 3_000_000 + content[-2:])
    assert stream is not None and stream.whole and not stream.plain


@pytest.mark.parametrize(
    "content",
    [
        b"#!/bin/sh",
        paperwork.jpeg()[:20],
        b"\xff\xd8\xff\xe0",
        b"\xff\xd8\xff" + os.urandom(5000),
        paperwork.png()[:60],
        paperwork.heic()[:-50],
        paperwork.webp()[:400],
        paperwork.pdf(),
        b"GIF89a" + bytes(50),
        b"",
    ],
)
def test_what_is_no_whole_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content) == "content_mismatch"


# --- the child ------------------------------------------------------------------------------------------------------


@pytest.fixture
def odd_child(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Whatever is asked of it, the child does what `tests/assets/odd_picture_worker.py` does for this byte."""
    server = ForkServer("tests.assets.odd_picture_worker")
    monkeypatch.setattr(fork_servers, "TIMEOUT", 0.5)
    monkeypatch.setattr(pictures, "_fork_server", server)
    yield monkeypatch
    server.stop()


@pytest.mark.parametrize("end", [b"x", b"s", b"a", b"m"])
def test_a_child_that_its_own_bounds_or_the_picture_end_refuses_the_picture_only(
    tmp_path: Path, odd_child: pytest.MonkeyPatch, end: bytes
) -> None:
    odd_child.setattr(pictures, "_AS_PNG", end)
    assert refusal(tmp_path, paperwork.png(), ".png") == "content_mismatch"


@pytest.mark.parametrize(("end", "code"), [(b"h", "not_ready"), (b"9", "not_ready"), (b"q", "disk_full")])
def test_a_picture_may_be_sent_again_when_the_machine_is_short_of_something(
    tmp_path: Path, odd_child: pytest.MonkeyPatch, end: bytes, code: str
) -> None:
    odd_child.setattr(pictures, "_AS_PNG", end)
    assert put_off(tmp_path) == code


def test_a_picture_may_be_sent_again_when_the_disk_is_full(tmp_path: Path) -> None:
    (tmp_path / "picture").symlink_to("/dev/full")
    assert put_off(tmp_path) == "disk_full"


def test_a_picture_that_takes_all_the_memory_is_refused(tmp_path: Path) -> None:
    # 250 megapixels in four colours, of which the decoder keeps every coefficient.
    content = bytearray(paperwork.photo((64, 64), progressive=True, subsampling="4:4:4"))
    frame = content.index(b"\xff\xc2")
    content[frame + 5 : frame + 9] = (15000).to_bytes(2, "big") + (16000).to_bytes(2, "big")
    assert refusal(tmp_path, bytes(content)) == "picture_too_large"


def test_nothing_is_decoded_in_the_process_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_more: object) -> None:
        raise AssertionError("a decoder was asked in the server's own process")

    with monkeypatch.context() as patched:
        patched.setattr(Image, "open", refuse)
        patched.setattr(Image.Image, "load", refuse)
        for content, wanted in ((paperwork_photo, ".jpg"), (paperwork_heic, ".jpg"), (paperwork_png, ".png")):
            source, target = tmp_path / "source", tmp_path / "picture"
            source.write_bytes(content)
            pictures.prepare(source, FILE_TYPES[wanted], target, TimeLimit(120))
            pictures.make_thumbnail(target, tmp_path / "thumbnail", TimeLimit(120))


paperwork_photo, paperwork_heic, paperwork_png = paperwork.photo(), paperwork.heic(), paperwork.png()


def test_what_asks_for_pictures_imports_no_decoder() -> None:
    program = (
        "import sys\nimport assets.files.pictures.pictures, assets.files.thumbnails\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('PIL', 'pillow_heif')])"
    )
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, text=True)
    assert told.stdout.strip() == "[]"


def test_a_fork_server_that_was_killed_costs_no_picture(tmp_path: Path) -> None:
    prepared(tmp_path, paperwork.png(), ".png")
    pid = pictures._fork_server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    known, _ = prepared(tmp_path, paperwork.png(), ".png")
    assert known.width == 300 and pictures._fork_server.pid != pid


def test_whatever_is_kept_is_taken_by_a_decoder(tmp_path: Path) -> None:
    """Tables and heads spoilt in 600 ways: refused, or written anew, or kept and good to look at."""
    chance, kept = random.Random(11), 0
    for options in ({}, {"progressive": True}, {"restart_marker_blocks": 3}):
        whole = paperwork.photo((96, 64), **options)
        head = whole.index(b"\xff\xda") + 14
        for _ in range(200):
            content = bytearray(whole)
            for _ in range(chance.choice((1, 1, 2, 5))):
                content[chance.randrange(2, head)] = chance.randrange(256)
            stream = lossless.parse(bytes(content))
            found = lossless.strip(stream) if stream else None
            if found is not None:
                kept += 1
                opened(b"".join(found.pieces)).load()
    assert kept > 100
