"""An integrator's main job with the client that `openapi-python-client` makes of the contract: main_job.py ADDRESS. `mypy --strict` reads it first."""

import json
import os
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import assert_never

import httpx

from postern_client import AuthenticatedClient, Client
from postern_client.api.audit import list_audit_events
from postern_client.api.identity import login
from postern_client.api.me import change_password, read_me
from postern_client.api.members import list_members
from postern_client.api.orgs import read_org, update_org
from postern_client.api.settings import read_settings, update_settings
from postern_client.api.support import end_impersonation, search_accounts, start_impersonation
from postern_client.models import (
    ApiKeyActor,
    ChangePasswordBody,
    Event,
    EventPage,
    FoundView,
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
    Settings,
    StaffActor,
    StartedView,
    StartImpersonationBody,
    SystemActor,
    TokensView,
    UpdateOrgBody,
    UpdateSettingsBody,
    UserActor,
)
from postern_client.types import UNSET, Unset

ADDRESS = sys.argv[1]
PASSWORD = "postern-demo-2026"
RENAMED = f"Acme of Python {os.getpid()}"


def sign_in(email: str) -> str:
    answer = login.sync(client=Client(ADDRESS), body=LoginBody(email=email, password=PASSWORD))
    assert isinstance(answer, TokensView), answer
    return answer.access_token


def every_member(client: AuthenticatedClient) -> Iterator[Member]:
    cursor: str | Unset = UNSET
    while True:
        page = list_members.sync("acme", client=client, limit=1, cursor=cursor)
        assert isinstance(page, MemberPage), page
        yield from page.data
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


def told(mode: Mode) -> str:
    """A closed list is closed: mypy knows when a word is forgotten."""
    match mode:
        case Mode.READ_ONLY:
            return "looks"
        case Mode.FULL:
            return "acts"
        case other:
            assert_never(other)


def who(actor: ApiKeyActor | StaffActor | SystemActor | UserActor) -> str:
    """Who acted: a union is a union, each of its own class."""
    match actor:
        case UserActor():
            return actor.email or "somebody"
        case StaffActor():
            return f"{actor.email} ({actor.tier.value})"
        case ApiKeyActor():
            return actor.id
        case SystemActor():
            return "Postern"
        case other:
            assert_never(other)


def events_as_they_happen(token: str) -> Iterator[Event]:
    headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
    with httpx.stream("GET", f"{ADDRESS}/v1/orgs/acme/audit-events/stream", headers=headers, timeout=30) as stream:
        for line in stream.iter_lines():
            if line.startswith("retry:"):
                # Only now does it follow.
                rename(RENAMED)
            if line.startswith("data: "):
                yield Event.from_dict(json.loads(line.removeprefix("data: ")))


owner_token = sign_in("owner@acme.example")
owner = AuthenticatedClient(ADDRESS, token=owner_token)


def rename(name: str) -> str:
    before = read_org.sync("acme", client=owner)
    assert isinstance(before, Org), before
    answer = update_org.sync("acme", client=owner, body=UpdateOrgBody(name=name))
    assert isinstance(answer, Org), answer
    return before.name


members = list(every_member(owner))
assert len(members) > 3 and Role.OWNER in {member.role for member in members}

# Edit the settings, as long as nobody else has.
read = read_settings.sync_detailed("acme", client=owner)
assert isinstance(read.parsed, Settings)
etag = read.headers["etag"]
email = f"python-{os.getpid()}@acme.example"
edited = update_settings.sync("acme", client=owner, body=UpdateSettingsBody(support_email=email), if_match=etag)
assert isinstance(edited, Settings) and edited.support_email == email, edited
late = update_settings.sync_detailed("acme", client=owner, body=UpdateSettingsBody(support_email=None), if_match=etag)
assert late.status_code is HTTPStatus.PRECONDITION_FAILED
assert isinstance(late.parsed, Problem) and late.parsed.code is KnownProblemCode.STALE

# Support steps in, for a reason; the same request a second time is the same session.
support = AuthenticatedClient(ADDRESS, token=sign_in("support@postern.example"))
found = search_accounts.sync(client=support, q="member@acme")
assert isinstance(found, FoundView), found
target = found.users[0]
body = StartImpersonationBody(
    target_user_id=target.id, org="acme", reason="cannot open the reports page", ticket_ref="SUP-4312", mode=Mode.FULL
)
started = start_impersonation.sync(client=support, body=body, idempotency_key=f"python-{os.getpid()}")
assert isinstance(started, StartedView), started
again = start_impersonation.sync_detailed(client=support, body=body, idempotency_key=f"python-{os.getpid()}")
assert again.headers["idempotency-replayed"] == "true"
assert told(started.impersonation.mode) == "acts"
worn = AuthenticatedClient(ADDRESS, token=started.access_token)
me = read_me.sync(client=worn)
assert isinstance(me, MeView) and me.impersonation is not None and not isinstance(me.impersonation, Unset)
assert me.impersonation.banner == started.banner
refused = change_password.sync(client=worn, body=ChangePasswordBody(current_password=PASSWORD, new_password="another-password-2026"))
assert isinstance(refused, Problem) and refused.code is KnownProblemCode.IMPERSONATION_BLOCKED, refused

# Follow the log, and see what happens next.
before = read_org.sync("acme", client=owner)
assert isinstance(before, Org)
event = next(event for event in events_as_they_happen(owner_token) if event.action is KnownAction.ORG_UPDATED)
assert event.metadata["name"] == {"old": before.name, "new": RENAMED}, event
assert rename(before.name) == RENAMED

# Read the log: what support did stands there under both names.
page = list_audit_events.sync("acme", client=owner, on_behalf_of=target.email)
assert isinstance(page, EventPage), page
newest = page.data[0]
assert who(newest.actor) == "support@postern.example (support)" and newest.on_behalf_of is not None
assert newest.on_behalf_of.email == target.email
# A word that came with a later server does not keep anybody from the rest.
later = newest.to_dict()
later["action"], later["target"]["type"] = "moon.landed", "moon"
read_all_the_same = Event.from_dict(later)
assert read_all_the_same.action == "moon.landed" and read_all_the_same.summary == newest.summary
ended = end_impersonation.sync_detailed(started.impersonation.id, client=support)
assert ended.status_code is HTTPStatus.NO_CONTENT
gone = read_me.sync(client=worn)
assert isinstance(gone, Problem) and gone.code is KnownProblemCode.IMPERSONATION_ENDED, gone
print("the Python client does the job")
