"""The endpoints that change licenses and client users, and the status of what they started.

    POST assets/associate        associate_assets
    POST assets/disassociate     disassociate_assets
    POST assets/revoke           revoke_assets
    POST users/create            create_users
    POST users/update            update_users
    POST users/retire            retire_users
    GET  status                  event_status

Each POST is one request: it must keep to the limits of service/config, as what `within` gives does.
It answers `Accepted` or `AnswerLost`; a refusal is raised, and then nothing was done. Every one
of them can be repeated without harm after reading what is true: licenses are sets, and a user who
exists already fails with 9716. One writer per location: hold its lease while you write.
"""

from functools import partial

from vpp_accounts.apple.caller import Caller
from vpp_accounts.apple.chunks import ManageAssets, ManageUsers, RevokeAssets, Work
from vpp_accounts.apple.events import EventStatus, WriteResult, accepted, event_status


class Writes(Caller):
    """Licenses and client users, changed through events."""

    def associate_assets(self, request: ManageAssets) -> WriteResult:
        """Give every holder every asset. What is held already counts as done.

        Refused: 9707 (not for devices). Later: 9609 (unknown user), 9709 (not enough licenses).
        Apple does not check serial numbers. An asset that is not revocable never comes back.
        """
        return self._manage("assets/associate", request)

    def disassociate_assets(self, request: ManageAssets) -> WriteResult:
        """Take every asset from every holder. What is not held counts as done.

        Refused: 9706 (not revocable, as books are).
        """
        return self._manage("assets/disassociate", request)

    def revoke_assets(self, request: RevokeAssets) -> WriteResult:
        """Take everything that is revocable from these holders."""
        return self._manage("assets/revoke", request)

    def create_users(self, request: ManageUsers) -> WriteResult:
        """Create client users: Registered with an invite code, or Associated by a Managed Apple Account.

        Refused: 9717 (e-mail). Later: 9716 (exists and is active), 9635, 9641 (Apple Account).
        """
        return self._manage("users/create", request)

    def update_users(self, request: ManageUsers) -> WriteResult:
        """Change e-mail or Managed Apple Account; what is None stays. Unknown users: 9609."""
        return self._manage("users/update", request)

    def retire_users(self, request: ManageUsers) -> WriteResult:
        """Retire client users; what is revocable of theirs becomes free. Unknown users: 9609."""
        return self._manage("users/retire", request)

    def event_status(self, event_id: str) -> EventStatus:
        """How the event stands; `EventNotFound` when Apple does not know it (any more).

        Apple asks for at least 30 seconds between two questions about a pending event, and to send
        the request again when it is pending after ten minutes. COMPLETE can come before the lists show it.
        """
        read = partial(event_status, event_id=event_id)
        return self._read("status", [("eventId", event_id)], read)

    def _manage(self, path: str, request: Work) -> WriteResult:
        return self._write(path, request.wire(), accepted)
