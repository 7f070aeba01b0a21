"""Devices that say they found no license: Apple is asked what is true, however many they are."""

from __future__ import annotations

import pytest

from licensing.installations import Answers
from licensing.models import Assignment
from organizations import tenancy
from tests.deploying import school
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.mark.parametrize(("doubted", "most"), [(3, 2 * 3), (40, 2)])
def test_apple_is_asked_title_by_title_where_many_are_in_doubt(
    fake: FakeApple, account: VppAccount, doubted: int, most: int
) -> None:
    here = school(fake, account)
    installations = [here.licensed(here.device(), state="planned") for _ in range(doubted)]
    gone = installations[-1].device.serial_number
    fake.unassign(account.uid, here.managed_app.adam_id, serial_numbers=[gone])
    fake.journal.clear()

    with tenancy.inside(account.organization_id):
        held = Answers().licensed_at_apple([each.pk for each in installations])

    asked = [each for each in fake.journal if each.path.endswith("/assignments")]
    assert held == {each.pk for each in installations[:-1]}
    assert len(asked) <= most
    assert not Assignment.objects.filter(holder=gone).exists()
