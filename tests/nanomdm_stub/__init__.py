"""A NanoMDM for tests, over real HTTP, with a fleet of devices behind it.

    queues    what it keeps of devices and commands, as its back ends `pgsql` and `filekv` do
    fleet     devices that enroll, connect and answer
    webhook   what it tells, signed, in parallel and so in any order, once
    server    its API

It copies what was measured of the real one (device-channel reference 1.4), by the numbers there.
"""

from tests.nanomdm_stub.fleet import FakeDevice, Refused
from tests.nanomdm_stub.server import NanoMdmStub

__all__ = ["FakeDevice", "NanoMdmStub", "Refused"]
