//! What the record may be asked for.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use postern_domain::{
    event::Outcome,
    id::{ImpersonationId, OrgId, UserId},
    text,
};
use postern_persistence::repository::event_filter::{ActionFilter, EventFilter, LogScope};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use validator::Validate;

use crate::http::{Filter, rules};

/// Which events; all that is given must hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// Who really acted, by id or by e-mail address.
    #[param(max_length = 254, example = "support@postern.example")]
    #[validate(length(max = 254, message = "at most 254 characters"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// What was done: `user.role_changed`, or `user.*` for all of a kind.
    #[param(max_length = 64, example = "user.*")]
    #[validate(custom(function = "rules::action_filter"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    /// What it was done to, by id or by label.
    #[param(max_length = 254, example = "member@acme.example")]
    #[validate(length(max = 254, message = "at most 254 characters"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// Whose identity was worn, by id or by e-mail address.
    #[param(max_length = 254, example = "owner@acme.example")]
    #[validate(length(max = 254, message = "at most 254 characters"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// The ticket given as the reason.
    #[param(max_length = 64, example = "SUP-4312")]
    #[validate(length(max = 64, message = "at most 64 characters"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket_ref: Option<String>,
    /// Everything done in one impersonation.
    #[param(value_type = Option<ImpersonationId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    impersonation: Option<ImpersonationId>,
    /// From which address.
    #[param(value_type = Option<String>, max_length = 45, example = "203.0.113.9")]
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    /// From this moment on (RFC 3339, with its offset; 1970 to 9999).
    #[param(example = "2026-11-20T00:00:00Z")]
    #[serde(default, deserialize_with = "rules::when")]
    #[validate(custom(function = "rules::moment"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<DateTime<Utc>>,
    /// Up to this moment, without it (RFC 3339, with its offset).
    #[param(example = "2026-11-21T00:00:00Z")]
    #[serde(default, deserialize_with = "rules::when")]
    #[validate(custom(function = "rules::moment"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<DateTime<Utc>>,
    /// Text that the summary or the target contains. A page looks through 20,000 events at the most: it may have fewer than `limit`, or none, and
    /// go on all the same, so follow `next_cursor` until there is none. Ask for a time as well, where there are many events.
    #[param(max_length = 100, example = "viewer to member")]
    #[validate(length(max = 100, message = "at most 100 characters"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<String>,
}

impl Filter for EventsQuery {
    const NAMES: &'static [&'static str] = &[
        "actor",
        "action",
        "target",
        "on_behalf_of",
        "outcome",
        "ticket_ref",
        "impersonation",
        "ip",
        "from",
        "to",
        "q",
    ];
}

impl EventsQuery {
    /// Is everything asked for?
    pub fn is_empty(&self) -> bool {
        serde_json::to_value(self)
            .is_ok_and(|asked| asked.as_object().is_some_and(serde_json::Map::is_empty))
    }

    /// No index finds text: it takes as long as it takes.
    pub const fn looks_for_text(&self) -> bool {
        self.q.is_some()
    }
}

impl From<EventsQuery> for EventFilter {
    fn from(query: EventsQuery) -> Self {
        let EventsQuery {
            actor,
            action,
            target,
            on_behalf_of,
            outcome,
            ticket_ref,
            impersonation,
            ip,
            from,
            to,
            q,
        } = query;
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
            log: LogScope::All,
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

/// Which events, over all orgs.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfOrg {
    /// Only what stands in the log of this org, by id.
    #[param(value_type = Option<OrgId>)]
    pub org: Option<OrgId>,
}

impl Filter for OfOrg {
    const NAMES: &'static [&'static str] = &["org"];
}
