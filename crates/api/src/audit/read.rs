use postern_domain::{
    access::{self, AccessedLogs, LogAccess},
    event::{Event, VerifiableEvent},
    id::EventId,
    permission::Permission,
};
use postern_persistence::repository::event_filter::{EventFilter, LogScope};

use super::filter::EventsQuery;
use crate::{
    http::{AcceptsJson, Call, HandlerResult, Listed, OrgFilter, Paging, Problem, Query, ok},
    operations::op::{self, ListAuditEvents, ListPlatformAuditEvents, ReadAuditEvent},
};

/// List audit events of an org.
///
/// Returns changes, denied requests and staff actions in the org, newest first.
///
/// To download all matching events as a file, use `export_audit_events`.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/audit-events", tag = "audit", impl_for = ListAuditEvents,
    responses(
    (status = 200, description = "A page of events.", body = EventPage),
    (status = 429, description = "`too_many_streams`: too many open streams, exports and text \
        searches. Close one, or retry after one has ended.")
))]
pub async fn list_audit_events(
    call: Call<op::ListAuditEvents>,
    paging: Paging,
    query: Query<EventsQuery>,
    _json: AcceptsJson,
) -> HandlerResult<EventPage> {
    let _permit = query.0.searches_text().then(|| call.acquire_permit()).transpose()?;
    let events = call.events().page(&query.0.into(), call.page(&paging)?).await?;
    Ok(call.listed(&paging, events))
}

pub type EventPage = Listed<Event>;

/// Get an audit event.
///
/// Returns the event with the data needed to verify that it is in the log: see `read_log_proof`.
#[utoipa::path(
    get, path = "/v1/orgs/{org}/audit-events/{event}", tag = "audit", impl_for = ReadAuditEvent,
    responses(
    (status = 200, description = "The event.", body = VerifiableEvent)
))]
pub async fn read_audit_event(
    call: Call<op::ReadAuditEvent>,
    event: EventId,
) -> HandlerResult<VerifiableEvent> {
    let event = call.events().verifiable_event(event).await?.ok_or_else(Problem::not_found)?;
    Ok(ok(event))
}

/// List audit events of all orgs and the platform.
///
/// The tiers `support` and `operations` see only their own actions. `engineering` and `super_admin`
/// see all events, and each of their requests is itself audited: with `org` in that org's log,
/// otherwise in the platform log (events that belong to no org).
///
/// To download one log as a file, `engineering` and `super_admin` use
/// `export_platform_audit_events`.
#[utoipa::path(
    get, path = "/v1/admin/audit-events", tag = "audit", impl_for = ListPlatformAuditEvents,
    responses(
    (status = 200, description = "A page of events.", body = EventPage),
    (status = 404, description = "`not_found`: the org does not exist."),
    (status = 429, description = "`too_many_streams`: too many open streams, exports and text \
        searches. Close one, or retry after one has ended.")
))]
pub async fn list_platform_audit_events(
    call: Call<op::ListPlatformAuditEvents>,
    paging: Paging,
    org_filter: Query<OrgFilter>,
    query: Query<EventsQuery>,
    _json: AcceptsJson,
) -> HandlerResult<EventPage> {
    let sees_all = call.has_permission(Permission::PlatformAuditReadAll);
    let org = match &org_filter.0.org {
        Some(org) => Some(call.accounts().org(org).await?.ok_or_else(Problem::not_found)?),
        None => None,
    };
    let _permit = query.0.searches_text().then(|| call.acquire_permit()).transpose()?;
    let only_by = if sees_all { None } else { Some(call.staff_caller().accountable().id) };
    let log = org.as_ref().map_or(LogScope::All, |org| LogScope::Org(org.id));
    let requested = query.0.clone();
    let filter = EventFilter { log, only_by, ..query.0.into() };
    let events = call.events().page(&filter, call.page(&paging)?).await?;
    let reply = call.listed(&paging, events);
    if sees_all {
        let logs = org.map_or(AccessedLogs::All, AccessedLogs::Org);
        let draft = access::log_viewed(logs, LogAccess::Read, Some(&requested));
        call.record_in_own_tx(draft).await?;
    }
    Ok(reply)
}
