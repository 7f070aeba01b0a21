"""A fake of Apple's App and Book Management service, with the store's metadata and a portal.

Create a `FakeApple`, put content into it, and reach it through one of two doors: `FakeAppleAdapter`
for a requests.Session in the same process, `serving` or `manage.py fake_apple` over HTTP.
"""

from vpp_accounts.apple.fake.adapter import FakeAppleAdapter
from vpp_accounts.apple.fake.catalogue import CATALOGUE
from vpp_accounts.apple.fake.fake import FakeApple
from vpp_accounts.apple.fake.server import Server, serving
from vpp_accounts.apple.fake.titles import Title

__all__ = ["CATALOGUE", "FakeApple", "FakeAppleAdapter", "Server", "Title", "serving"]
