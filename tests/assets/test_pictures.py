"""Pictures are turned upright, stripped, bounded, and judged in a child process."""

import io
import os
import resource
import signal
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from assets import picture_worker, pictures
from assets.file_types import FILE_TYPES
from assets.pictures import Picture
from core.errors import Problem
from tests import paperwork


def reencoded(tmp_path: Path, content: bytes, extension: str = ".jpg") -> tuple[Picture, Image.Image, Image.Image]:
    source, picture, thumbnail = tmp_path / "source", tmp_path / "picture", tmp_path / "thumbnail"
    source.write_bytes(content)
    known = pictures.reencode(source, FILE_TYPES[extension], picture, thumbnail)
    return known, Image.open(picture), Image.open(thumbnail)


def refusal(tmp_path: Path, content: bytes, extension: str = ".jpg") -> str:
    with pytest.raises(Problem) as refused:
        reencoded(tmp_path, content, extension)
    assert refused.value.status == 422
    assert any("\u4e00" <= character <= "\u9fff" for character in refused.value.errors[0].message)
    return refused.value.errors[0].code


def put_off(tmp_path: Path) -> str:
    """The code with which a good photo is refused for now."""
    with pytest.raises(Problem) as refused:
        reencoded(tmp_path, paperwork.jpeg())
    assert refused.value.status == 503 and refused.value.retry_after
    return refused.value.code


def program(tmp_path: Path, source: str) -> Path:
    """A child process that does something else."""
    path = tmp_path / "child.py"
    path.write_text(source)
    return path


def is_red(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    return pixel[0] > 200 and pixel[1] < 60


def test_a_photo_is_kept_with_its_size(tmp_path: Path) -> None:
    known, picture, thumbnail = reencoded(tmp_path, paperwork.jpeg((640, 480)))
    assert (known.width, known.height) == picture.size == (640, 480)
    assert picture.format == "JPEG" and is_red(picture.getpixel((5, 5)))
    assert thumbnail.format == "JPEG" and thumbnail.size == (320, 240)


@pytest.mark.parametrize(
    ("orientation", "size", "red"), [(3, (640, 480), (630, 470)), (6, (480, 640), (470, 5)), (8, (480, 640), (5, 630))]
)
def test_a_turned_photo_stands_upright(
    tmp_path: Path, orientation: int, size: tuple[int, int], red: tuple[int, int]
) -> None:
    known, picture, thumbnail = reencoded(tmp_path, paperwork.jpeg((640, 480), orientation=orientation))
    assert (known.width, known.height) == picture.size == size
    assert is_red(picture.getpixel(red)) and not picture.getexif()
    assert (thumbnail.width > thumbnail.height) == (size[0] > size[1])


def test_time_and_position_are_read_and_then_gone(tmp_path: Path) -> None:
    content = paperwork.jpeg(taken="2026:11:20 09:30:00", place=True, comment=b"secret comment")
    known, picture, _ = reencoded(tmp_path, content)
    assert known.taken_at == datetime(2026, 11, 20, 1, 30, tzinfo=UTC)  # a camera without a zone is in China
    assert (known.latitude, known.longitude) == ("31.810700", "119.974000")
    stored, small = (tmp_path / "picture").read_bytes(), (tmp_path / "thumbnail").read_bytes()
    assert not picture.getexif() and "exif" not in picture.info
    for trace in (b"Exif", b"Huawei", b"secret", b"2026:11:20", b"GPS"):
        assert trace not in stored and trace not in small


def test_a_camera_that_names_its_zone_is_believed(tmp_path: Path) -> None:
    known, _, _ = reencoded(tmp_path, paperwork.jpeg(taken="2026:11:20 09:30:00", offset="+09:00"))
    assert known.taken_at == datetime(2026, 11, 20, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("taken", ["0000:00:00 00:00:00", "yesterday", "2026:13:45 99:00:00", None])
def test_a_time_that_is_none_is_left_out(tmp_path: Path, taken: str | None) -> None:
    known, _, _ = reencoded(tmp_path, paperwork.jpeg(taken=taken))
    assert (known.taken_at, known.latitude, known.longitude) == (None, None, None)


def test_a_signature_keeps_its_transparency_and_shows_black_on_white(tmp_path: Path) -> None:
    _, picture, thumbnail = reencoded(tmp_path, paperwork.png(text="secret"), ".png")
    assert picture.format == "PNG" and picture.getpixel((2, 2)) == (0, 0, 0, 0)
    assert b"secret" not in (tmp_path / "picture").read_bytes()
    assert min(thumbnail.getpixel((1, 1))) > 240 and max(thumbnail.getpixel((150, 50))) < 15


def test_the_colours_of_a_wide_gamut_phone_become_plain_ones(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(out, "JPEG", icc_profile=profile.tobytes())
    _, picture, _ = reencoded(tmp_path, out.getvalue())
    assert "icc_profile" not in picture.info


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_scans_in_other_colour_modes_are_taken(tmp_path: Path, mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (64, 64)).save(out, "JPEG")
    _, picture, _ = reencoded(tmp_path, out.getvalue())
    assert picture.mode in ("L", "RGB")


def test_a_photo_of_several_pictures_is_its_first(tmp_path: Path) -> None:
    out = io.BytesIO()
    first = Image.new("RGB", (64, 48), "red")
    first.save(out, "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48), "blue")])
    _, picture, _ = reencoded(tmp_path, out.getvalue())
    assert picture.format == "JPEG" and is_red(picture.getpixel((5, 5)))
    assert (tmp_path / "picture").read_bytes().count(b"\xff\xd8\xff") == 1


def test_a_motion_photo_loses_its_film(tmp_path: Path) -> None:
    film = b"\0\0\0\x18ftypmp42" + os.urandom(200_000)
    reencoded(tmp_path, paperwork.jpeg() + film)
    assert b"ftypmp42" not in (tmp_path / "picture").read_bytes()


def zip_behind() -> bytes:
    out = io.BytesIO(paperwork.jpeg())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("evil.exe", b"MZ")
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        zip_behind(),
        paperwork.jpeg() + b"\r\n<html><script>alert(1)</script>",
        paperwork.jpeg() + b"\0\0%PDF-1.7",
        paperwork.jpeg() + b"MZ\x90\0",
        paperwork.jpeg() + b"#!/bin/sh",
        paperwork.jpeg() + os.urandom(5000) + b"<script>alert(1)</script>",
        paperwork.jpeg(comment=b"<?php system($_GET[0]); ?>"),
        paperwork.jpeg(comment=b"*/=alert(1)//<html>"),
        paperwork.jpeg(comment=b"%PDF-1.4"),
        paperwork.jpeg(comment=b"PK\x03\x04" + bytes(20)) + b"PK\x05\x06" + bytes(18),
    ],
)  # fmt: skip
def test_a_picture_that_is_something_else_besides_is_refused(tmp_path: Path, content: bytes) -> None:
    Image.open(io.BytesIO(content)).load()
    assert refusal(tmp_path, content) == "polyglot"


@pytest.mark.parametrize(
    "content", [paperwork.png(text="<script>"), paperwork.png() + b"<html>", paperwork.png() + b"PK\x03\x04"]
)
def test_so_is_a_png(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content, ".png") == "polyglot"


def test_a_picture_of_900_megapixels_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, paperwork.huge_png(), ".png") == "picture_too_large"


def test_a_picture_of_a_little_over_40_megapixels_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("L", (8000, 5001)).save(out, "JPEG")
    assert refusal(tmp_path, out.getvalue()) == "picture_too_large"


def test_a_picture_of_40_megapixels_is_taken(tmp_path: Path) -> None:
    out = io.BytesIO()
    image = Image.new("RGB", (8000, 5000), "teal")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(out, "JPEG", exif=exif)
    known, _, _ = reencoded(tmp_path, out.getvalue())
    assert (known.width, known.height) == (5000, 8000)


def test_a_png_of_40_megapixels_with_transparency_fits_too(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (8000, 5000), (1, 2, 3, 4)).save(out, "PNG", compress_level=1)
    known, _, _ = reencoded(tmp_path, out.getvalue(), ".png")
    assert (known.width, known.height) == (8000, 5000)


@pytest.mark.parametrize(
    "content",
    [
        b"#!/bin/sh",
        paperwork.jpeg()[:2000],
        paperwork.jpeg()[:20],
        b"\xff\xd8\xff\xe0",
        paperwork.pdf(),
        b"GIF89a" + bytes(50),
    ],
)
def test_what_is_no_whole_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content) == "content_mismatch"


