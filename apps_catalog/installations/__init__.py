"""An app's way onto a device, and off it again: what follows once the license is there.

transitions  every change of state, many at once, each with its step in the history
"""
