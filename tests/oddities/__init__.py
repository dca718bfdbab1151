"""Real oddities of documents, made when they are needed, each with the verdict that it deserves."""

from tests.oddities import compound_files, objects, packages, pdfs, strangers

_ALL = (pdfs, packages, objects, compound_files, strangers)
TAKEN = [oddity for module in _ALL for oddity in module.TAKEN]
REFUSED = [oddity for module in _ALL for oddity in module.REFUSED]
