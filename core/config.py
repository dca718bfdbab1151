"""Settings, from the environment only (12-factor).

`ENVIRONMENT=installation` (the default, what `make run` uses) keeps everything below `DATA_DIR` and
makes the keys of this installation there. `ENVIRONMENT=production` makes nothing up: it refuses
to start and names every setting that is missing.
"""

import os
import re
import secrets
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from core.retention.periods import RetentionSettings

MINIMUM_SECRET = 32
LEAST_CHARACTERS = {
    "data_key": MINIMUM_SECRET,
    "metrics_token": MINIMUM_SECRET,
    # Others are made elsewhere: by WeChat and Tencent with 32 characters, by storages and mail servers with 8 or more.
    "wechat_secret": 16,
    "tencent_secret_key": 16,
    "s3_secret_access_key": 8,
    "smtp_password": 8,
}
"""The least length of every secret setting in production."""
_LIMIT = r"^[1-9]\d{0,8} ?(per|/) ?(second|minute|hour|day)s?$"
KEY_FILE = "data.key"
"""In `DATA_DIR`: the key of this installation, where `DATA_KEY` is not set."""


class SettingsError(Exception):
    """The settings cannot be used; the text names each setting and what to do."""


class Settings(RetentionSettings):
    """Everything that can be set; the names in the environment are the same in capitals."""

    model_config = SettingsConfigDict(case_sensitive=False, extra="ignore")

    environment: Literal["installation", "production"] = "installation"
    data_dir: Path = Path("var")
    database_url: str = ""
    # A worker's eight threads hold one each and may ask for another; up to as many again are opened.
    database_pool_size: int = Field(default=10, ge=8, le=100)
    redis_url: str = ""
    data_key: SecretStr = SecretStr("")
    """Encrypts personal data and keys its hashes; at least 32 characters."""
    metrics_token: SecretStr = SecretStr("")
    """Bearer token for `/metrics` and the details of `/readyz`; without it they are for callers on this machine."""
    hsts_seconds: int = Field(default=31_536_000, ge=0, le=63_072_000)
    """For so long browsers that were here ask by https only; sent where `PUBLIC_URL` begins with https://, 0: never."""
    hsts_subdomains: bool = True
    """Whether that holds for hosts below this one too."""
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    """How many reverse proxies in front of the server set X-Forwarded-For."""
    session_idle_minutes: int = Field(default=120, ge=5)
    session_days: int = Field(default=7, ge=1, le=90)
    application_limit: str = "60 per minute;600 per hour"
    """Account applications per address."""
    sign_in_limit: str = "240 per minute"
    """Sign-in requests per address, right or wrong; a bureau may share one address."""
    enterprise_captcha: Literal["always", "after_failure"] = "always"
    otp_roles: str = ""
    """Roles, with commas, whose holders must enrol a second factor (动态口令) before they do anything else."""
    s3_bucket: str = ""
    """Uploads go to this bucket instead of `DATA_DIR/files`."""
    s3_endpoint: str = ""
    """Address of an S3-compatible service, `https://host[:port]`; empty means Amazon."""
    s3_region: str = "us-east-1"
    s3_access_key_id: str = ""
    s3_secret_access_key: SecretStr = SecretStr("")
    s3_timeout: float = Field(default=11, gt=0, le=60)
    """Seconds that the storage may take for one file in all."""
    clamd_address: str = ""
    """Virus scanner: `host:port`, or the path of clamd's unix socket; empty means that nothing is scanned."""
    clamd_timeout: float = Field(default=7, gt=0, le=60)
    """Seconds that the scanner may take for one file; with `S3_TIMEOUT` what a phone waits for at the most."""
    document_converter: str = ""
    """Path of LibreOffice's `soffice`, which shows office documents as PDF; empty means that they have no preview."""
    public_url: str = ""
    """The address under which phones find the server, `https://host`; it is printed in QR codes."""
    rating_limit_scope: Literal["global", "kind", "subject"] = "global"
    """What "the same phone may rate once in 5 days" (seed 002) is about: everything, a kind of code, one code."""
    rating_address_limit: str = Field(default="600 per hour", pattern=_LIMIT)
    """Accepted ratings per address and code; above them a captcha or an SMS code is asked for. A service hall with one
    address and one code for all its windows does not meet it."""
    rating_address_ceiling: str = Field(default="3000 per hour", pattern=_LIMIT)
    """Accepted ratings per address over all codes; above them nobody rates from there for the rest of the time."""
    rating_publication: Literal["reviewed", "automatic"] = "reviewed"
    """Whether a person releases every text of a rating, or harmless ones of good ratings are shown at once."""
    rating_staff_minutes: int = Field(default=15, ge=6, le=720)
    """A rating is marked 来自办公网络 when somebody of the rated office was active at its address within so many
    minutes; activity is noted every five minutes at most."""
    rating_words: str = ""
    """A file of words, one a line, that keep a rating's text from being shown at once, beside the built-in ones."""
    sms_sender: Literal["", "log", "tencent"] = ""
    """Who sends SMS; `log` writes the codes to the log, for development only."""
    rating_sms_proof: bool = True
    """Raters prove their number by SMS where a sender is set; 0: only where an address is busy, for the captcha."""
    tencent_secret_id: str = ""
    tencent_secret_key: SecretStr = SecretStr("")
    tencent_sms_app_id: str = ""
    tencent_sms_sign_name: str = ""
    tencent_sms_template_id: str = ""
    tencent_sms_region: str = "ap-guangzhou"
    tencent_sms_endpoint: str = "https://sms.tencentcloudapi.com"
    wechat_appid: str = ""
    wechat_secret: SecretStr = SecretStr("")
    wechat_base_url: str = "https://api.weixin.qq.com"
    wechat_double: bool = False
    """Stand in for WeChat, to try signing in with it without an account: for demos on this machine only."""
    wechat_rating_page: str = "pages/rating/form"
    """The page of the mini-program that a mini-program code (小程序码) opens."""
    disk_warning_percent: float = Field(default=5, ge=0, le=100)
    """`/readyz` and the log warn when less than this part of a disk is free, in percent …"""
    disk_warning_mib: int = Field(default=500, ge=0)
    """… or less than so many MiB."""
    history_mail_to: str = ""
    """An address to which the head of the history is mailed each day, and what a night found broken; empty: nobody."""
    smtp_host: str = ""
    """The mail server (SMTP) that takes mails; without one they are kept, and the administrators are told."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` only for a server on this machine or in the same closed network."""
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    mail_from: str = ""
    """The sender of those mails, an address that the mail server accepts."""
    backup_dir: str = ""
    """A folder, best on another disk or machine, to which the server writes a backup every day; empty means none."""
    backup_recipient: str = ""
    """Public keys (`age1…`, several with commas) that backups are encrypted to; `./manage backup key` makes a pair."""
    backup_keep: int = Field(default=14, ge=1, le=1000)
    """How many daily backups are kept."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    demo: bool = True
    _key_file: Path | None = PrivateAttr(None)

    @property
    def secret(self) -> str:
        """The installation's secret (主密钥); of a file as it is now, for `keys change-secret` may have replaced it."""
        if self._key_file is not None:
            with suppress(OSError):
                return self._key_file.read_text().strip()
        return self.data_key.get_secret_value()

    @property
    def key_file(self) -> Path | None:
        """The file that the secret stands in, None where `DATA_KEY` gives it."""
        return self._key_file

    @property
    def production(self) -> bool:
        """Whether nothing may be made up."""
        return self.environment == "production"

    @property
    def otp_role_names(self) -> frozenset[str]:
        """The roles of `OTP_ROLES`."""
        return frozenset(part.strip() for part in self.otp_roles.split(",") if part.strip())

    @property
    def session_idle(self) -> timedelta:
        """How long a session lives unused."""
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def session_longest(self) -> timedelta:
        """How long a session lives at the longest."""
        return timedelta(days=self.session_days)

    @property
    def resolved_database_url(self) -> str:
        """`DATABASE_URL`, or the SQLite file in `DATA_DIR`."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'gongpin.sqlite3').absolute()}"

    @property
    def resolved_public_url(self) -> str:
        """`PUBLIC_URL`, or where the server listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def backup_recipients(self) -> list[str]:
        """The public keys of `BACKUP_RECIPIENT`."""
        return [part.strip() for part in self.backup_recipient.split(",") if part.strip()]

    @property
    def incoming_dir(self) -> Path:
        """Where an upload lies until it is checked and stored."""
        return self.data_dir / "incoming"


