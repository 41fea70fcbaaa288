"""`python -m receiver` is the same as `receiver`."""

from __future__ import annotations

from receiver.cli import main

main()
