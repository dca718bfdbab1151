"""Entry point of the command line: `./manage` runs this file; `python -m cli` works too."""

import gc
import sys
from pathlib import Path

# When run as a file, Python searches modules in this folder; the rooms are in the folder above.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

# Importing creates many objects and frees few: garbage collection would take a fifth of the start time.
gc.disable()
from cli.commands import main  # noqa: E402

gc.enable()
if __name__ == "__main__":  # not in processes that a command starts beside itself
    main()
