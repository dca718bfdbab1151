"""Fetches Noto Sans SC and Noto Serif SC for the set-up: `python -m assets.paper.fetch_fonts [ARCHIVE…]`.

The archives come from the npm registry (as files over HTTPS; npm itself is not needed) and are
checked against the sums below. ARCHIVE is the same file, brought along to a machine without a
network; both are, in this order. Ends with 1 and a warning when it cannot be had: the server runs without it.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from assets.paper.fonts import SET_UP_FOLDER


@dataclass(frozen=True, slots=True)
class Family:
    """A font family as an archive of the registry; `integrity` as it publishes it, in the notation of npm's lock
    files."""

    name: str
    version: str
    integrity: str
    members: tuple[str, ...]


SANS = Family(
    "noto-sans-sc",
    "0.4.3",
    # pragma: allowlist nextline secret
    "sha512-9rAwdFTFHbO/u6Cs0gj2jZbW74TGIiaFNQnXYH2s5wA1bzVkwbaviL4t8YUV642eGYjg86eH6DkAEQmfNHDncQ==",
    (
        "package/400Regular/NotoSansSC_400Regular.ttf",
        "package/700Bold/NotoSansSC_700Bold.ttf",
        "package/LICENSE_FONT",
    ),
)
SERIF = Family(
    "noto-serif-sc",
    "0.4.3",
    # pragma: allowlist nextline secret
    "sha512-fSmUpiSFtSeyHV45/2xUOy5SdfExklQwwMKN3cQjAZAujITHDmSbpMHCVdCMhRqMjQtu0ZRgc29u8A+CU3akfw==",
    (
        "package/400Regular/NotoSerifSC_400Regular.ttf",
        "package/700Bold/NotoSerifSC_700Bold.ttf",
        "package/LICENSE_FONT",
    ),
)
FAMILIES = (SANS, SERIF)
_DEFAULT_REGISTRY = "https://registry.npmjs.org"
_TIMEOUT = 30
_ATTEMPTS = 2
_CHUNK = 1024 * 1024


class FetchFailed(Exception):
    """The archive could not be downloaded, or does not have the expected checksum."""


def registry() -> str:
    """The npm registry: `NPM_CONFIG_REGISTRY`, what npm is set up with where it is installed, or the public one."""
    named = os.environ.get("NPM_CONFIG_REGISTRY") or os.environ.get("npm_config_registry")  # noqa: SIM112 -- npm reads both
    npm = shutil.which("npm")
    if not named and npm:
        with suppress(OSError, subprocess.SubprocessError):
            asked = subprocess.run(  # noqa: S603 -- npm itself
                [npm, "config", "get", "registry"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT, check=True,
            )  # fmt: skip
            named = asked.stdout.strip()
    return (named if named and named.startswith(("https://", "http://")) else _DEFAULT_REGISTRY).rstrip("/")


def fetch_all(folder: Path, archives: Sequence[Path] = ()) -> bool:
    """Put all families below `folder`, from these archives where they were brought along. Raises `FetchFailed`."""
    brought = [*archives, *[None] * len(FAMILIES)]
    fetched = [fetch(folder, archive, family=one) for one, archive in zip(FAMILIES, brought, strict=False)]
    return any(fetched)


def fetch(folder: Path, archive: Path | None = None, *, family: Family = SANS) -> bool:
    """Put the fonts of a family below `folder`, unless they are there; whether something was done.

    Raises `FetchFailed`. They appear together or not at all.
    """
    home = folder / f"{family.name}-{family.version}"
    if all((home / Path(member).name).is_file() for member in family.members):
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as scratch:
            if archive is None:
                archive = Path(scratch) / "archive.tgz"
                address = f"{registry()}/@expo-google-fonts/{family.name}/-/{family.name}-{family.version}.tgz"
                _download(address, archive)
            _check(archive, family.integrity)
            ready = Path(scratch) / "ready"
            ready.mkdir()
            _unpack(archive, ready, family.members)
            if home.exists():
                shutil.rmtree(home)
            ready.rename(home)
    except (OSError, tarfile.TarError, KeyError) as error:
        raise FetchFailed(f"{type(error).__name__}: {error}") from error
    return True


def _download(url: str, target: Path) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer, target.open("wb") as file:  # noqa: S310 -- http(s) only: see `registry`
                shutil.copyfileobj(answer, file, _CHUNK)
            return
        except OSError as error:
            if attempt == _ATTEMPTS:
                raise FetchFailed(f"{url}: {error}") from error
        time.sleep(1)


def _check(archive: Path, integrity: str) -> None:
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    if integrity != "sha512-" + base64.b64encode(digest).decode():
        raise FetchFailed("the archive is not the one that this version was made with (its sha512 differs)")


def _unpack(archive: Path, folder: Path, members: Sequence[str]) -> None:
    with tarfile.open(archive, "r:gz") as tar:
        for name in members:
            source = tar.extractfile(name)
            if source is None:
                raise FetchFailed(f"{name} is not a file")
            with source, (folder / Path(name).name).open("wb") as target:
                shutil.copyfileobj(source, target, _CHUNK)


def main(arguments: list[str]) -> int:
    """Entry of the set-up."""
    try:
        if fetch_all(SET_UP_FOLDER, [Path(argument) for argument in arguments]):
            print(f"Chinese type (Noto Sans SC, Noto Serif SC) is now in {SET_UP_FOLDER}")
    except FetchFailed as failed:
        print(
            f"Warning: the Chinese type for posters and PDF files could not be fetched.\n  {failed}\n"
            "  The server runs all the same and uses a font of the system, where there is one:\n"
            "  apt-get install fonts-noto-cjk     or run  make setup  again with a network.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
