"""An enterprise moves by a register file: what becomes of its filings."""

from pathlib import Path

from core.config import Settings
from tests.command_line import command_line
from tests.newcomers import code_of
from tests.parties import DECLARATION, WORKS, Parties, act, open_declaration


def test_a_declaration_not_yet_sent_goes_with_an_enterprise_that_moves_by_the_import(
    parties: Parties, settings: Settings, tmp_path: Path
) -> None:
    row = open_declaration(parties)
    row = parties.enterprise.put(f"/filings/{row['id']}", {"data": DECLARATION, "version": row["version"]}).json
    path = tmp_path / "名录.csv"
    path.write_text(f"统一社会信用代码,企业名称,行政区划代码\n{WORKS},常州某某电缆有限公司,320102\n", encoding="utf-8")
    with command_line(settings) as run:
        run("enterprises", "import", path, "--yes")
    assert parties.enterprise.get("/me").json["region"]["code"] == "320102"
    sent = act(parties.enterprise, row, "submit").json
    assert code_of(act(parties.reviewer, sent, "approve")) == (404, "not_found")
    assert act(parties.far_reviewer, sent, "approve").json["status"] == "done"
