"""Pages of licenses and people: open to the account's allowed admins, changed by who manages it."""

from __future__ import annotations

from tests.sweep.rules import (
    EITHER,
    FULL,
    MANAGERS,
    MEMBERS,
    ORGANIZATION,
    THEIRS,
    WRITERS,
    Line,
    button,
    form,
    page,
)

LICENSES: dict[str, Line] = {
    "licensing:vpp": page(answers=302),
    "licensing:licensed_app_list": page(),
    "licensing:licensed_app_sync": page(),
    "licensing:licensed_app_detail": page(THEIRS, MANAGERS),
    "licensing:waiting_list": page(THEIRS, MANAGERS),
    "licensing:threshold": page(THEIRS, MANAGERS),
    "licensing:settings": page(writes=FULL),
    "licensing:holder_detail": page(THEIRS, MANAGERS),
    "licensing:unknown_holder_counts": page(),
    "licensing:unknown_holders": page(THEIRS, MANAGERS),
    "licensing:plan_detail": page(THEIRS, MANAGERS),
    "licensing:batch_list": page(),
    "licensing:batch_detail": page(THEIRS),
    "licensing:batch_progress": page(THEIRS),
    "licensing:batch_cancel": button(),
    "licensing:batch_retry": button(),
    "licensing:vpp_activity": page(),
    "licensing:foreign_changes_seen": button(MEMBERS),  # their own
    # People
    "licensing:user_list": page(writes=WRITERS),
    "licensing:user_status": page(),
    "licensing:user_add": form(),
    "licensing:user_edit": form(),
    "licensing:user_invite": button(MANAGERS),
    "licensing:user_register": button(MANAGERS),
    "licensing:user_link": page(MANAGERS, MANAGERS, hides=EITHER),
    "users:invitation_settings": page(ORGANIZATION, FULL),
    "users:invitation_preview": page(ORGANIZATION),
    "users:invitation_test_mail": button(),
    # Owners
    "users:owner_list": page(ORGANIZATION),
    "users:owner_add": form(),
    "users:owner_edit": page(ORGANIZATION, FULL),
    "users:owner_merge": form(),
    "users:owner_delete": form(),
    "licensing:owner_data": form(),
    "licensing:owner_data_export": button(),
    "users:import_add": page(ORGANIZATION, FULL),
    "users:import_template": page(ORGANIZATION),
    "users:import_detail": page(ORGANIZATION),
    "users:import_confirm": button(),
    "users:import_cancel": button(),
}
