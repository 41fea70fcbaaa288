"""The examples of docs/http-api.md are reports that the receiver takes, one of each kind."""

from __future__ import annotations

import re
from pathlib import Path

from receiver.flows.report_json import parse_report
from receiver.flows.submit_report import MESSAGES, submit_report
from tests.databases import migrate_to_head
from tests.relaying import outbox_on

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "http-api.md"


def test_each_example_is_taken(tmp_path: Path) -> None:
    examples = re.findall(r"^```json\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    url = f"sqlite:///{tmp_path / 'receiver.db'}"
    migrate_to_head(url)
    with outbox_on(url) as outbox:
        outbox.accept("700101")
        for example in examples:
            assert not submit_report(parse_report(example.encode()), units=outbox.units).appended.is_repeat
        kinds = {row["kind"] for row in outbox.rows()} - {"order"}
    assert kinds == {kind.value for kind in MESSAGES}
