"""Every address of the URLconf with every method, asked by everybody who could knock.

`table.py` says who gets what: a new address without a line there fails. `world.py` fills two
organizations with values that are recognised wherever they turn up; `knocking.py` asks, and looks
through every answer, its headers, the log and the tables for what should not be there.
"""
