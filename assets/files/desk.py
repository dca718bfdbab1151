"""The desk at which files are received, as the settings describe it."""

from pathlib import Path

from assets.files.documents.document_conversion import Converter
from assets.files.operations import Desk
from assets.files.storage import open_storage
from core.config import Settings
from core.gateways.clamd import Clamd


def open_desk(settings: Settings) -> Desk:
    """Where uploads go, what looks at them on the way, and what shows them; makes the folders on disk."""
    settings.incoming_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    scanner = Clamd(settings.clamd_address, timeout=settings.clamd_timeout) if settings.clamd_address else None
    converter = Converter(Path(settings.document_converter)) if settings.document_converter else None
    return Desk(open_storage(settings), scanner, settings.incoming_dir, converter)
