"""Reads a URL from the settings. It may hold a password, so no error shows any part of it."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def parts_of(url: str) -> SplitResult:
    """The parts of a URL with a host and, if any, a possible port; raises ValueError with a text of our own."""
    if "#" in url:
        # All behind it would be cut off, and what stands before it be taken for the host.
        raise ValueError("must not hold a #; in a user name or password write %23")
    parts = _split(url)
    if parts is None:
        raise ValueError("is no URL: look at the host and the port")
    if not parts.hostname:
        raise ValueError("names no host; it must be like scheme://user:password@host/path")
    return parts


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a ValueError of its own, which quotes it
    except ValueError:
        return None
    return parts
