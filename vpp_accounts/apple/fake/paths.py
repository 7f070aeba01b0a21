"""Where things are, as at Apple; every host of Apple's is the same fake."""

ROOT = "/mdm/v2"
LOOKUP = "/WebObjects/MZStorePlatform.woa/wa/lookup"
INVITATION = "/WebObjects/MZFinance.woa/wa/associateVPPUserWithITSAccount"
# Of notifications that go out; they have no address before they are delivered.
NOTIFICATIONS = "/notifications/"
