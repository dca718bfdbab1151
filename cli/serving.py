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
import sys
from pathlib import Path
from typing import IO, Any

import click
import structlog
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from backups import backup_folder
from backups.restoring import SERVER_LOCK
from cli import preparation
from cli.worker import PatientWorker
from cli.worker_figures import Figures
from core import clock
from core.config import Settings, SettingsError
from core.database.disk import SHARED_MEMORY
from core.db import Database
from core.deadlines import clocks
from demo.accounts import accounts_file
from demo.commands import print_accounts

log = structlog.get_logger()

WORKERS = 2
THREADS = 8
SWITCH_SQLITE = 0.0005
"""Seconds after which a thread that runs Python hands over to one that waits; a tenth of the interpreter's own.

With SQLite the one that waits may hold everyone's turn at writing.
"""


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
        from app import create_app
        from composition.jobs import background_jobs
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
    if preparation.is_demo_due(settings, database):
        preparation.prepare_apart()
    preparation.prepare(settings, database)
    with database.read() as session:
        guessed = clocks.working_calendar(session).unknown_years(clock.today())
    # The last connection takes the write-ahead log into the SQLite file; and none may be shared with the workers.
    database.dispose()
    _announce(settings)
    for year in guessed:
        click.echo(clocks.warning_of(year), err=True)
    if settings.backup_dir or settings.production or not settings.demo:
        warning = backup_folder.state(settings).warning
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
