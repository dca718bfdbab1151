"""PDFs as printers, scanners and people with bad intentions make them."""

import io
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tests import paperwork
from tests.oddities.oddity import Oddity


def pdf_with(change: Callable[[pikepdf.Pdf], None], **saved: object) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(paperwork.pdf())) as document:
        change(document)
        document.save(out, **saved)  # type: ignore[arg-type]
    return out.getvalue()


def javascript(document: pikepdf.Pdf) -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def _on_opening(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = document.make_indirect(javascript(document))


def _named_script(document: pikepdf.Pdf) -> None:
    names = Array([String("a"), document.make_indirect(javascript(document))])
    document.Root.Names = Dictionary(
        JavaScript=Dictionary(Kids=Array([document.make_indirect(Dictionary(Names=names))]))
    )


def _script_of_a_field(document: pikepdf.Pdf) -> None:
    field = Dictionary(FT=Name.Tx, T=String("x"), AA=Dictionary(K=javascript(document)))
    document.Root.AcroForm = Dictionary(Fields=Array([document.make_indirect(field)]))


def _script_of_a_page(document: pikepdf.Pdf) -> None:
    document.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.Rendition, JS=document.make_stream(b"app.alert(1)")))


def _launch(document: pikepdf.Pdf) -> None:
    link = Dictionary(
        Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=Dictionary(S=Name.Launch, F=String("cmd.exe"))
    )
    document.pages[0].obj.Annots = Array([link])


def _second_action(document: pikepdf.Pdf) -> None:
    there = Dictionary(S=Name.GoTo, D=Array([document.pages[0].obj, Name.Fit]), Next=javascript(document))
    document.Root.OpenAction = there


def _calls_home(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = Dictionary(S=Name.URI, URI=String("http://evil.example/"))


def _link(document: pikepdf.Pdf) -> None:
    link = Dictionary(
        Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=Dictionary(S=Name.URI, URI=String("http://gov.cn/"))
    )
    document.pages[0].obj.Annots = Array([link])
    document.Root.OpenAction = Array([document.pages[0].obj, Name.Fit])


def _link_to(address: String, **more: object) -> Callable[[], bytes]:
    def link(document: pikepdf.Pdf) -> None:
        action = Dictionary(S=Name.URI, URI=address)
        document.pages[0].obj.Annots = Array(
            [Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=document.make_indirect(action))]
        )
        for name, value in more.items():
            document.Root[f"/{name}"] = value

    return lambda: pdf_with(link)


def _rich_media(document: pikepdf.Pdf) -> None:
    content = Dictionary(Assets=Dictionary(Names=Array([])), Configurations=Array([]))
    annotation = Dictionary(Type=Name.Annot, Subtype=Name.RichMedia, Rect=[0, 0, 9, 9], RichMediaContent=content)
    document.pages[0].obj.Annots = Array([document.make_indirect(annotation)])


def _old_script(document: pikepdf.Pdf) -> None:
    # An action that an older edition had and this one no longer names.
    document.make_indirect(javascript(document))


