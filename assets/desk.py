"""The desk at which files are received, as the settings describe it."""

from assets.operations import Desk
from assets.storage import open_storage
from core.config import Settings
from core.gateways.clamd import Clamd


def open_desk(settings: Settings) -> Desk:
    """Where uploads go, and what looks at them on the way; makes the folders on disk."""
    settings.incoming_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    scanner = Clamd(settings.clamd_address) if settings.clamd_address else None
    return Desk(open_storage(settings), scanner, settings.incoming_dir)
