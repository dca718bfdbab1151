"""What files may be uploaded for: the purposes that forms and filings declare, in one registry."""

from assets.files import form_files
from assets.files.purposes import FilePurposes
from enterprise.systems import register_file_purposes


def file_purposes() -> FilePurposes:
    """The registry with the purposes of form items, of filings, and of the subjects of filings."""
    purposes = FilePurposes()
    purposes.register(*form_files.PURPOSES)
    register_file_purposes(purposes)
    return purposes