def _dynamic_form(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = Dictionary(Fields=Array(), XFA=document.make_stream(b"<xdp:xdp/>"))
    document.Root.NeedsRendering = True


def _attached(name: str, content: bytes) -> Callable[[], bytes]:
    def attach(document: pikepdf.Pdf) -> None:
        document.attachments[name] = pikepdf.AttachedFileSpec(document, content, filename=name)

    return lambda: pdf_with(attach)


def _locked(**passwords: str) -> Callable[[], bytes]:
    return lambda: pdf_with(lambda _: None, encryption=pikepdf.Encryption(**passwords, R=6))  # type: ignore[arg-type]


_PJL = b"\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PDF\r\n"


TAKEN = [
    Oddity("pdf behind CR LF", lambda: b"\r\n" + paperwork.pdf(), ".pdf", ".pdf"),
    Oddity("pdf behind a byte order mark", lambda: b"\xef\xbb\xbf" + paperwork.pdf(), ".pdf", ".pdf"),
    Oddity("pdf behind a spooler's header", lambda: _PJL + paperwork.pdf(), ".pdf", ".pdf"),
    Oddity("pdf with 5 000 zeros behind its end", lambda: paperwork.pdf() + bytes(5000), ".pdf", ".pdf"),
    Oddity(
        "pdf with a printer's farewell",
        lambda: paperwork.pdf() + b"\r\n" * 600 + b"\x1b%-12345X@PJL EOJ\r\n",
        ".pdf",
        ".pdf",
    ),
    Oddity("pdf that nobody may change", _locked(owner="secret", user=""), ".pdf", ".pdf"),
    Oddity("pdf with a link and a first view", lambda: pdf_with(_link), ".pdf", ".pdf"),
    Oddity(
        "pdf with links to pages about scripts, to mail and within itself",
        _link_to(String("https://gov.cn/javascript:void(0)?a=javascript:1"), URI=Dictionary(Base=String("http://a/"))),
        ".pdf",
        ".pdf",
    ),
    Oddity("pdf with a link to write to", _link_to(String("mailto:a@b.example")), ".pdf", ".pdf"),
    Oddity("pdf with a script that nothing names", lambda: pdf_with(_old_script), ".pdf", ".pdf"),
    Oddity("pdf with a text attached", _attached("说明.txt", "说明".encode()), ".pdf", ".pdf"),
    Oddity(
        "pdf with an invoice's data attached", _attached("invoice.xml", b"<?xml version='1.0'?><a/>"), ".pdf", ".pdf"
    ),
    Oddity("pdf with a letter attached", _attached("函.docx", paperwork.docx()), ".pdf", ".pdf"),
]
REFUSED = [
    Oddity("pdf that lost its end", lambda: paperwork.pdf()[:-200], ".pdf", None, "content_mismatch", "重新导出"),
    Oddity("pdf with a named script", lambda: pdf_with(_named_script), ".pdf", None, "active_content", "脚本"),
    Oddity("pdf with a password", _locked(owner="o", user="u"), ".pdf", None, "encrypted", "取消密码"),
    Oddity("pdf that starts a script", lambda: pdf_with(_on_opening), ".pdf", None, "active_content", "JavaScript"),
    Oddity(
        "pdf that starts a script from within a compressed stream of objects",
        lambda: pdf_with(_on_opening, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True),
        ".pdf",
        None,
        "active_content",
        "打印",
    ),
    Oddity(
        "pdf whose field has a script", lambda: pdf_with(_script_of_a_field), ".pdf", None, "active_content", "脚本"
    ),
    Oddity("pdf whose page has a script", lambda: pdf_with(_script_of_a_page), ".pdf", None, "active_content", "脚本"),
    Oddity(
        "pdf whose second action is a script", lambda: pdf_with(_second_action), ".pdf", None, "active_content", "脚本"
    ),
    Oddity(
        "pdf with a script and a password that nobody needs",
        lambda: pdf_with(_on_opening, encryption=pikepdf.Encryption(owner="o", user="")),
        ".pdf",
        None,
        "active_content",
        "脚本",
    ),
    Oddity(
        "pdf with an escaped name of a script",
        lambda: pdf_with(_on_opening).replace(b"/JavaScript", b"/Java#53cript"),
        ".pdf",
        None,
        "active_content",
        "脚本",
    ),
    Oddity("pdf that starts a program", lambda: pdf_with(_launch), ".pdf", None, "active_content", "Launch"),
    Oddity(
        "pdf with a link that is a script",
        _link_to(String("javascript:alert(1)")),
        ".pdf",
        None,
        "active_content",
        "脚本",
    ),
    Oddity(
        "pdf with a link that is a script in disguise",
        _link_to(String(" \tJava\nScript:alert(1)")),
        ".pdf",
        None,
        "active_content",
        "脚本",
    ),
    Oddity(
        "pdf whose links are all relative to a script",
        _link_to(String("alert(1)"), URI=Dictionary(Base=String("javascript:"))),
        ".pdf",
        None,
        "active_content",
        "脚本",
    ),
    Oddity("pdf with Flash", lambda: pdf_with(_rich_media), ".pdf", None, "active_content", "RichMedia"),
    Oddity("pdf that calls home", lambda: pdf_with(_calls_home), ".pdf", None, "active_content", "网络"),
    Oddity("pdf that only Acrobat shows", lambda: pdf_with(_dynamic_form), ".pdf", None, "active_content", "XFA"),
    Oddity(
        "pdf with a program attached", _attached("setup.exe", b"MZ\x90"), ".pdf", None, "embedded_package", "setup.exe"
    ),
    Oddity(
        "pdf with a program attached as a text", _attached("a.txt", b"MZ\x90"), ".pdf", None, "embedded_package", "程序"
    ),
    Oddity("pdf with a script attached", _attached("a.vbs", b"x = 1"), ".pdf", None, "embedded_package", "a.vbs"),
    Oddity(
        "pdf with a macro document attached",
        _attached("a.docx", paperwork.macro_docx()),
        ".pdf",
        None,
        "macro_document",
        "a.docx",
    ),
    Oddity("pdf behind a program", lambda: b"MZ\x90" + paperwork.pdf(), ".pdf", None, "polyglot", "程序"),
    Oddity("pdf behind a page", lambda: b"<script>1</script>" + paperwork.pdf(), ".pdf", None, "polyglot", "网页"),
    Oddity("pdf of a page that was lost", lambda: paperwork.pdf()[:350], ".pdf", None, "content_mismatch", "重新导出"),
]
