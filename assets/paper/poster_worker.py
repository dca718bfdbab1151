"""The child process that draws a poster or a sign: `python -m assets.paper.poster_worker`.

It reads `{"what": "poster"|"sign", "form": "png"|"pdf", "poster": {…}}` from standard input and
writes the picture to standard output; or, with `REFUSED` as its end, the reason as one JSON object:
`{"font_missing": true}` or `{"characters": "…"}`.
"""

import json
import sys

from assets.paper import posters
from assets.paper.fonts import CharactersMissing, FontMissing
from assets.paper.poster_text import REFUSED, Poster

MAKERS = {
    ("poster", "pdf"): posters.poster_pdf,
    ("poster", "png"): posters.poster_png,
    ("sign", "pdf"): posters.sign_pdf,
    ("sign", "png"): posters.sign_png,
}


def main() -> int:
    """Entry of the child process."""
    asked = json.load(sys.stdin)
    try:
        content = MAKERS[asked["what"], asked["form"]](Poster(**asked["poster"]))
    except FontMissing:
        print(json.dumps({"font_missing": True}))
        return REFUSED
    except CharactersMissing as missing:
        print(json.dumps({"characters": missing.characters}))
        return REFUSED
    sys.stdout.buffer.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
