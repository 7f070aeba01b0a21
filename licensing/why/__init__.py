"""Why an app is not on a device: one line for each row of a list, or the whole way step by step.

    facts = gather(installations, membership)     a few statements for any number of rows
    why_of(installation, facts)                   pure; `sentence`, `fix`, `fix_url`, `stage`
    walk(managed_app, device, membership)         also where the device is not in scope

facts     what sentences about installations may name
lines     one line why
links     the page on which something is put right
cases     everything that is known of one app and one device
walking   scope, license, Apple's event, the way to the device, the device; stops where it is not right
"""

from licensing.why.facts import Facts, gather
from licensing.why.lines import Why, why_of
from licensing.why.steps import Detail, Fix, Step, Verdict
from licensing.why.walking import walk

__all__ = ["Detail", "Facts", "Fix", "Step", "Verdict", "Why", "gather", "walk", "why_of"]
