"""The environment, read once into one frozen Settings; the entry modules read it and hand the values down."""

from receiver.settings.credentials import PREFIX
from receiver.settings.model import OnChangedRepeat, Settings, described, read_settings

__all__ = ["PREFIX", "OnChangedRepeat", "Settings", "described", "read_settings"]
