"""Typical tasks of an integrator with a client from `openapi-python-client`: main_job.py ADDRESS.

`mypy --strict` checks this file before it runs.
"""

import json
import os
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import assert_never

import httpx

from postern_client import AuthenticatedClient, Client
from postern_client.api.accounts import search_accounts
from postern_client.api.audit import list_audit_events
from postern_client.api.identity import login
from postern_client.api.me import change_password, read_me
from postern_client.api.members import list_members
from postern_client.api.orgs import read_org, update_org
from postern_client.api.settings import read_settings, update_settings
from postern_client.api.support import end_impersonation, start_impersonation
from postern_client.models import (
    ActorRef,
    ChangePasswordBody,
    Event,
    EventPage,
    KnownAction,
    KnownProblemCode,
    LoginBody,
    MeView,
    Member,
    MemberPage,
    Mode,
    Org,
    Problem,
    Role,
    SearchResults,
    Settings,
    StartedView,
    StartImpersonationBody,
    Tier,
    TokensView,
    UpdateOrgBody,
    UpdateSettingsBody,
)
from postern_client.types import UNSET, Unset

ADDRESS = sys.argv[1]
PASSWORD = "postern-demo-2026"
RENAMED = f"Acme of Python {os.getpid()}"


def sign_in(email: str) -> str:
    tokens = login.sync(client=Client(ADDRESS), body=LoginBody(email=email, password=PASSWORD))
    assert isinstance(tokens, TokensView), tokens
    return tokens.access_token


def every_member(client: AuthenticatedClient) -> Iterator[Member]:
    cursor: str | Unset = UNSET
    while True:
        page = list_members.sync("acme", client=client, limit=1, cursor=cursor)
        assert isinstance(page, MemberPage), page
        yield from page.data
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


def access(mode: Mode) -> str:
    """Text for a mode. The enumeration is closed: mypy reports a missing value."""
    match mode:
        case Mode.READ_ONLY:
            return "read access"
        case Mode.FULL:
            return "full access"
        case other:
            assert_never(other)


def label(actor: ActorRef) -> str:
    """Text for an actor. New types may be added: they have an e-mail address or ID, or neither."""
    if actor.type_ == "staff" and isinstance(actor.tier, Tier):
        return f"{actor.email} ({actor.tier.value})"
    return actor.email or actor.id or actor.type_


def stream_events(token: str) -> Iterator[Event]:
    url = f"{ADDRESS}/v1/orgs/acme/audit-events/stream"
    headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
    with httpx.stream("GET", url, headers=headers, timeout=30) as stream:
        for line in stream.iter_lines():
            if line.startswith("retry:"):
                # The stream has begun.
                rename(RENAMED)
            if line.startswith("data: "):
                yield Event.from_dict(json.loads(line.removeprefix("data: ")))


owner_token = sign_in("owner@acme.example")
owner = AuthenticatedClient(ADDRESS, token=owner_token)


def rename(name: str) -> str:
    before = read_org.sync("acme", client=owner)
    assert isinstance(before, Org), before
    after = update_org.sync("acme", client=owner, body=UpdateOrgBody(name=name))
    assert isinstance(after, Org), after
    return before.name


members = list(every_member(owner))
assert len(members) > 3 and Role.OWNER in {member.role for member in members}

# Edit the settings with a precondition: a concurrent edit fails.
read = read_settings.sync_detailed("acme", client=owner)
assert isinstance(read.parsed, Settings)
etag = read.headers["etag"]
email = f"python-{os.getpid()}@acme.example"
edit = UpdateSettingsBody(support_email=email)
edited = update_settings.sync("acme", client=owner, body=edit, if_match=etag)
assert isinstance(edited, Settings) and edited.support_email == email, edited
# None removes a value; an absent field (UNSET, the default) stays unchanged.
for change, expected in [
    (UpdateSettingsBody(), email),
    (UpdateSettingsBody(support_email=None), None),
]:
    changed = update_settings.sync("acme", client=owner, body=change)
    assert isinstance(changed, Settings) and changed.support_email == expected, changed
late_edit = UpdateSettingsBody(support_email=None)
late = update_settings.sync_detailed("acme", client=owner, body=late_edit, if_match=etag)
assert late.status_code is HTTPStatus.PRECONDITION_FAILED
assert isinstance(late.parsed, Problem) and late.parsed.code is KnownProblemCode.STALE

# Support starts an impersonation with a reason. The same idempotency key replays the response.
support = AuthenticatedClient(ADDRESS, token=sign_in("support@postern.example"))
accounts = search_accounts.sync(client=support, q="member@acme")
assert isinstance(accounts, SearchResults), accounts
target = accounts.users[0]
body = StartImpersonationBody(
    target_user_id=target.id,
    org="acme",
    reason="cannot open the reports page",
    ticket_ref="SUP-4312",
    mode=Mode.FULL,
)
key = f"python-{os.getpid()}"
started = start_impersonation.sync(client=support, body=body, idempotency_key=key)
assert isinstance(started, StartedView), started
replayed = start_impersonation.sync_detailed(client=support, body=body, idempotency_key=key)
assert replayed.headers["idempotency-replayed"] == "true"
assert access(started.impersonation.mode) == "full access"
impersonated = AuthenticatedClient(ADDRESS, token=started.access_token)
me = read_me.sync(client=impersonated)
assert isinstance(me, MeView), me
assert me.impersonation is not None and not isinstance(me.impersonation, Unset)
assert me.impersonation == started.impersonation
blocked = change_password.sync(
    client=impersonated,
    body=ChangePasswordBody(current_password=PASSWORD, new_password="another-password-2026"),
)
assert isinstance(blocked, Problem), blocked
assert blocked.code is KnownProblemCode.IMPERSONATION_BLOCKED, blocked

# Stream the audit log and receive the next event.
before = read_org.sync("acme", client=owner)
assert isinstance(before, Org)
events = stream_events(owner_token)
event = next(event for event in events if event.action is KnownAction.ORG_UPDATED)
assert event.metadata["name"] == {"old": before.name, "new": RENAMED}, event
assert rename(before.name) == RENAMED

# Read the audit log: events of the impersonation name the staff member and the target.
page = list_audit_events.sync("acme", client=owner, on_behalf_of=target.email)
assert isinstance(page, EventPage), page
newest = page.data[0]
assert label(newest.actor) == "support@postern.example (support)"
assert newest.on_behalf_of is not None
assert newest.on_behalf_of.email == target.email
# Values added by a later server version can be parsed.
later = newest.to_dict()
later["action"], later["target"]["type"] = "report.created", "report"
later["actor"] = {"type": "robot", "id": "robot_1", "email": None}
parsed = Event.from_dict(later)
assert parsed.action == "report.created" and parsed.summary == newest.summary
assert parsed.target.type_ == "report" and label(parsed.actor) == "robot_1"
later_org = before.to_dict() | {"plan": "galactic"}
assert Org.from_dict(later_org).plan == "galactic" and before.plan == "enterprise"
ended = end_impersonation.sync_detailed(started.impersonation.id, client=support)
assert ended.status_code is HTTPStatus.NO_CONTENT
after_end = read_me.sync(client=impersonated)
assert isinstance(after_end, Problem), after_end
assert after_end.code is KnownProblemCode.IMPERSONATION_ENDED, after_end
print("all tasks succeeded with the Python client")