def load_settings(*, make_key: bool = True) -> Settings:
    """Read the environment; raises `SettingsError` naming all that is wrong or missing.

    Without `make_key` an installation without a key gets none: a restore brings its own, and commands look at the
    database first.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        told = ((".".join(map(str, e["loc"])).upper(), e["msg"].removeprefix("Value error, ")) for e in error.errors())
        lines = [f"{name}: {what}" for name, what in told]
        raise SettingsError("these settings cannot be used:\n  " + "\n  ".join(lines)) from error
    if settings.production:
        _refuse_missing(settings)
        _refuse_short(settings)
    _make_data_dir(settings.data_dir)
    if make_key or (settings.data_dir / KEY_FILE).exists():
        give_key(settings)
    _refuse_half_set(settings)
    key = settings.data_key.get_secret_value()
    if len(key) < MINIMUM_SECRET and (make_key or key):
        raise SettingsError(f"DATA_KEY must have at least {MINIMUM_SECRET} characters")
    return settings


def give_key(settings: Settings) -> None:
    """The installation's own key, made now if need be, unless `DATA_KEY` gives one."""
    if not settings.data_key.get_secret_value():
        settings.data_key = SecretStr(_installation_key(settings.data_dir))
        settings._key_file = settings.data_dir.absolute() / KEY_FILE


