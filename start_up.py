"""Starting the server: what must be there is made ready, then gunicorn serves in this very process.

Gunicorn runs here instead of being executed, because its workers are then forked from a process that
has imported everything already: the second start takes half the time. The application itself is made
in each worker, so that nothing with a connection or a thread is shared.
"""

import atexit
import fcntl
import gc
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import click
import structlog
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from sqlalchemy import select

from accounts.models import Region
from accounts.regions.loading import area_rows, load_regions
from backups import before_upgrade, shelf
from backups.interrupted import refuse_to_open
from backups.restoring import SERVER_LOCK
from core import clock
from core.config import Settings, SettingsError
from core.database import migrate, preparing
from core.database.disk import SHARED_MEMORY
from core.db import Base, Database
from core.deadlines import clocks
from core.forms.library import FormLibrary
from core.forms.publishing import publish_files
from demo import loading
from demo.accounts import accounts_file
from demo.commands import print_accounts, show_progress
from inspection import campaigns
from inspection.dictionaries.seeds import load_seeds
from patient_worker import PatientWorker
from worker_figures import Figures

log = structlog.get_logger()

ROOT = Path(__file__).resolve().parent
FORM_FOLDERS = ("inspection/forms", "enterprise/production/forms")
"""Where the forms that ship with the product stand."""

OWN_FORMS = "forms"
"""Folder in `DATA_DIR` whose forms are published at every start."""

WORKERS = 2
THREADS = 8
SWITCH_SQLITE = 0.0005
"""Seconds after which a thread that runs Python hands over to one that waits; a tenth of the interpreter's own.

With SQLite the one that waits may hold everyone's turn at writing.
"""


def prepare(settings: Settings, database: Database, *, keep_a_copy: bool = False) -> None:
    """Migrate, load what comes with the product, publish forms, load the demo; says what it did.

    A database that holds something is kept before its schema is changed, with `keep_a_copy` in any case. Doing it again
    changes nothing and takes a few look-ups.
    """
    refuse_to_open(settings, database.engine)
    with preparing.one_at_a_time(database.engine, lambda: click.echo("另一个进程正在准备数据库，等待其完成")):
        migrate.refuse_other_tables(database.engine, newest=Base.metadata)
        current = migrate.is_current(database.engine)
        if keep_a_copy or not current:
            for line in before_upgrade.keep_a_copy(settings, database):
                click.echo(line)
        if not current:
            migrate.upgrade(database.engine)
            click.echo("数据库结构已升级")
        _load_reference(database)
        for folder in FORM_FOLDERS:
            publish_forms(database, ROOT / folder)
        if settings.demo and not settings.production and not loading.is_complete(database):
            _load_demo(settings, database)
        publish_forms(database, settings.data_dir / OWN_FORMS)


def _load_reference(database: Database) -> None:
    with database.read() as session:
        empty = session.scalar(select(Region.code).limit(1)) is None
    with database.write() as session:
        # Only into an empty table: what an administrator changed there later is kept.
        if empty:
            counts = load_regions(session, area_rows())
            click.echo(f"行政区划已载入：{counts.created} 个")
        load_seeds(session)
        campaigns.load_standing(session)


def publish_forms(database: Database, folder: Path) -> None:
    """Publish the forms of a folder. One that cannot be used is named and does not keep the server from starting."""
    for outcome in publish_files(FormLibrary(database), folder.glob("*.json")):
        if outcome.new:
            click.echo(f"表单已发布：{outcome.title}")
        for fault in outcome.faults:
            click.echo(f"表单未发布：{fault}", err=True)


def _load_demo(settings: Settings, database: Database) -> None:
    if loading.has_other_users(database):
        return
    click.echo("首次启动，正在装入演示数据：")
    loading.load(database, settings, show_progress)


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, told everything here instead of on a command line of its own."""

    def __init__(self, settings: Settings, database: Database, figures: Figures) -> None:
        self.settings = settings
        self.figures = figures
        self.dialect = database.engine.dialect.name
        self.options: dict[str, Any] = {
            "bind": address(settings),
            "workers": WORKERS,
            "worker_class": PatientWorker,
            "threads": THREADS,
            "timeout": 60,
            "graceful_timeout": 10,
            "keepalive": 5,
            "limit_request_line": 8190,  # the most that gunicorn takes; beyond it answers in HTML of its own
            "accesslog": None,
            "loglevel": "warning",
            "proc_name": "gongpin",
            "control_socket_disable": True,
            # Its workers show that they live by the times of files, which a full disk must not keep it from making.
            "worker_tmp_dir": str(SHARED_MEMORY) if os.access(SHARED_MEMORY, os.W_OK) else None,
            "child_exit": lambda _server, worker: figures.give_back(worker.pid),
            "on_exit": lambda _server: figures.remove(),
        }
        super().__init__()

    def load_config(self) -> None:
        """Take the options over."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Called in each worker."""
        from app import background_jobs, create_app
        from miniapp_api import health
        from miniapp_api.http.wiring import KEY

        if not self.figures.reserve():
            health.count_nothing()
        if self.dialect == "sqlite":
            sys.setswitchinterval(SWITCH_SQLITE)
        application = create_app(self.settings)
        # In the worker, after the fork: a thread does not survive one.
        background_jobs(application).start()
        scans = application.extensions[KEY].scans
        scans.start()
        # The worker ends by returning, and its thread with it: what was gathered is written first.
        atexit.register(scans.stop)
        return application


