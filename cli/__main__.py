"""Entry of the command line: `./manage` runs this file, and so may `python -m cli` beside it."""

import gc
import sys
from pathlib import Path

# Run as a file, Python looks for modules beside it; the rooms stand one folder above.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

# Importing makes much and throws little away: collecting meanwhile would take a fifth of the time.
gc.disable()
from cli.commands import main  # noqa: E402

gc.enable()
main()