def test_a_picture_must_be_what_its_extension_says(tmp_path: Path) -> None:
    assert refusal(tmp_path, paperwork.png(), ".jpg") == "content_mismatch"
    assert refusal(tmp_path, paperwork.jpeg(), ".png") == "content_mismatch"


def test_a_child_that_dies_refuses_the_picture_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = "resource.RLIMIT_AS, (1 << 28, 1 << 28)"
    dying = program(tmp_path, f"import resource\nresource.setrlimit({limits})\nx = bytearray(1 << 30)")
    monkeypatch.setattr(pictures, "_PROGRAM", dying)
    assert refusal(tmp_path, paperwork.jpeg()) == "content_mismatch"


@pytest.mark.parametrize("end", [signal.SIGXCPU, signal.SIGSEGV, signal.SIGABRT])
def test_so_does_one_that_its_own_bounds_or_the_picture_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: signal.Signals
) -> None:
    monkeypatch.setattr(pictures, "_PROGRAM", program(tmp_path, f"import os\nos.kill(os.getpid(), {end:d})"))
    assert refusal(tmp_path, paperwork.jpeg()) == "content_mismatch"


def test_a_child_that_hangs_is_ended_and_the_picture_may_be_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_PROGRAM", program(tmp_path, "import signal\nsignal.pause()"))
    monkeypatch.setattr(pictures, "TIMEOUT", 0.5)
    assert put_off(tmp_path) == "not_ready"


def test_a_picture_may_be_sent_again_when_the_machine_is_out_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_PROGRAM", program(tmp_path, f"import os\nos.kill(os.getpid(), {signal.SIGKILL:d})"))
    assert put_off(tmp_path) == "not_ready"


@pytest.mark.parametrize("full", ["picture", "thumbnail"])
def test_a_picture_may_be_sent_again_when_the_disk_is_full(tmp_path: Path, full: str) -> None:
    (tmp_path / full).symlink_to("/dev/full")
    assert put_off(tmp_path) == "storage_unavailable"


def test_the_child_bounds_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = {}
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: bounds.update({which: limits}))
    picture_worker.bound_self()
    assert bounds[resource.RLIMIT_AS][1] <= 1024**3
    assert bounds[resource.RLIMIT_CORE][1] == 0 and bounds[resource.RLIMIT_FSIZE][1] <= 256 * 1024**2
    # The hard limit kills as a machine does that is out of memory: the soft one comes first.
    soft, hard = bounds[resource.RLIMIT_CPU]
    assert soft < hard <= 30 and soft < pictures.TIMEOUT
