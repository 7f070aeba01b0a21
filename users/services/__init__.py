"""What admins do with people.

details  what is said about somebody: checked, written down, told to Apple
people   the people of a VPP account: added, said more about
owners   the same people as the organization's: added, edited, deleted
merging  two owners who are one person
"""

from users.services.details import PersonDetails, checked, facts
from users.services.merging import merge_owners
from users.services.owners import OwnerDetails, add_owner, delete_owner, edit_owner
from users.services.people import add_person, edit_person

__all__ = [
    "OwnerDetails",
    "PersonDetails",
    "add_owner",
    "add_person",
    "checked",
    "delete_owner",
    "edit_owner",
    "edit_person",
    "facts",
    "merge_owners",
]
