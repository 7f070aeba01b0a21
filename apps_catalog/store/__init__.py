"""Searches in the public store of a country, asked by pages and answered by a worker.

terms      what was typed, as questions to the store
asking     a question becomes a row, or finds the one that somebody asked before
searching  a worker asks Apple
reading    Apple's answer, as results that pages show
choosing   a result that somebody chose becomes an App
"""

from apps_catalog.store.asking import LONGEST_TERM, ask
from apps_catalog.store.choosing import app_of
from apps_catalog.store.searching import forget_old, run, waiting

__all__ = ["LONGEST_TERM", "app_of", "ask", "forget_old", "run", "waiting"]