def _refuse_missing(settings: Settings) -> None:
    missing = [
        name
        for name, value in (
            ("DATABASE_URL", settings.database_url),
            ("DATA_KEY", settings.data_key.get_secret_value()),
            ("METRICS_TOKEN", settings.metrics_token.get_secret_value()),
            ("PUBLIC_URL", settings.public_url),
        )
        if not value
    ]
    if missing:
        raise SettingsError("production needs these settings, which are missing: " + ", ".join(missing))


def _refuse_short(settings: Settings) -> None:
    """A secret that can be guessed is none."""
    short = [
        f"{name.upper()} ({length} of at least {least} characters)"
        for name, least in LEAST_CHARACTERS.items()
        if 0 < (length := len(getattr(settings, name).get_secret_value())) < least
    ]
    if short:
        raise SettingsError(
            "production refuses secrets that are short enough to be guessed: " + ", ".join(short)
            + "; openssl rand -base64 36 makes one"
        )  # fmt: skip


def _refuse_half_set(settings: Settings) -> None:
    """Half a storage is none: uploads must never go to the local folder by mistake."""
    needed = (
        ("S3_BUCKET", settings.s3_bucket),
        ("S3_ACCESS_KEY_ID", settings.s3_access_key_id),
        ("S3_SECRET_ACCESS_KEY", settings.s3_secret_access_key.get_secret_value()),
    )
    if settings.s3_endpoint or any(value for _, value in needed):
        missing = [name for name, value in needed if not value]
        if missing:
            raise SettingsError("S3 storage is set by half; these settings are missing: " + ", ".join(missing))
    if settings.s3_endpoint and not settings.s3_endpoint.startswith(("https://", "http://")):
        raise SettingsError("S3_ENDPOINT must begin with https:// (or http:// within a closed network)")
    _refuse_half_gateways(settings)
    _refuse_half_backups(settings)
    _refuse_half_mail(settings)
    host, _, port = settings.clamd_address.rpartition(":")
    if settings.clamd_address and not settings.clamd_address.startswith("/") and not (host and port.isdecimal()):
        raise SettingsError("CLAMD_ADDRESS must be host:port, or the path of a unix socket")
    if settings.document_converter and not settings.document_converter.startswith("/"):
        raise SettingsError("DOCUMENT_CONVERTER must be the absolute path of soffice")


def _refuse_half_backups(settings: Settings) -> None:
    """A backup that nobody can read, or that is never written, must not look like one."""
    if settings.backup_dir:
        if not settings.backup_dir.startswith("/"):
            raise SettingsError("BACKUP_DIR must be an absolute path")
        _refuse_missing_of("BACKUP_DIR", BACKUP_RECIPIENT=settings.backup_recipient)
    for recipient in settings.backup_recipients:
        if not re.fullmatch(r"age1[02-9ac-hj-np-z]{58}", recipient):
            raise SettingsError(
                "BACKUP_RECIPIENT must be a public key that begins with age1 (several with commas); "
                "./manage backup key makes a pair"
            )


