"""The way to devices: `simulated`, `nanomdm`, or `none`, where another MDM installs apps.

base        what every channel offers
choosing    which of them an organization has; `configuring` what it decides, `checking` if it works
nanomdm     a NanoMDM server over HTTP; `nanomdm_answers` what it answers, `addresses` where it may be
plists      commands as devices take them; `results` what they answer
simulated   an invented fleet, moved by a clock
inbox       what channels tell: stored, then understood, once each
enrollments what a device's check-in means for the inventory (`registering`, `introductions`, `inventory`)
outbox      commands on their way: sent, pushed again, given up
"""
