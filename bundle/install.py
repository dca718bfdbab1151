"""Installs and upgrades the product on a server without internet: `python3 gongpin-VERSION-linux-MACHINE.pyz FOLDER`.

It runs inside the archive and uses only Python's standard library; its messages are Chinese. It makes:

    FOLDER/settings.env      the settings; written once, then changed by the administrator only
    FOLDER/var/              the data, unless DATA_DIR names another folder; written by the program only
    FOLDER/manage            the command line, with those settings
    FOLDER/gongpin.service   for systemd
    FOLDER/current           link to the release that runs; `previous`: the one that ran before
    FOLDER/releases/NAME/    code, libraries and fonts of one release

Each release has a folder of its own and is valid only if it contains a file `.complete`. The symbolic link `current` is
replaced in one step at the very end, so that an interruption before leaves the former release in use.
"""

import argparse
import fcntl
import getpass
import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

# This file uses the syntax of Python 3.6, so that an old Python can run it and report that it is too old.

COMPLETE = ".complete"
REFUSED = 2

SETTINGS = """\
# 工品查的设置。一行一项：名称=值，值中有空格、$ 等符号时用单引号括起；以 # 开头的行不起作用。改后须重新启动服务。
# 服务监听的地址和端口：
HOST=127.0.0.1
PORT=8000
# 手机访问的网址，印在二维码上：
#PUBLIC_URL=https://gongpin.example.gov.cn
# 0：不装入演示数据。
DEMO=0
# 默认用 SQLite，数据在 var 目录。用 PostgreSQL 时：
#DATABASE_URL=postgresql://gongpin:密码@127.0.0.1/gongpin
# 每日备份（强烈建议）：目录最好在另一块磁盘或另一台机器；公钥用 ./manage backup key 生成。
#BACKUP_DIR=/backup/gongpin
#BACKUP_RECIPIENT=age1...
#BACKUP_KEEP=14
"""

MANAGE = """\
#!/bin/sh
# 管理命令：./manage --help。设置在 settings.env 中。
home=$(cd "$(dirname "$0")" && pwd) || exit 2
set -a
. "$home/settings.env" || exit 2
set +a
: "${DATA_DIR:=$home/var}"
export DATA_DIR
exec "$home/current/manage" "$@"
"""

SERVICE = """\
# 安装：sudo cp gongpin.service /etc/systemd/system/ && sudo systemctl enable --now gongpin
[Unit]
Description=Gongpin market supervision
After=network-online.target postgresql.service

[Service]
User=%(user)s
WorkingDirectory=%(home)s
ExecStart=%(home)s/manage serve
Restart=on-failure
RestartSec=5
TimeoutStopSec=30
UMask=0077

[Install]
WantedBy=multi-user.target
"""


class Refused(Exception):
    """Nothing was changed, or changes were undone; the text is a Chinese sentence that says what to do."""


def say(text: str) -> None:
    """Print a line for the administrator without delay."""
    print(text, flush=True)


# ---- the archive


