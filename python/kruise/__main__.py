"""``python -m kruise``: the ``kruise`` command."""

from kruise.cli import main

main()
