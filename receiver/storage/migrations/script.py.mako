"""${message}

The previous release keeps running while this step is applied, and after it: add columns as nullable or with a default,
and remove a thing only one release after the code stopped using it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""
    ${upgrades if upgrades else "pass"}
