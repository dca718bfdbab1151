"""Where the figures of the workers stand: room is taken before it is mapped, or nothing is counted."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from cli import worker_figures
from cli.worker_figures import KINDS, Figures
from miniapp_api import health
from tests.servers import ROOT


@pytest.fixture(autouse=True)
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for shared memory; the variable that the library reads is put back afterwards."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    folder = tmp_path / "shared"
    folder.mkdir()
    monkeypatch.setattr(worker_figures, "SHARED_MEMORY", folder)
    return folder


def no_room(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    take = os.posix_fallocate

    def fallocate(descriptor: int, start: int, length: int) -> None:
        if any(Path(os.readlink(f"/proc/self/fd/{descriptor}")).is_relative_to(folder) for folder in folders):
            raise OSError(28, "No space left on device")
        take(descriptor, start, length)

    monkeypatch.setattr(os, "posix_fallocate", fallocate)


def test_figures_stand_in_shared_memory_for_the_owner_only_and_their_room_is_taken(
    shared: Path, tmp_path: Path
) -> None:
    figures = Figures(tmp_path, 2)
    assert figures.folder is not None and figures.folder.parent == shared
    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(figures.folder)
    assert figures.folder.stat().st_mode & 0o077 == 0
    assert figures.reserve()
    for kind, size in KINDS.items():
        found = (figures.folder / f"{kind}_{os.getpid()}.db").stat()
        assert found.st_size == size and found.st_blocks * 512 >= size
    figures.remove()
    assert list(shared.iterdir()) == []


def test_without_room_in_shared_memory_they_stand_in_the_data_folder(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_room(monkeypatch, shared)
    figures = Figures(tmp_path, 2)
    assert figures.folder is not None and figures.folder.parent == tmp_path / "metrics"
    assert list(shared.iterdir()) == []


def test_without_room_anywhere_the_server_starts_and_each_worker_counts_for_itself(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_room(monkeypatch, tmp_path)
    figures = Figures(tmp_path, 2)
    assert figures.folder is None and "PROMETHEUS_MULTIPROC_DIR" not in os.environ
    assert figures.reserve()
    figures.give_back(os.getpid())
    figures.remove()


def test_a_worker_that_is_started_without_room_counts_nothing(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = Figures(tmp_path, 2)
    no_room(monkeypatch, shared)
    assert not figures.reserve()
    assert figures.folder is not None and {file.name for file in figures.folder.iterdir()} == {"lock"}
    monkeypatch.setattr(health, "_counting", True)
    health.count_nothing()
    health.observe("/nowhere", "GET", 200, 0.1)
    assert 'route="/nowhere"' not in health.generate_latest(health.REGISTRY).decode()


def test_a_method_that_somebody_made_up_gets_no_figure_of_its_own() -> None:
    for number in range(5):
        health.observe("/somewhere", f"BREW{number}", 405, 0.1)
    told = health.generate_latest(health.REGISTRY).decode()
    assert 'method="other",route="/somewhere",status="405"} 5.0' in told and "BREW" not in told


def test_a_worker_that_has_ended_leaves_its_figures_and_gives_back_the_rest(shared: Path, tmp_path: Path) -> None:
    figures = Figures(tmp_path, 2)
    figures.reserve()
    assert figures.folder is not None
    file = figures.folder / f"counter_{os.getpid()}.db"
    with file.open("rb+") as written:
        written.write(struct.pack("i", 4000))
    figures.give_back(os.getpid())
    assert file.stat().st_size == 4000


def test_the_folder_of_a_server_that_was_killed_is_removed_and_that_of_a_living_one_stays(
    shared: Path, tmp_path: Path
) -> None:
    program = (
        "import pathlib, sys, cli.worker_figures as figures; figures.SHARED_MEMORY = pathlib.Path(sys.argv[1]); "
        "f = figures.Figures(pathlib.Path(sys.argv[1]), 2); print(f.folder, flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(shared)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None and other.stdin is not None
    folder = Path(other.stdout.readline().strip())
    try:
        Figures(tmp_path, 2).remove()
        assert folder.is_dir()
    finally:
        other.kill()
        other.communicate()
    Figures(tmp_path, 2).remove()
    assert not folder.exists()
