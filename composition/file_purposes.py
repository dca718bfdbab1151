"""What files may be uploaded for: the purposes that forms and filings declare, in one registry."""

from assets.files import form_files
from assets.files.purposes import FilePurposes
from enterprise.systems import register_file_purposes


def file_purposes() -> FilePurposes:
    """What files may be uploaded for: in the items of forms, and in filings and what they are about."""
    purposes = FilePurposes()
    purposes.register(*form_files.PURPOSES)
    register_file_purposes(purposes)
    return purposes
