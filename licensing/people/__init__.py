"""The people of VPP accounts as the pages tell of them.

facts       what stands beside a name in the list: read for many in one statement
attention   who should be looked at, as conditions
next_steps  what has to happen next for one person, and what can be done
timeline    what has happened to one person
adding      who could be added to an account, and adding them
"""
