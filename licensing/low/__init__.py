"""Titles that run low: fewer licenses left than their threshold.

watching   where counts were written: what fell below, what recovered, each told once
letters    the mail about it, one per account and occasion
settings   the thresholds: the organization's and a title's own
"""

from licensing.low.settings import TooLarge, default_threshold, set_default, set_threshold
from licensing.low.watching import watch

__all__ = ["TooLarge", "default_threshold", "set_default", "set_threshold", "watch"]
