"""Starting the server: the installation is prepared, then gunicorn serves in this process.

Gunicorn runs in this process instead of as a program, because its workers are then forked from a process that has
imported everything already, which halves the time of a start. The application itself is created in each worker, so
that no connection or thread is shared.
"""

import atexit
import fcntl
import gc
import os
import resource
import socket
import sys
from pathlib import Path
from typing import IO, Any

import click
import structlog
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from backups import backup_folder
from backups.restoring import SERVER_LOCK
from cli import preparation, wechat_trial
from cli.worker import PLACES, PatientWorker
from cli.worker_figures import Figures
from composition import long_jobs
from core import clock
from core.config import Settings, SettingsError
from core.database.disk import SHARED_MEMORY
from core.db import Database
from core.deadlines import clocks
from core.deliveries.delivering import Deliverer, channels
from core.errors import Problem
from core.gateways.opening import open_mail
from core.keys import stored
from core.long_jobs.running import RunnerThread
from demo.accounts import accounts_file
from demo.commands import print_accounts
from miniapp_api import desk_app, phone_app

log = structlog.get_logger()

WORKERS = 2
THREADS = 8
SWITCH_SQLITE = 0.0005
"""Switch interval of threads in seconds, a tenth of Python's default.

With SQLite a waiting thread may hold the lock for writing, on which all other writers wait.
"""


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, configured here instead of by its command line."""

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
            "limit_request_line": 8190,  # gunicorn's maximum
            # A caller's SCRIPT_NAME or PATH_INFO would lead past a proxy's rule for an address, such as /metrics.
            "forwarder_headers": "",
            "accesslog": None,
            "loglevel": "warning",
            "proc_name": "gongpin",
            "control_socket_disable": True,
            # Workers show that they are alive by changing a file; in shared memory that works with a full disk too.
            "worker_tmp_dir": str(SHARED_MEMORY) if os.access(SHARED_MEMORY, os.W_OK) else None,
            "child_exit": lambda _server, worker: figures.give_back(worker.pid),
            "on_exit": lambda _server: figures.remove(),
        }
        PatientWorker.places_per_address = None if settings.trusted_proxies else PLACES
        super().__init__()

    def load_config(self) -> None:
        """Set the options."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Create the application; called in each worker."""
        from app import create_app
        from composition.jobs import background_jobs
        from miniapp_api import health
        from miniapp_api.http.problems import answer
        from miniapp_api.http.wiring import KEY

        if not self.figures.reserve():
            health.count_nothing()
        if self.dialect == "sqlite":
            sys.setswitchinterval(SWITCH_SQLITE)
        application = create_app(self.settings)
        wiring = application.extensions[KEY]
        stored.watch(wiring.database.engine, lambda: self.settings.secret)
        # A broken chunk is met only while the application reads the body.
        application.register_error_handler(ParseException, lambda _error: answer(Problem("bad_request")))
        # Started in the worker, because threads do not survive the fork.
        background_jobs(application).start()
        Deliverer(wiring.database, channels(open_mail(self.settings))).start()
        RunnerThread(long_jobs.runner(wiring)).start()
        scans = wiring.scans
        scans.start()
        # The thread that counts scans ends with the worker; the scans gathered so far are written before.
        atexit.register(scans.stop)
        wiring.access_log.start()
        atexit.register(wiring.access_log.stop)
        return application


def address(settings: Settings) -> str:
    """Host and port in the form of a URL."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{settings.port}"


def refuse_taken_port(settings: Settings) -> None:
    """Raise `SettingsError` at once if the port is in use; gunicorn would try five times first."""
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
    """Prepare, show the address, and serve until SIGTERM or SIGINT. Does not return."""
    refuse_taken_port(settings)
    # A connection is an open file; the usual soft limit of 1024 is less than what two workers may have.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    _hold_server_lock(settings.data_dir)
    first = preparation.is_demo_due(settings, database)
    if first:
        preparation.prepare_apart()
    preparation.prepare(settings, database)
    double = wechat_trial.start(settings, database) if settings.wechat_double else None
    with database.read() as session:
        guessed = clocks.working_calendar(session).unknown_years(clock.today())
    # No connection may be shared with the workers; closing the last one also checkpoints SQLite's write-ahead log.
    database.dispose()
    _announce(settings, double, first=first)
    for year in guessed:
        click.echo(clocks.warning_of(year), err=True)
    if settings.backup_dir or settings.production or not settings.demo:
        warning = backup_folder.state(settings).warning
        if warning is not None:
            click.echo(warning, err=True)
    if not settings.redis_url:
        log.info("rate_limits_counted_by_each_worker", workers=WORKERS, mend="REDIS_URL")
    figures = Figures(settings.data_dir, WORKERS)
    # Imported here, so that the workers inherit it by the fork, and after the folder for figures is made, which the
    # Prometheus library looks for when it is imported.
    gc.disable()
    import app  # noqa: F401

    # The collector of the workers skips the objects made so far, so that their memory remains shared.
    gc.freeze()
    gc.enable()
    Server(settings, database, figures).run()


def _hold_server_lock(data_dir: Path) -> None:
    """Lock `DATA_DIR` as long as this process or one of its workers lives: a restore or an upgrade refuses to begin."""
    global _server_lock
    _server_lock = (data_dir / SERVER_LOCK).open("a")
    try:
        fcntl.flock(_server_lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SettingsError("正在恢复或升级，请等它完成后再启动") from error


_server_lock: IO[str] | None = None


def _announce(settings: Settings, wechat_double: str | None, *, first: bool) -> None:
    url = f"http://{address(settings)}"
    click.echo(f"\n工品查 · 市场监管现场检查服务   {url}/")
    if phone_app.APP.is_built():
        click.echo(f"  手机端 phone app            {url}/app/")
    else:
        reason = phone_app.APP.why_not_built() or "请运行 make client"
        log.warning("phone_app_not_built", reason=reason, mend="make client")
        click.echo(f"  手机端 phone app            尚未构建：{reason}", err=True)
    if desk_app.APP.is_built():
        click.echo(f"  电脑端 desk                 {url}/desk/")
    else:
        reason = desk_app.APP.why_not_built() or "请运行 make client"
        click.echo(f"  电脑端 desk                 尚未构建：{reason}", err=True)
    click.echo(f"  接口文档 API pages          {url}/api/docs/")
    click.echo(f"  OpenAPI 3.1                 {url}/api/v1/openapi.json")
    click.echo(f"  数据目录 data               {settings.data_dir.absolute()}")
    file = accounts_file(settings.data_dir)
    if settings.demo and not settings.production and file.exists():
        if first:  # later only where they stand: logs of starts are read by others
            click.echo(f"演示账号 demo accounts（用户名 密码 说明；也在 {file.absolute()}，以后只写在那里）")
            print_accounts(settings.data_dir)
        else:
            click.echo(f"演示账号 demo accounts       {file.absolute()}")
    if wechat_double:
        click.echo(f"微信替身（仅供试用）：登录码 {wechat_double}/double/code?person=甲")
    click.echo("按 Ctrl-C 停止 / Ctrl-C stops the server\n")
    sys.stdout.flush()
