"""Makes spyne 2.14.0 fit for service; import this module before anything of spyne.

It does not import on Python 3.12 and later: it carries an old copy of six whose lazy `moves` loader needs an import
hook that Python 3.12 removed. The real six has the same modules, so they are registered under the names spyne asks
for. (Python 3.13 also dropped `cgi`; the package legacy-cgi brings it back.)

And it runs a full garbage collection every second, which stops all threads of a worker for as long as 60 ms; nothing
here holds files that would need it.
"""

from __future__ import annotations

import math
import sys
import warnings

import six

_MOVES = "spyne.util.six.moves"
_NEEDED = ("collections_abc", "http_cookies", "urllib", "urllib.parse", "urllib.request", "urllib.error")


def prepare() -> None:
    """Register the moved modules and switch spyne's collections off; harmless when called again."""
    sys.modules.setdefault(_MOVES, six.moves)
    for name in _NEEDED:
        module = six.moves
        for part in name.split("."):
            module = getattr(module, part)
        sys.modules.setdefault(f"{_MOVES}.{name}", module)
    warnings.filterwarnings("ignore", message="'cgi' is deprecated", category=DeprecationWarning)
    _collect_never()


def _collect_never() -> None:
    # Only importable now that the modules are registered.
    from spyne import const  # noqa: PLC0415

    const.MIN_GC_INTERVAL = math.inf


prepare()
