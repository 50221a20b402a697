"""``python -m stele.cli``: the command line without an installed script."""

from stele.cli import main

main()
