"""LibreOffice, where this machine has it, and what is read in the PDFs that it makes."""

import shutil
from pathlib import Path

import pypdfium2
import pytest
from pypdfium2 import raw

_FOUND = shutil.which("soffice")
SOFFICE = Path(_FOUND or "/usr/bin/soffice")

needs_office = pytest.mark.skipif(_FOUND is None, reason="LibreOffice (soffice) is not on this machine")
needs_sheets = pytest.mark.skipif(
    not (SOFFICE.resolve().parent / "libsclo.so").exists(), reason="LibreOffice Calc is not on this machine"
)


def text_of(pdf: bytes) -> str:
    """What can be read in a PDF, without the ends of lines."""
    document = pypdfium2.PdfDocument(pdf)
    return "".join("".join(page.get_textpage().get_text_range().split()) for page in document)


def pictures_in(pdf: bytes) -> int:
    """How many pictures the pages of a PDF show."""
    document = pypdfium2.PdfDocument(pdf)
    return sum(one.type == raw.FPDF_PAGEOBJ_IMAGE for page in document for one in page.get_objects())