def _refuse_half_mail(settings: Settings) -> None:
    """Somebody relies on a mail that is never sent."""
    if settings.history_mail_to:
        _refuse_missing_of("HISTORY_MAIL_TO", SMTP_HOST=settings.smtp_host, MAIL_FROM=settings.mail_from)
    if settings.smtp_host:
        _refuse_missing_of("SMTP_HOST", MAIL_FROM=settings.mail_from)
    for name, value in (("HISTORY_MAIL_TO", settings.history_mail_to), ("MAIL_FROM", settings.mail_from)):
        if value and not re.fullmatch(r"[^\s@,;<>]+@[^\s@,;<>]+", value):
            raise SettingsError(f"{name} must be one mail address, for example archive@example.gov.cn")
    if settings.smtp_username and settings.smtp_security == "none":
        raise SettingsError("SMTP_USERNAME would send its password readable: set SMTP_SECURITY to starttls or tls")


def _refuse_half_gateways(settings: Settings) -> None:
    if settings.public_url and not settings.public_url.startswith(("https://", "http://")):
        raise SettingsError("PUBLIC_URL must begin with https:// (or http:// within a closed network)")
    if not re.fullmatch(r"[\w\-]+(/[\w\-]+)*", settings.wechat_rating_page, re.ASCII):
        raise SettingsError(
            "WECHAT_RATING_PAGE must be a page of the mini-program, without a slash before it and anything behind it, "
            "for example pages/rating/form"
        )
    if settings.sms_sender == "log" and settings.production:
        raise SettingsError("SMS_SENDER=log writes codes to the log; production needs SMS_SENDER=tencent, or none")
    if settings.sms_sender == "tencent":
        _refuse_missing_of(
            "SMS_SENDER=tencent",
            TENCENT_SECRET_ID=settings.tencent_secret_id,
            TENCENT_SECRET_KEY=settings.tencent_secret_key.get_secret_value(),
            TENCENT_SMS_APP_ID=settings.tencent_sms_app_id,
            TENCENT_SMS_SIGN_NAME=settings.tencent_sms_sign_name,
            TENCENT_SMS_TEMPLATE_ID=settings.tencent_sms_template_id,
        )
    if settings.wechat_double:
        # Whoever reaches the double can be anybody.
        if settings.production or not settings.demo or settings.host not in ("127.0.0.1", "::1", "localhost"):
            raise SettingsError(
                "WECHAT_DOUBLE lets anybody sign in as anybody; it is only for a demo on this machine (not with "
                "ENVIRONMENT=production, DEMO=0 or another HOST than 127.0.0.1)"
            )
        if settings.wechat_appid:
            raise SettingsError("WECHAT_DOUBLE stands in for WeChat; leave WECHAT_APPID and WECHAT_SECRET out")
    if settings.production and not settings.wechat_base_url.startswith("https://"):
        raise SettingsError("WECHAT_BASE_URL must begin with https:// in production")
    if settings.wechat_appid or settings.wechat_secret.get_secret_value():
        _refuse_missing_of(
            "WeChat",
            WECHAT_APPID=settings.wechat_appid,
            WECHAT_SECRET=settings.wechat_secret.get_secret_value(),
        )


def _refuse_missing_of(what: str, **needed: str) -> None:
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise SettingsError(f"{what} is set by half; these settings are missing: " + ", ".join(missing))


def _make_data_dir(data_dir: Path) -> None:
    """For the owner only; an existing folder that holds something keeps its mode."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not any(data_dir.iterdir()):
            data_dir.chmod(0o700)
    except OSError as error:
        raise SettingsError(f"DATA_DIR: the folder {data_dir} cannot be used: {error.strerror}") from error


def _installation_key(data_dir: Path) -> str:
    path = data_dir / KEY_FILE
    try:
        if not path.exists():
            make_secret(path)
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"DATA_DIR: {path} cannot be read or written: {error.strerror}") from error


def make_secret(path: Path) -> None:
    """Write a new secret where there is none; of several processes one makes it, and none ever reads half of it."""
    descriptor, name = tempfile.mkstemp(prefix=".data.key.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