def address(settings: Settings) -> str:
    """Host and port as they stand in a URL."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{settings.port}"


def refuse_taken_port(settings: Settings) -> None:
    """Say at once what gunicorn would only say after five tries."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {address(settings)}: {error.strerror}\n"
            f"无法在 {address(settings)} 上监听，请用 HOST、PORT 另选地址，例如 make run PORT={settings.port + 1}"
        ) from error


def serve(settings: Settings, database: Database) -> None:
    """Prepare, say where to go, and serve until SIGTERM or SIGINT. Does not return."""
    refuse_taken_port(settings)
    _tell_that_a_server_runs(settings.data_dir)
    if _is_demo_due(settings, database):
        _prepare_apart()
    prepare(settings, database)
    with database.read() as session:
        guessed = clocks.working_calendar(session).unknown_years(clock.today())
    # The last connection takes the write-ahead log into the SQLite file; and none may be shared with the workers.
    database.dispose()
    _announce(settings)
    for year in guessed:
        click.echo(clocks.warning_of(year), err=True)
    if settings.backup_dir or settings.production or not settings.demo:
        warning = shelf.state(settings).warning
        if warning is not None:
            click.echo(warning, err=True)
    if not settings.redis_url:
        log.info("rate_limits_counted_by_each_worker", workers=WORKERS, mend="REDIS_URL")
    figures = Figures(settings.data_dir, WORKERS)
    # The workers have it through the fork. After the folder for figures is made, which is looked for at import.
    gc.disable()
    import app  # noqa: F401

    # What is there now stays: collections in the workers pass it over, and its memory remains shared.
    gc.freeze()
    gc.enable()
    Server(settings, database, figures).run()


def _tell_that_a_server_runs(data_dir: Path) -> None:
    """For as long as this process or a worker of it lives: a restore and an upgrade refuse to begin meanwhile."""
    global _server_lock
    _server_lock = (data_dir / SERVER_LOCK).open("a")
    try:
        fcntl.flock(_server_lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SettingsError("正在恢复或升级，请等它完成后再启动") from error


_server_lock: IO[str] | None = None


def _is_demo_due(settings: Settings, database: Database) -> bool:
    wanted = settings.demo and not settings.production
    return wanted and not (migrate.is_current(database.engine) and loading.is_complete(database))


def _prepare_apart() -> None:
    """Prepare in a process of its own, because the demo stores files.

    The library that stores them keeps threads that do not survive a fork: used in this process, it would
    wait for ever in the workers that are forked from it. Raises `SettingsError` when it failed.
    """
    sys.stdout.flush()
    if subprocess.run([sys.executable, str(ROOT / "app.py"), "prepare"], check=False).returncode != 0:  # noqa: S603
        raise SettingsError("未能准备就绪（原因见上），请处理后重新启动；DEMO=0 可不装入演示数据")


def _announce(settings: Settings) -> None:
    url = f"http://{address(settings)}"
    click.echo(f"\n工品查 · 市场监管现场检查服务   {url}/")
    click.echo(f"  接口文档 API pages          {url}/api/docs/")
    click.echo(f"  OpenAPI 3.1                 {url}/api/v1/openapi.json")
    click.echo(f"  数据目录 data               {settings.data_dir.absolute()}")
    file = accounts_file(settings.data_dir)
    if settings.demo and not settings.production and file.exists():
        click.echo(f"演示账号 demo accounts（用户名 密码 说明；也在 {file.absolute()}）")
        print_accounts(settings.data_dir)
    click.echo("按 Ctrl-C 停止 / Ctrl-C stops the server\n")
    sys.stdout.flush()
