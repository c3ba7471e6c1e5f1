use std::net::IpAddr;

use chrono::{DateTime, Utc};
use postern_domain::{
    Id,
    event::{Event, Outcome},
    id::{ImpersonationId, OrgId, UserId},
    impersonation::Impersonation,
    permission::Permission,
    text,
};
use postern_persistence::repository::events::{ActionFilter, EventFilter};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::{
    http::{Answer, Call, Filter, Listed, Paging, Problem, Query, ok, rules},
    operations::op::{self, ListAuditEvents, ListOrgImpersonations, ListPlatformAuditEvents, ReadAuditEvent},
};

/// Which events; all that is given must hold.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// Who really acted, by id or by e-mail address.
    #[param(max_length = 254, example = "support@postern.example")]
    #[validate(length(max = 254, message = "at most 254 characters"))]
    actor: Option<String>,
    /// What was done: `user.role_changed`, or `user.*` for all of a kind.
    #[param(max_length = 64, example = "user.*")]
    #[validate(custom(function = "rules::action_filter"))]
    action: Option<String>,
    /// What it was done to, by id or by label.
    #[param(max_length = 254, example = "member@acme.example")]
    #[validate(length(max = 254, message = "at most 254 characters"))]
    target: Option<String>,
    /// Whose identity was worn, by id or by e-mail address.
    #[param(max_length = 254, example = "owner@acme.example")]
    #[validate(length(max = 254, message = "at most 254 characters"))]
    on_behalf_of: Option<String>,
    /// How it ended.
    outcome: Option<Outcome>,
    /// The ticket given as the reason.
    #[param(max_length = 64, example = "SUP-4312")]
    #[validate(length(max = 64, message = "at most 64 characters"))]
    ticket_ref: Option<String>,
    /// Everything done in one impersonation.
    #[param(value_type = Option<ImpersonationId>)]
    impersonation: Option<ImpersonationId>,
    /// From which address.
    #[param(value_type = Option<String>, max_length = 45, example = "203.0.113.9")]
    ip: Option<IpAddr>,
    /// From this moment on.
    #[validate(custom(function = "rules::moment"))]
    from: Option<DateTime<Utc>>,
    /// Up to this moment, without it.
    #[validate(custom(function = "rules::moment"))]
    to: Option<DateTime<Utc>>,
    /// Text that the summary or the target contains.
    #[param(max_length = 100, example = "viewer to member")]
    #[validate(length(max = 100, message = "at most 100 characters"))]
    q: Option<String>,
}

impl Filter for EventsQuery {
    const NAMES: &'static [&'static str] =
        &["actor", "action", "target", "on_behalf_of", "outcome", "ticket_ref", "impersonation", "ip", "from", "to", "q"];
}

impl From<EventsQuery> for EventFilter {
    fn from(query: EventsQuery) -> Self {
        let EventsQuery { actor, action, target, on_behalf_of, outcome, ticket_ref, impersonation, ip, from, to, q } = query;
        let (actor, actor_email) = person(actor);
        let (on_behalf_of, on_behalf_of_email) = person(on_behalf_of);
        let action = action.map(|action| match action.strip_suffix('*') {
            Some(kind) => ActionFilter::Kind(kind.to_owned()),
            None => ActionFilter::Exactly(action),
        });
        Self {
            actor,
            actor_email,
            action,
            target,
            on_behalf_of,
            on_behalf_of_email,
            outcome,
            ticket_ref,
            impersonation,
            ip,
            from,
            to,
            q,
            org: None,
            only_by: None,
        }
    }
}

/// An id or an e-mail address.
fn person(text: Option<String>) -> (Option<UserId>, Option<String>) {
    match text.map(|text| text.parse().map_err(|_| text::email(&text))) {
        None => (None, None),
        Some(Ok(id)) => (Some(id), None),
        Some(Err(email)) => (None, Some(email)),
    }
}

/// Read the record of an org.
///
/// Every change, every denial, and everything that support did here, the last first.
#[utoipa::path(get, path = "/v1/orgs/{org}/audit-events", tag = "audit", impl_for = ListAuditEvents, params(Paging, EventsQuery), responses(
    (status = 200, description = "A page of events.", body = EventPage)
))]
pub async fn list_audit_events(call: Call<op::ListAuditEvents>, paging: Paging, query: Query<EventsQuery>) -> Answer<EventPage> {
    let events = call.events().page(&query.0.into(), call.page(&paging)?).await?;
    Ok(ok(call.listed(&paging, events)))
}

pub type EventPage = Listed<Event>;

/// Read an event of the record.
///
/// One row, whole.
#[utoipa::path(get, path = "/v1/orgs/{org}/audit-events/{event}", tag = "audit", impl_for = ReadAuditEvent, responses(
    (status = 200, description = "The event.", body = Event)
))]
pub async fn read_audit_event(call: Call<op::ReadAuditEvent>, event: Id<Event>) -> Answer<Event> {
    let event = call.events().find(event).await?.ok_or_else(Problem::not_found)?;
    Ok(ok(event))
}

/// Who of the vendor's staff was in here?
///
/// Every impersonation in this org, present and past, with its reason and ticket, the last first.
#[utoipa::path(get, path = "/v1/orgs/{org}/impersonations", tag = "audit", impl_for = ListOrgImpersonations, params(Paging), responses(
    (status = 200, description = "A page of impersonations.", body = ImpersonationPage)
))]
pub async fn list_org_impersonations(call: Call<op::ListOrgImpersonations>, paging: Paging) -> Answer<ImpersonationPage> {
    let impersonations = call.impersonations().page(None, call.page(&paging)?).await?;
    Ok(ok(call.listed(&paging, impersonations)))
}

pub type ImpersonationPage = Listed<Impersonation>;

/// Which events, over all orgs.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfOrg {
    /// Only what stands in the log of this org, by id.
    #[param(value_type = Option<OrgId>)]
    org: Option<OrgId>,
}

impl Filter for OfOrg {
    const NAMES: &'static [&'static str] = &["org"];
}

/// Read the record of all orgs and of the platform.
///
/// Support and operations see what they did themselves; engineering and above see everything.
#[utoipa::path(get, path = "/v1/admin/audit-events", tag = "support", impl_for = ListPlatformAuditEvents,
    params(Paging, OfOrg, EventsQuery), responses(
    (status = 200, description = "A page of events.", body = EventPage)
))]
pub async fn list_platform_audit_events(
    call: Call<op::ListPlatformAuditEvents>,
    paging: Paging,
    of: Query<OfOrg>,
    query: Query<EventsQuery>,
) -> Answer<EventPage> {
    let only_by = if call.also_may(Permission::PlatformAuditReadAll) { None } else { Some(call.staffer().accountable().id) };
    let filter = EventFilter { org: of.0.org, only_by, ..query.0.into() };
    let events = call.events().page(&filter, call.page(&paging)?).await?;
    Ok(ok(call.listed(&paging, events)))
}
