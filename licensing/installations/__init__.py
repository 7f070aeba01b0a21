"""What installations need to know of licenses and people (apps_catalog/installations/licenses.py)."""

from licensing.installations.answers import Answers

__all__ = ["Answers"]
