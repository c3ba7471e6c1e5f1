use postern_domain::{
    Id,
    event::{Event, VerifiableEvent},
    impersonation::Impersonation,
    permission::Permission,
    policy::Denial,
};
use postern_persistence::repository::event_filter::{EventFilter, LogScope};

use super::{
    export::{self, Asked},
    filter::{EventsQuery, OfOrg},
    source::viewed,
};
use crate::{
    http::{Answer, Call, Listed, Negotiated, Paging, Problem, Query, StartRequest, ok},
    operations::op::{
        self, ListAuditEvents, ListOrgImpersonations, ListPlatformAuditEvents, ReadAuditEvent,
    },
};

/// Read the record of an org.
///
/// Every change, every denial, and everything that support did here, the last first. With `Accept: application/x-ndjson` or `text/csv` all
/// of it comes as a file, the first first, whatever `limit` says: events that can be checked without us, and behind them what is needed
/// for that. Such a file is recorded, and not given to support in somebody's name.
///
/// Lines of NDJSON: each with an `id` is an event with its `opening` (the schema `VerifiableEvent`), the first recorded first. Behind them, told apart by their one member,
/// stand `leaf`, `node` and `lost`, which account for entries of the log that the file leaves out, and at last `end` with the log's origin, the number of
/// events, the filter and a checkpoint; a file without `end` was cut off. A table (RFC 4180, UTF-8, a header, `metadata` as JSON) has as its last row
/// `checkpoint` and the checkpoint. No cell begins a formula: one that would has an apostrophe before it.
#[utoipa::path(get, path = "/v1/orgs/{org}/audit-events", tag = "audit", impl_for = ListAuditEvents, params(Paging, EventsQuery), responses(
    (status = 200, description = "A page of events, or all of them as a file.", content(
        (EventPage = "application/json"), (String = "application/x-ndjson"), (String = "text/csv")
    )),
    (status = 403, description = "`impersonation_blocked`: no files under impersonation."),
    (status = 429, description = "`too_many_open`: wait until another file or search has ended, or give it up.")
))]
pub async fn list_audit_events(
    call: Call<op::ListAuditEvents>,
    paging: Paging,
    query: Query<EventsQuery>,
    wanted: StartRequest,
) -> Result<Negotiated<EventPage>, Problem> {
    if let Some(format) = wanted.0 {
        let org = call.grant().context().org.reference();
        return Ok(Negotiated::Other(
            export::start(call, Asked { org: Some(org), query: query.0, format }).await?,
        ));
    }
    let _room = query.0.looks_for_text().then(|| call.room()).transpose()?;
    let events = call.events().page(&query.0.into(), call.page(&paging)?).await?;
    Ok(Negotiated::Json(call.listed(&paging, events)))
}

pub type EventPage = Listed<Event>;

/// Read an event of the record.
///
/// One row, whole, with what is needed to check it against the log: see `read_log_proof`.
#[utoipa::path(get, path = "/v1/orgs/{org}/audit-events/{event}", tag = "audit", impl_for = ReadAuditEvent, responses(
    (status = 200, description = "The event.", body = VerifiableEvent)
))]
pub async fn read_audit_event(
    call: Call<op::ReadAuditEvent>,
    event: Id<Event>,
) -> Answer<VerifiableEvent> {
    let event = call.events().exhibited(event).await?.ok_or_else(Problem::not_found)?;
    Ok(ok(event))
}

/// Who of the vendor's staff was in here?
///
/// Every impersonation in this org, present and past, with its reason and ticket, the last first.
#[utoipa::path(get, path = "/v1/orgs/{org}/impersonations", tag = "audit", impl_for = ListOrgImpersonations, params(Paging), responses(
    (status = 200, description = "A page of impersonations.", body = ImpersonationPage)
))]
pub async fn list_org_impersonations(
    call: Call<op::ListOrgImpersonations>,
    paging: Paging,
) -> Answer<ImpersonationPage> {
    let impersonations = call.impersonations().page(None, call.page(&paging)?).await?;
    Ok(call.listed(&paging, impersonations))
}

pub type ImpersonationPage = Listed<Impersonation>;

/// Read the record of all orgs and of the platform.
///
/// Support and operations see what they did themselves; engineering and above see everything, which is recorded: in the log of the org
/// that was asked for, or in the platform's. With `Accept: application/x-ndjson` or `text/csv` those who see everything get one log as a
/// file: that of `org`, or the platform's own. Its lines are those of `list_audit_events`.
#[utoipa::path(get, path = "/v1/admin/audit-events", tag = "support", impl_for = ListPlatformAuditEvents,
    params(Paging, OfOrg, EventsQuery), responses(
    (status = 200, description = "A page of events, or a log as a file.", content(
        (EventPage = "application/json"), (String = "application/x-ndjson"), (String = "text/csv")
    )),
    (status = 404, description = "`not_found`: there is no such org."),
    (status = 429, description = "`too_many_open`: wait until another file or search has ended, or give it up.")
))]
pub async fn list_platform_audit_events(
    call: Call<op::ListPlatformAuditEvents>,
    paging: Paging,
    of: Query<OfOrg>,
    query: Query<EventsQuery>,
    wanted: StartRequest,
) -> Result<Negotiated<EventPage>, Problem> {
    let sees_all = call.has_permission(Permission::PlatformAuditReadAll);
    let org = match of.0.org {
        Some(id) => Some(call.accounts().org(id).await?.ok_or_else(Problem::not_found)?),
        None => None,
    };
    if let Some(format) = wanted.0 {
        if !sees_all {
            return Err(Denial::Forbidden(Permission::PlatformAuditReadAll).into());
        }
        return Ok(Negotiated::Other(
            export::start(call, Asked { org, query: query.0, format }).await?,
        ));
    }
    let _room = query.0.looks_for_text().then(|| call.room()).transpose()?;
    let only_by = if sees_all { None } else { Some(call.staff_caller().accountable().id) };
    let whose = of.0.org.map_or(LogScope::All, LogScope::Org);
    let asked = query.0.clone();
    let filter = EventFilter { log: whose, only_by, ..query.0.into() };
    let events = call.events().page(&filter, call.page(&paging)?).await?;
    let reply = call.listed(&paging, events);
    if sees_all {
        call.record_in_own_tx(viewed(org, "read", "all logs").with_metadata("filter", &asked))
            .await?;
    }
    Ok(Negotiated::Json(reply))
}
