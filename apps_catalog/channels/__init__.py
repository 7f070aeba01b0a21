"""The way to devices: `simulated`, `nanomdm`, or `none`, where another MDM installs apps.

base        what every channel offers
nanomdm     a NanoMDM server over HTTP
simulated   an invented fleet, moved by a clock
inbox       what channels tell: stored, then understood, once each
enrollments what a device's check-in means for the inventory
outbox      commands on their way: sent, pushed again, given up
"""
