"""S3-compatible storage for tests: moto's server on loopback, one for the whole run, a bucket for each use."""

import functools
import logging
import urllib.request
import uuid
from pathlib import Path

from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from core.config import Settings


@functools.cache
def moto_address() -> str:
    """Starts the server when it is first needed; it ends with the process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def on_s3(settings: Settings) -> Settings:
    """The same settings with a fresh bucket."""
    bucket = f"gongpin-{uuid.uuid4().hex[:12]}"
    address = moto_address()
    with urllib.request.urlopen(urllib.request.Request(f"{address}/{bucket}", method="PUT"), timeout=10):
        pass
    return settings.model_copy(
        update={
            "s3_bucket": bucket, "s3_endpoint": address, "s3_access_key_id": "test",
            "s3_secret_access_key": SecretStr("test"),
        }
    )  # fmt: skip


def local(folder: Path) -> Settings:
    """Settings that only name a folder."""
    return Settings(data_dir=folder)
