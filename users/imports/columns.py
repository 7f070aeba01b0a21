"""What a file says about people, by the many names that its columns may have."""

from __future__ import annotations

from organizations.imports import Columns

# The fields of a row, each with its name in the template.
FIELDS = {
    "name": "name",
    "email": "email",
    "username": "username",
    "tags": "tags",
    "managed_apple_account": "managedAppleAccount",
}
LENGTHS = {"name": 200, "email": 254, "username": 200, "tags": 2000, "managed_apple_account": 254}
MOST_ROWS = 100_000

PEOPLE = Columns(
    each="person",
    nobody="nobody",
    fields=FIELDS,
    synonyms={
        "name": "name",
        "displayname": "name",
        "fullname": "name",
        "owner": "name",
        "email": "email",
        "emailaddress": "email",
        "mail": "email",
        "username": "username",
        "login": "username",
        "loginname": "username",
        "user": "username",
        "userid": "username",
        "tags": "tags",
        "tag": "tags",
        "ownertags": "tags",
        "managedappleaccount": "managed_apple_account",
        "managedappleid": "managed_apple_account",
    },
    lengths=LENGTHS,
    needed=("email", "managed_apple_account"),
    most_rows=MOST_ROWS,
)
