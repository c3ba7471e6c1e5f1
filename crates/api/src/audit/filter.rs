//! Query parameters of the operations that read audit events.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use postern_domain::{
    event_draft::Outcome,
    id::{ImpersonationId, UserId},
    text,
};
use postern_persistence::repository::event_filter::{ActionFilter, EventFilter, LogScope};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use validator::Validate;

use crate::http::rules;

/// Filter for audit events. An event must match all given parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// ID or e-mail address of the actor. Under impersonation, this is the staff member.
    #[param(max_length = 254, example = "support@postern.example")]
    #[validate(
        length(max = 254, message = "at most 254 characters"),
        custom(function = "rules::visible")
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// Audit action (`user.role_changed`), or all actions with a prefix (`user.*`).
    #[param(max_length = 64, example = "user.*")]
    #[validate(custom(function = "rules::action_filter"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    /// ID or label of the target. The case of an e-mail address or a slug is ignored.
    #[param(max_length = 254, example = "member@acme.example")]
    #[validate(
        length(max = 254, message = "at most 254 characters"),
        custom(function = "rules::visible")
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// ID or e-mail address of the impersonated user.
    #[param(max_length = 254, example = "owner@acme.example")]
    #[validate(
        length(max = 254, message = "at most 254 characters"),
        custom(function = "rules::visible")
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<String>,
    /// Outcome of the action.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// Ticket reference of the event or of its impersonation, in any case.
    #[param(max_length = 64, example = "SUP-4312")]
    #[validate(
        length(max = 64, message = "at most 64 characters"),
        custom(function = "rules::visible")
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket_ref: Option<String>,
    /// ID of the impersonation that the event belongs to: its start, what was done under it, and
    /// its end.
    #[param(value_type = Option<ImpersonationId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    impersonation: Option<ImpersonationId>,
    /// IP address of the client.
    #[param(value_type = Option<String>, max_length = 45, example = "203.0.113.9")]
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    /// Earliest time of an event, inclusive (RFC 3339 with an offset, years 1970 to 9999).
    #[param(example = "2026-11-20T00:00:00Z")]
    #[serde(default, deserialize_with = "rules::when")]
    #[validate(custom(function = "rules::time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<DateTime<Utc>>,
    /// Latest time of an event, exclusive (RFC 3339 with an offset, years 1970 to 9999).
    #[param(example = "2026-11-21T00:00:00Z")]
    #[serde(default, deserialize_with = "rules::when")]
    #[validate(custom(function = "rules::time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<DateTime<Utc>>,
    /// Text contained in the summary or in the label of the target. Each page searches at most
    /// 20,000 events, so it can hold fewer than `limit` events, or none: continue until
    /// `next_cursor` is null. Add `from` or `to` to search a large log faster.
    #[param(max_length = 100, example = "viewer to member")]
    #[validate(custom(function = "rules::filter_text"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<String>,
}

impl EventsQuery {
    /// Whether no filter is set.
    pub fn is_empty(&self) -> bool {
        serde_json::to_value(self)
            .is_ok_and(|query| query.as_object().is_some_and(serde_json::Map::is_empty))
    }

    /// Whether the query searches by text, which no index supports.
    pub const fn searches_text(&self) -> bool {
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
            // As addresses are recorded.
            ip: ip.map(|ip| ip.to_canonical()),
            from,
            to,
            q,
            log: LogScope::All,
            only_by: None,
        }
    }
}

/// Parses a user ID. Any other text is taken as an e-mail address.
fn person(text: Option<String>) -> (Option<UserId>, Option<String>) {
    match text.map(|text| text.parse().map_err(|_| text::email(&text))) {
        None => (None, None),
        Some(Ok(id)) => (Some(id), None),
        Some(Err(email)) => (None, Some(email)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ip_addresses_are_canonical_as_in_events() {
        for (ip, expected) in [
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("127.0.0.1", "127.0.0.1"),
            ("2001:DB8::0:7", "2001:db8::7"),
        ] {
            let query = EventsQuery { ip: ip.parse().ok(), ..EventsQuery::default() };
            let ip = EventFilter::from(query).ip.expect("the filter has the address");
            assert_eq!(ip.to_string(), expected);
        }
    }
}
