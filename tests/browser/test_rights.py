"""What an admin of one school sees of an account that serves others: disabled, with the reasons."""

import pytest

from organizations.models import NetworkAccess, Organization
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.test_every_page import LOOKS, each_of, examined, only_trouble
from tests.rights import district
from vpp_accounts.apple.fake import FakeApple


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_pages_for_an_admin_of_a_network(
    open_page: OpenPage,
    complaints: Complaints,
    organization: Organization,
    apple: FakeApple,
    theme: str,
    width: int,
) -> None:
    location = apple.create_location(name="North", org_name="Example Schools")
    account = factories.VppAccountFactory(
        organization=organization, uid=location.uid, token=location.issue_token()
    )
    schools = district(apple, account)
    NetworkAccess.objects.create(
        organization=organization,
        membership=schools.members["of Oak"],
        network=schools.birch,
        can_write=False,
    )
    schools.allow("networks")
    schools.assign_in(schools.birch)
    page = open_page(schools.admin("of Oak"), theme=theme, width=width)
    holders = f"manage/vpp/{account.pk}/holders/device"
    addresses = [
        f"{schools.title_url}?holders=devices",
        schools.below(f"{holders}/OAK1/"),
        schools.below(f"{holders}/BIRCH1/"),
        schools.below("manage/vpp/users/"),
        schools.below("mdm/"),
    ]

    wrong = examined(page, each_of(page, addresses))

    assert only_trouble(wrong) == {}
    assert complaints == []
    page.goto(addresses[0])
    reason = "cannot be chosen: The device's network is not among"
    assert page.get_by_role("checkbox", name=reason).first.is_disabled()
