"""What a printed paper shows: its words, its pages, and where its codes lead."""

import pypdfium2
import zxingcpp
from flask.testing import FlaskClient


def words(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "".join("".join(page.get_textpage().get_text_bounded().split()) for page in document)


def pages(pdf: bytes) -> int:
    return len(pypdfium2.PdfDocument(pdf))


def codes(pdf: bytes) -> set[str]:
    """What the codes of all pages say."""
    pictures = [page.render(scale=3).to_pil() for page in pypdfium2.PdfDocument(pdf)]
    return {found.text for picture in pictures for found in zxingcpp.read_barcodes(picture)}


def scanned(client: FlaskClient, pdf: bytes) -> tuple[int, str]:
    (url,) = codes(pdf)
    answer = client.get(url[url.index("/v/") :])
    return answer.status_code, answer.get_data(as_text=True)
