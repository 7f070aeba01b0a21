"""Who wants a license of an Adam ID, in SQL: the holders whom the apps of an organization name.

Parameters: `organization`, `adam_id`.
"""

from __future__ import annotations

from apps_catalog.models import Installation, ManagedApp, PurchaseMethod
from licensing.models import Assignment
from organizations.models import Device
from users.models import VppUser

INSTALLATIONS, APPS = Installation._meta.db_table, ManagedApp._meta.db_table
DEVICES, PEOPLE = Device._meta.db_table, VppUser._meta.db_table
DEVICE, USER = Assignment.HolderKind.DEVICE, Assignment.HolderKind.USER

# A row for each app and holder; an owner with several devices comes several times.
WANTED = f"""
    SELECT app.id AS app_id, '{DEVICE}' AS holder_kind, device.serial_number AS holder
    FROM {APPS} AS app
    JOIN {INSTALLATIONS} AS wish ON wish.managed_app_id = app.id AND wish.is_wanted
    JOIN {DEVICES} AS device ON device.id = wish.device_id
    WHERE app.organization_id = %(organization)s AND app.adam_id = %(adam_id)s
      AND app.purchase_method = '{PurchaseMethod.DEVICE}' AND device.serial_number IS NOT NULL
    UNION ALL
    SELECT app.id, '{USER}', person.client_user_id
    FROM {APPS} AS app
    JOIN {INSTALLATIONS} AS wish ON wish.managed_app_id = app.id AND wish.is_wanted
    JOIN {DEVICES} AS device ON device.id = wish.device_id
    JOIN {PEOPLE} AS person ON person.owner_id = device.owner_id
         AND person.organization_id = app.organization_id
    WHERE app.organization_id = %(organization)s AND app.adam_id = %(adam_id)s
      AND app.purchase_method = '{PurchaseMethod.USER}'
"""  # noqa: S608  table names are the models'

# Of whose license a rule may decide: what became of a deleted device is decided when it is deleted.
IS_KNOWN = f"""(
    held.holder_kind = '{DEVICE}' AND EXISTS (
        SELECT 1 FROM {DEVICES} AS known
        WHERE known.organization_id = %(organization)s AND known.serial_number = held.holder)
    OR held.holder_kind = '{USER}' AND EXISTS (
        SELECT 1 FROM {PEOPLE} AS known
        WHERE known.account_id = held.account_id AND known.client_user_id = held.holder
          AND known.owner_id IS NOT NULL))
"""  # noqa: S608
