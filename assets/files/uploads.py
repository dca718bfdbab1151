"""What receiving and showing files needs besides the database, as the settings describe it."""

from dataclasses import dataclass
from pathlib import Path

from assets.files.documents.document_conversion import Converter
from assets.files.purposes import FilePurposes
from assets.files.storage import Storage, open_storage
from core.config import Settings
from core.gateways.clamd import Clamd


@dataclass(frozen=True, slots=True)
class Uploads:
    """One per process. `incoming` is the folder on disk in which files arrive and are worked on.

    Without a `scanner` nothing is scanned for viruses; without a `converter` office documents have no preview.
    """

    storage: Storage
    incoming: Path
    purposes: FilePurposes
    scanner: Clamd | None = None
    converter: Converter | None = None


def open_uploads(settings: Settings, purposes: FilePurposes) -> Uploads:
    """Makes the folders on disk."""
    settings.incoming_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    scanner = Clamd(settings.clamd_address, timeout=settings.clamd_timeout) if settings.clamd_address else None
    converter = Converter(Path(settings.document_converter)) if settings.document_converter else None
    return Uploads(open_storage(settings), settings.incoming_dir, purposes, scanner, converter)
