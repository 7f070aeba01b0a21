# ruff: noqa: N815  # the names are those on the wire
"""What is done for one person of an account: registered again, the invitation link made."""

from __future__ import annotations

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from licensing.api.doors import VppAccountApiView
from licensing.api.user_serializers import VppUserSerializer
from licensing.api.users import TAG, user_json
from licensing.people import acting
from licensing.people.facts import Person, people_of
from licensing.tables.people import users_in
from organizations.api.once import told_once
from organizations.api.openapi import operation
from organizations.api.serializers import WireSerializer
from users.invitations import links
from users.models import VppUser


class MakeLinkSerializer(WireSerializer):
    renew = serializers.BooleanField(
        default=False,
        help_text="Another link: whoever has an earlier one can do nothing with it any more.",
    )


class InvitationLinkSerializer(WireSerializer):
    url = serializers.URLField(
        allow_null=True,
        help_text="Whoever has it can accept in the place of the user: hand it to nobody else. Null"
        " where the answer is a repeated one.",
    )
    expiresAt = serializers.DateTimeField()


class PersonApiView(VppAccountApiView):
    """Everything that changes below /users/{userId}."""

    needs_allowed_admin = True
    network_writes = True

    person: Person

    def enter(self) -> None:
        super().enter()
        found = users_in(self.membership, [self.account]).filter(pk=self.row_id("userId"))
        people = people_of(list(found), [self.account])
        if not people:
            raise Http404
        self.person = people[0]


class InvitationLinkView(PersonApiView):
    @operation(
        "createOrganizationSmVppAccountUserInvitationLink",
        "Get the invitation link of a user",
        tag=TAG,
        body=MakeLinkSerializer,
        answers={200: InvitationLinkSerializer},
        description=(
            "Theirs, or a new one; nothing is mailed, and an expired invitation is valid anew. Refused"
            " with the code cannot_do where they cannot accept one: Apple does not know them yet, or"
            " they have accepted already. Each call is noted in the audit log, without the link."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = MakeLinkSerializer.checked(request)
        acting.refuse_obstacle(self.person, self.membership)
        act = acting.renew_link if given["renew"] else acting.make_link
        invitation = act(by=self.actor, person=self.person)
        told = {"expiresAt": invitation.expires_at}
        return told_once(self, told, {"url": links.url_of(invitation)})

    @operation(
        "deleteOrganizationSmVppAccountUserInvitationLink",
        "Withdraw the invitation of a user",
        tag=TAG,
        answers={204: None},
        description="Its links lead nowhere any more, and a mail that waits is not sent. The user stays"
        " a user of the account. Refused with the code cannot_do where none is open.",
    )
    def delete(self, request: Request, **path: str) -> Response:
        acting.refuse_obstacle(self.person, self.membership)
        acting.withdraw(by=self.actor, person=self.person)
        return Response(status=204)


class RegisterUserView(PersonApiView):
    @operation(
        "registerOrganizationSmVppAccountUser",
        "Register a user at Apple again",
        tag=TAG,
        answers={202: VppUserSerializer},
        description=(
            "After they were retired, or after Apple refused them. It goes on by itself; poll the user."
            " Refused with the code cannot_do where there is nothing to repeat."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        acting.refuse_obstacle(self.person, self.membership)
        acting.register(by=self.actor, membership=self.membership, person=self.person)
        users = VppUser.objects.select_related("owner", "account")
        return Response(user_json(users.get(pk=self.person.user.pk)), status=202)
