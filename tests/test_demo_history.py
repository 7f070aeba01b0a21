"""The demo's invented past: plausible, and ending at what is true today."""

from datetime import date, timedelta

import pytest

from licensing.demo.history import Counts, plan_past

MONDAY = date(2026, 9, 7)
DAYS = [MONDAY + timedelta(days=n) for n in range(28)]


@pytest.mark.parametrize("end", [Counts(100, 90), Counts(40, 40), Counts(50, 0), Counts(0, 0)])
def test_an_invented_past_leads_to_the_present(end: Counts) -> None:
    past = plan_past(end, DAYS, seed="1264077130 STDQ")

    assert past == sorted(past, key=lambda counts: counts.assigned)
    assert past[-1] == end
    assert all(counts.assigned <= counts.total <= end.total for counts in past)


def test_nothing_is_handed_out_on_a_weekend() -> None:
    past = plan_past(Counts(2000, 1900), DAYS, seed="1264077130 STDQ")

    assert past[4].assigned == past[5].assigned == past[6].assigned
    assert past[3].assigned < past[4].assigned


def test_unlimited_stays_unlimited() -> None:
    past = plan_past(Counts(2147483647, 300), DAYS, seed="1264077130 STDQ", is_unlimited=True)

    assert {counts.total for counts in past} == {2147483647}