class Archive:
    """The archive that runs this file."""

    def __init__(self, path: str) -> None:
        self._zip = zipfile.ZipFile(path)
        content = self._zip.read("manifest.json")
        self.manifest: Dict[str, Any] = json.loads(content.decode())
        self.name = "%s-%s" % (self.manifest["version"], hashlib.sha256(content).hexdigest()[:10])

    def unpack(self, start: str, folder: Path) -> None:
        """Unpack the members below `start` into a folder; each must have its checksum in the manifest."""
        for name, expected in self.manifest["files"].items():
            if not name.startswith(start):
                continue
            content = self._zip.read(name)
            if hashlib.sha256(content).hexdigest() != expected:
                raise Refused("安装包已损坏（%s 与清单不符），请重新拷贝安装包" % name)
            target = folder / name[len(start) :]
            if folder.resolve() not in target.resolve().parents:
                raise Refused("安装包已损坏（%s），请重新拷贝安装包" % name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod((self._zip.getinfo(name).external_attr >> 16) & 0o777)

    def size(self) -> int:
        """Unpacked size of all members in bytes."""
        return sum(found.file_size for found in self._zip.infolist())


def refuse_other_machines(manifest: Dict[str, Any]) -> None:
    """Raise `Refused` unless Python, machine and C library are those for which the wheels were built."""
    python = "%d.%d" % sys.version_info[:2]
    if python not in manifest["pythons"]:
        raise Refused(
            "安装包支持 Python %s，现在用的是 %s。请用对应的命令执行，例如 python%s %s"
            % ("、".join(manifest["pythons"]), python, manifest["pythons"][-1], os.path.basename(sys.argv[0]))
        )
    if sys.platform != "linux" or platform.machine() != manifest["machine"]:
        raise Refused(
            "安装包用于 linux %s，这台机器是 %s %s，请换用对应的安装包"
            % (manifest["machine"], sys.platform, platform.machine())
        )
    name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    if name != "glibc" or _numbers(version) < _numbers(manifest["glibc"]):
        raise Refused(
            "安装包需要 glibc %s 或更新，这台机器是 %s %s" % (manifest["glibc"], name or "其他 C 库", version)
        )


def _numbers(text: str) -> List[int]:
    return [int(part) for part in text.split(".") if part.isdigit()]


# ---- a release


class Home:
    """The folder of an installation."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder).absolute()
        self.releases = self.folder / "releases"
        self.current = self.folder / "current"
        self.previous = self.folder / "previous"
        self.settings = self.folder / "settings.env"
        self.lock: Tuple[int, ...] = ()
        """Descriptor of the lock, inherited by every child process: if this process is killed, the folder stays locked
        until its children have ended."""

    def running(self) -> Optional[Path]:
        """The release that runs, if there is one."""
        return self._target(self.current)

    def former(self) -> Optional[Path]:
        """The release that ran before."""
        return self._target(self.previous)

    @staticmethod
    def _target(link: Path) -> Optional[Path]:
        if not link.is_symlink():
            return None
        found = link.resolve()
        return found if (found / COMPLETE).exists() else None

    def environment(self) -> Dict[str, str]:
        """The environment with the settings, as `manage` sets it."""
        found = dict(os.environ)
        for line in self.settings.read_text(encoding="utf-8").splitlines():
            name, equals, value = line.strip().partition("=")
            if equals and name and not name.startswith("#"):
                try:
                    found[name] = "".join(shlex.split(value, comments=True))
                except ValueError:
                    raise Refused("%s 中 %s 一行的引号不成对，请改正" % (self.settings, name)) from None
        found.setdefault("DATA_DIR", str(self.folder / "var"))
        if not found["DATA_DIR"]:
            found["DATA_DIR"] = str(self.folder / "var")
        return found

    def run(self, release: Path, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[bytes]":
        """Run a command of a release with the settings of this installation."""
        return subprocess.run(
            [str(release / ".venv/bin/python"), str(_program(release)), *arguments],
            stdin=subprocess.DEVNULL, env=self.environment(), cwd=str(release), check=False,
            pass_fds=self.lock, **options,
        )  # fmt: skip

    def point(self, link: Path, release: Path) -> None:
        """Let a link point to a release, in one step."""
        beside = link.with_name(".%s.new" % link.name)
        if beside.is_symlink():
            beside.unlink()
        beside.symlink_to(Path("releases") / release.name)
        os.replace(str(beside), str(link))
        _sync(self.folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(str(folder), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def build(archive: Archive, home: Home) -> Path:
    """Make the release of this archive unless it exists; its folder."""
    release = home.releases / archive.name
    if (release / COMPLETE).exists():
        return release
    if release.exists():
        say("清除上一次中断的安装")
        shutil.rmtree(str(release))
    needed = 4 * archive.size()
    free = shutil.disk_usage(str(home.folder)).free
    if free < needed:
        raise Refused("磁盘空间不足：%s 需要约 %d MiB，剩余 %d MiB" % (home.folder, needed >> 20, free >> 20))
    try:
        say("解开程序")
        archive.unpack("code/", release)
        (release / "var").symlink_to(Path("../../var"))
        say("安装程序库（约一分钟）")
        _install_libraries(archive, release, home.lock)
        archive.unpack("fonts/", release / ".venv/share/fonts")
        _try(release)
        subprocess.run(
            [str(release / ".venv/bin/python"), "-m", "compileall", "-q", "-x", r"/\.venv/", str(release)], check=False
        )
        os.sync()
        (release / COMPLETE).write_text(json.dumps({"version": archive.manifest["version"]}))
        _sync(release)
    except BaseException:
        shutil.rmtree(str(release), ignore_errors=True)
        raise
    return release


def _install_libraries(archive: Archive, release: Path, lock: Tuple[int, ...]) -> None:
    """Install only wheels of the archive, with the pip of the archive, which is run from its wheel."""
    import venv

    venv.EnvBuilder(with_pip=False, symlinks=True).create(str(release / ".venv"))
    wheels = release / ".wheels"
    archive.unpack("wheels/", wheels)
    asked = "%d.%d.txt" % sys.version_info[:2]
    python = str(release / ".venv/bin/python")
    pip = str(next(wheels.glob("pip-*.whl")) / "pip")
    quiet = {name: value for name, value in os.environ.items() if not name.upper().startswith(("PIP_", "PYTHON"))}
    quiet["PIP_CONFIG_FILE"] = os.devnull
    archive.unpack("requirements-", wheels)
    install = [
        python, pip, "install", "--no-index", "--no-deps", "--require-hashes", "--only-binary=:all:", "--no-cache-dir",
        "--disable-pip-version-check", "--quiet", "--find-links=%s" % wheels, "--requirement=%s" % (wheels / asked),
    ]  # fmt: skip
    for command in (install, [python, pip, "check", "--disable-pip-version-check"]):
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=quiet, check=False,
            pass_fds=lock,
        )  # fmt: skip
        if done.returncode != 0:
            raise Refused("程序库安装失败：\n%s" % done.stdout.decode(errors="replace")[-2000:])
    shutil.rmtree(str(wheels))


def _runs(release: Path) -> bool:
    """Whether the Python of a release still runs: that of the system may have been replaced."""
    try:
        return subprocess.run([str(release / ".venv/bin/python"), "-c", ""], check=False).returncode == 0
    except OSError:
        return False


def _program(release: Path) -> Path:
    """Path of the command line of a release; up to 0.3.0 it was `app.py`."""
    program = release / "cli" / "__main__.py"
    return program if program.exists() else release / "app.py"


def _try(release: Path) -> None:
    """Import everything once, so that a library that does not run on this machine fails now, not at a request."""
    done = subprocess.run(
        [str(release / ".venv/bin/python"), "-c", "import cli.commands, app"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=str(release), check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise Refused("程序在这台机器上不能运行：\n%s" % done.stdout.decode(errors="replace")[-2000:])


# ---- install, upgrade, go back


@contextmanager
def stopped(home: Home) -> Iterator[None]:
    """Raise `Refused` if the server runs, and keep it from starting meanwhile."""
    folder = Path(home.environment()["DATA_DIR"])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "server.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("服务正在运行，请先停止（sudo systemctl stop gongpin），再重新执行") from None
        yield


def install(archive: Archive, home: Home) -> None:
    """Install, or upgrade an installation."""
    refuse_other_machines(archive.manifest)
    _refuse_a_strange_folder(home)
    former = home.running()
    version = archive.manifest["version"]
    if former is not None and former.name == archive.name:
        if _runs(former):
            say("已经是 %s，没有需要做的" % version)
            return
        say("系统的 Python 已经更换，重新安装 %s" % version)
        with stopped(home):
            (former / COMPLETE).unlink()
            build(archive, home)
        say("已重新安装，请启动服务")
        return
    _write_once(home)
    if former is not None:
        with stopped(home):
            pass  # a running server is reported at once, before the minute that installing takes
    release = build(archive, home)
    if former is None:
        home.point(home.current, release)
        say(_INSTALLED % {"version": version, "home": home.folder})
        return
    with stopped(home):
        say("备份并升级数据库")
        if home.run(release, "prepare", "--keep-a-copy").returncode != 0:
            raise Refused(
                "升级没有完成（原因见上），仍在使用 %s；处理后重新执行本命令即可，在那之前旧版本可能提示数据库较新"
                % _version(former)
            )
        home.point(home.previous, former)
        home.point(home.current, release)
    _remove_old(home)
    say("已从 %s 升级到 %s。请启动服务（sudo systemctl start gongpin）" % (_version(former), version))
    say("旧版本保留着，可用 --back 退回：python3 %s %s --back" % (os.path.basename(sys.argv[0]), home.folder))


_INSTALLED = """\
已安装 %(version)s 到 %(home)s
接下来：
  1. 修改设置          %(home)s/settings.env
  2. 生成备份密钥      %(home)s/manage backup key 私钥文件
  3. 启动服务          sudo cp %(home)s/gongpin.service /etc/systemd/system/ && sudo systemctl enable --now gongpin
     或直接启动        %(home)s/manage serve
  4. 建立第一个用户    %(home)s/manage users create --help
如要恢复备份，请在第一次启动之前执行 %(home)s/manage restore 备份文件"""


def _refuse_a_strange_folder(home: Home) -> None:
    if home.folder == Path("/") or (home.folder.exists() and not home.folder.is_dir()):
        raise Refused("%s 不能作为安装目录" % home.folder)
    if home.folder.exists() and any(home.folder.iterdir()) and not home.settings.exists():
        raise Refused("%s 已有其他内容，请另选一个空目录" % home.folder)


def _write_once(home: Home) -> None:
    """Write the files that belong to the administrator if they are missing, and `manage` every time."""
    home.releases.mkdir(parents=True, exist_ok=True)
    (home.folder / "var").mkdir(exist_ok=True, mode=0o700)
    if not home.settings.exists():
        _write(home.settings, SETTINGS, 0o600)
    service = home.folder / "gongpin.service"
    if not service.exists():
        _write(service, SERVICE % {"user": getpass.getuser(), "home": home.folder}, 0o644)
    _write(home.folder / "manage", MANAGE, 0o755)


def _write(path: Path, text: str, mode: int) -> None:
    beside = path.with_name(".%s.new" % path.name)
    beside.write_text(text, encoding="utf-8")
    beside.chmod(mode)
    os.replace(str(beside), str(path))


def _version(release: Path) -> str:
    return str(json.loads((release / COMPLETE).read_text())["version"])


def _remove_old(home: Home) -> None:
    kept = {found.name for found in (home.running(), home.former()) if found is not None}
    for release in home.releases.iterdir():
        if release.name not in kept:
            shutil.rmtree(str(release), ignore_errors=True)


def back(home: Home) -> None:
    """Let the former release run again, if it can use the database."""
    former, running = home.former(), home.running()
    if former is None or running is None:
        raise Refused("没有可以退回的旧版本")
    with stopped(home):
        if home.run(former, "database", "check", stdout=subprocess.PIPE, stderr=subprocess.PIPE).returncode != 0:
            raise Refused(
                "数据库已由 %s 升级，%s 不能使用它。要退回，请先换回升级前的数据库（升级之后录入的数据会丢失）：\n"
                "  SQLite：用 %s/before-upgrade 中最新的副本替换数据库文件\n"
                "  PostgreSQL：建一个空数据库，写入 DATABASE_URL，再用 manage restore 恢复升级前的备份\n"
                "然后重新执行本命令。" % (_version(running), _version(former), home.environment()["DATA_DIR"])
            )
        home.point(home.current, former)
        home.point(home.previous, running)
    say("已退回 %s，请启动服务" % _version(former))


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Lock the folder, so that one installation at a time runs in it."""
    home.folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(str(home.folder), os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("另一个安装正在 %s 中进行，或刚中断的还没有停下；请稍后重试" % home.folder) from None
        os.set_inheritable(descriptor, True)
        home.lock = (descriptor,)
        yield
    finally:
        os.close(descriptor)


def main(arguments: List[str]) -> int:
    """Entry point; its exit status: 0 done, 2 refused, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if sys.version_info < (3, 11):
        say("需要 Python 3.11 或更新的版本，现在是 %d.%d；请用 python3.11 等命令执行" % sys.version_info[:2])
        return REFUSED
    parser = argparse.ArgumentParser(description="安装或升级工品查（不需要网络）")
    parser.add_argument("folder", help="安装目录，例如 /opt/gongpin；已安装过的目录会升级")
    parser.add_argument("--back", action="store_true", help="退回升级前的版本")
    options = parser.parse_args(arguments)
    home = Home(options.folder)
    try:
        _refuse_a_strange_folder(home)
        os.umask(0o022)
        with alone(home):
            if options.back:
                back(home)
            else:
                install(Archive(os.path.dirname(os.path.abspath(__file__))), home)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    except OSError as error:
        print("无法写入 %s：%s" % (error.filename or home.folder, error.strerror), file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("已中断，没有改变正在使用的版本；重新执行即可", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
