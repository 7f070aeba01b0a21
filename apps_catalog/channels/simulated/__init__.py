"""A fleet of invented devices, for demos and tests: it takes commands, connects, installs, refuses.

channel    what the engine sees: the same as of a real server
fleet      the clock: devices that are awake connect, and what they say goes to the inbox
behaviour  one device: what it answers, and what its apps are like (no I/O)
telling    what it says in NanoMDM's words
apple      who holds a license, as Apple says it
faults     switches: offline, busy, refusing, forgetful
enrolling  devices of the inventory become devices of the fleet
"""

from apps_catalog.channels.simulated.channel import SimulatedChannel
from apps_catalog.channels.simulated.enrolling import enroll
from apps_catalog.channels.simulated.fleet import tick

__all__ = ["SimulatedChannel", "enroll", "tick"]
