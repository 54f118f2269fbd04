"""The cost table: the document shows what the command prints, and the command does what the document says."""

from pathlib import Path

import pytest

from infra import cost

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_document_shows_the_commands_table():
    text = (DOCS / "cost.md").read_text(encoding="utf-8")
    assert "\n".join(cost.table(1.0, 0.02, 0.001, 1.0)) in text
    assert "\n".join(cost.worst_day(cost.INSTANCES, 100.0, cost.ANSWERS)) in text


def test_a_million_requests_by_hand():
    assert cost.aws(1e6, 1, 0.02, 0, snapstart=False) == pytest.approx(0.20 + 0.266668 + 0.5 + 2.0)
    more = cost.aws(1e6, 1, 0.02, 0, snapstart=False, kilobytes=100) - cost.aws(1e6, 1, 0.02, 0, snapstart=False)
    assert more == pytest.approx(100 * 0.09)
    assert cost.aws(0, 1, 0, 0, snapstart=True) - cost.aws(0, 1, 0, 0, snapstart=False) == pytest.approx(3.8999232)
    assert cost.google(1e6, 1, 0.02) == pytest.approx(0.40 + 0.1 * (24 + 2.5))


def test_the_document_names_every_price():
    text = (DOCS / "cost.md").read_text(encoding="utf-8")
    for price in ("0.0000133334", "0.0000015046", "0.0001397998", "0.000024", "0.0000025"):
        assert price in text
    assert all(f"{price:g}" in text for price in cost.TRAFFIC.values())
    assert f"{2_592_000 * 0.0000133334:.2f}" in text
