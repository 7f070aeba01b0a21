"""User management over very many people: the server time of its pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from benchmarks import _common as common
from benchmarks.pages import measure

Row = dict[str, Any]
MOST = {"median ms": 60, "statements": 12}  # issue 5, of the list as one finds it
TITLES, HELD = 50, 4


def people_pages(people: int) -> list[Row]:
    """Two thirds have accepted, and hold a few titles; half of them have a device."""
    client, account = fill(people)
    base = f"/organizations/{account.organization_id}/manage/vpp"
    users = f"{base}/users/?account={account.pk}"
    somebody = account.vpp_users.order_by("pk")[people // 2]
    pages = {
        "user management": users,
        "all accounts": f"{base}/users/",
        "by e-mail": f"{users}&sort=email",
        "searched": f"{users}&q=person+99",
        "status Failed": f"{users}&status=Failed",
        "shares an Apple Account": f"{users}&attention=shared",
        "more than 10 devices": f"{users}&attention=devices",
        "a person": f"{base}/{account.pk}/holders/user/{somebody.client_user_id}/",
        "add user": f"{base}/users/add/?account={account.pk}",
        "owners": f"/organizations/{account.organization_id}/configure/owners/",
    }
    return [measure(client, name, url) for name, url in pages.items()]


def fill(people: int) -> tuple[Any, Any]:
    """Two accounts with that many people each, an admin signed in."""
    from django.db import connections  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from organizations.models import Admin, Membership, Network  # noqa: PLC0415

    organization = common.organization("Benchmark of pages")
    admin = Admin.objects.create_user("people@example.org")
    Membership.objects.create(organization=organization, admin=admin, access="full")
    network = Network.objects.create(organization=organization, name="School")
    accounts = [an_account(organization, number) for number in (1, 2)]
    with connections["owner"].cursor() as cursor:
        for statement in STATEMENTS:
            for account in accounts if "%(account)s" in statement else accounts[:1]:
                names = {"account": account.pk, "network": network.pk, "people": people}
                cursor.execute(statement, names | {"organization": organization.pk, "held": HELD})
        cursor.execute("ANALYZE")
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(admin)
    return client, accounts[0]


def an_account(organization: Any, number: int) -> Any:
    from django.utils import timezone  # noqa: PLC0415

    from apps_catalog.models import App  # noqa: PLC0415
    from licensing.models import LicensedApp  # noqa: PLC0415
    from vpp_accounts.models import VppAccount  # noqa: PLC0415

    now = timezone.now()
    account = VppAccount(organization=organization, name=f"Bench {number}", email="b@example.org")
    account.stoken, account.uid, account.country = "token", f"people-{number}", "US"
    account.token_expires_at, account.last_synced_at = now + timedelta(days=300), now
    account.state = "in_sync"
    account.save()
    for n in range(TITLES):
        app, _ = App.objects.get_or_create(
            adam_id=str(700_000_000 + n), country="US", defaults={"name": f"Title {n}"}
        )
        LicensedApp.objects.create(
            organization=organization, account=account, app=app, adam_id=app.adam_id,
            pricing_param="STDQ", product_type="Book" if n % 10 == 0 else "App",
            platforms=["iOS"], total_count=2_000_000, counts_as_of=now,
        )  # fmt: skip
    return account


STATEMENTS = (
    """
    INSERT INTO organizations_owner (organization_id, name, email, username, managed_apple_account,
                                     tag_ids, language, source, missing_since, created_at)
    SELECT %(organization)s, 'Person ' || n, 'person' || n || '@example.org', 'p' || n, '', '{}',
           '', 'csv', CASE WHEN n %% 2000 = 0 THEN now() END, now()
    FROM generate_series(1, %(people)s) AS n
    """,
    """
    INSERT INTO users_vppuser (organization_id, account_id, owner_id, client_user_id, name, email,
                               apple_status, failure, id_hash, invite_code_ciphertext,
                               invite_code_digest, first_seen_at, invited_at, associated_at)
    SELECT organization_id, %(account)s, id, gen_random_uuid()::text, name, email,
           CASE WHEN id %% 3 > 0 THEN 'Associated' WHEN id %% 30 = 0 THEN 'Retired'
                ELSE 'Registered' END,
           CASE WHEN id %% 300 = 3 THEN 'The mail server refused this address: 550' ELSE '' END,
           CASE WHEN id %% 3 > 0
                THEN md5((CASE WHEN id %% 500 = 1 THEN id + 1 ELSE id END)::text) ELSE '' END,
           '', '', now(), CASE WHEN id %% 2 = 0 THEN now() - interval '9 days' END,
           CASE WHEN id %% 3 > 0 THEN now() END
    FROM organizations_owner WHERE organization_id = %(organization)s
    """,
    """
    INSERT INTO licensing_assignment (account_id, licensed_app_id, holder_kind, holder,
                                      organization_id, origin, since)
    SELECT person.account_id, title.id, 'user', person.client_user_id, person.organization_id,
           'apple', now()
    FROM users_vppuser AS person
    JOIN LATERAL (SELECT id FROM licensing_licensedapp WHERE account_id = person.account_id
                  ORDER BY id OFFSET person.id %% 40 LIMIT %(held)s) AS title ON true
    WHERE person.apple_status = 'Associated' AND person.account_id = %(account)s
    """,
    """
    INSERT INTO organizations_device (organization_id, network_id, owner_id, serial_number, name,
                                      model, platform, os_version, supervised, enrollment, tag_ids,
                                      sources, created_at)
    SELECT organization_id, %(network)s, id, 'SN' || id || '-' || n, 'iPad ' || id, '',
           'iPadOS', '', true, 'device', '{}', '{}', now()
    FROM organizations_owner, generate_series(1, CASE WHEN id %% 500 = 0 THEN 12 ELSE 1 END) AS n
    WHERE organization_id = %(organization)s AND id %% 2 = 0
    """,
    """
    INSERT INTO users_invitation (organization_id, account_id, user_id, generation, actor_kind,
                                  actor_name, created_at, expires_at, mails, reminders, ending,
                                  asked_again_at)
    SELECT organization_id, account_id, id, 1, 'admin', 'bench', now(), now() + interval '80 days',
           1, 0, '', CASE WHEN id %% 900 = 0 THEN now() END
    FROM users_vppuser WHERE account_id = %(account)s AND apple_status = 'Registered'
    """,
)


def misses(row: Row) -> list[str]:
    """Only the list as one finds it has an aim."""
    if row["page"] != "user management":
        return []
    return [
        f"{row['page']}: {name} {row[name]}, at most {most}"
        for name, most in MOST.items()
        if row[name] > most
    ]
