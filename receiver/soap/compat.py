"""Lets spyne 2.14.0 import on Python 3.12 and later; import this module before anything of spyne.

spyne carries an old copy of six whose lazy `moves` loader needs an import hook that Python 3.12 removed. The real six
has the same modules, so they are registered under the names spyne asks for. Goes when spyne stops carrying its copy.
(Python 3.13 also dropped `cgi`; the package legacy-cgi brings it back.)
"""

from __future__ import annotations

import sys
import warnings

import six

_OLD = "spyne.util.six"


def prepare() -> None:
    """Make the moved modules of `spyne.util.six` those of the real six; harmless when called again."""
    moves = six.moves
    sys.modules.setdefault(f"{_OLD}.moves", moves)
    for name in (
        "collections_abc",
        "http_cookies",
        "urllib",
        "urllib.parse",
        "urllib.request",
        "urllib.error",
    ):
        module = moves
        for part in name.split("."):
            module = getattr(module, part)
        sys.modules.setdefault(f"{_OLD}.moves.{name}", module)
    warnings.filterwarnings("ignore", message=r"'cgi' is deprecated", category=DeprecationWarning)


prepare()
