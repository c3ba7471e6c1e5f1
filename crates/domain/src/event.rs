//! One row of the record: what a decision says it did ([`EventDraft`]), and what is read back ([`Event`]).

#[cfg(feature = "openapi")]
mod openapi;

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Id,
    action::Action,
    actor::{Actor, Caller, Person},
    entry::{Opening, Part},
    id::Named,
    id::{EventId, ImpersonationId, SessionId, UserId},
    justification::{Reason, TicketRef},
    org::OrgRef,
    staff::Tier,
    truncation,
    words::words,
};

words! {
    /// How it ended.
    Outcome {
        /// It was done.
        Succeeded = "succeeded",
        /// Whoever asked may not do it, and it was not done.
        Denied = "denied",
        /// It was tried, and did not work: a wrong password.
        Failed = "failed",
    }
}

words! {
    /// What kind of actor it was.
    ActorType { User = "user", Staff = "staff", ApiKey = "api_key", System = "system" }
}

words! {
    /// What kind of thing it was done to.
    TargetType {
        Org = "org", User = "user", Member = "member", Session = "session", Settings = "settings",
        Impersonation = "impersonation", Operation = "operation", Search = "search", Event = "event", Log = "log",
    }
}

/// What it was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Target {
    #[serde(rename = "type")]
    pub kind: TargetType,
    /// The typed id of the thing, or the id of the operation that was denied; null for what has none: a search, an address that nobody has.
    #[cfg_attr(feature = "openapi", schema(example = "mem_01k7fgpr00e00800000000000g"))]
    pub id: Option<String>,
    /// What a person would call it: an e-mail address, a slug.
    #[cfg_attr(feature = "openapi", schema(example = "bo@acme.example"))]
    pub label: String,
}

impl Target {
    pub fn new<T: Named>(kind: TargetType, id: Id<T>, label: impl Into<String>) -> Self {
        Self { kind, id: Some(id.to_string()), label: label.into() }
    }
}

/// What a decision did, in its own words. Who did it, where and when is added when it is saved.
#[derive(Debug, Clone)]
#[must_use = "an draft that is not saved is not in the record"]
pub struct EventDraft {
    pub action: Action,
    pub outcome: Outcome,
    pub target: Target,
    /// The rest of a sentence that begins with the actor's name: "changed bo@acme.example from viewer to member".
    pub predicate: String,
    pub reason: Option<String>,
    pub ticket_ref: Option<String>,
    pub metadata: Map<String, Value>,
    /// The org in whose log it stands, where that is not the one of the grant: what staff do to an org.
    pub org: Option<OrgRef>,
    /// Who acted, where the operation itself finds that out: signing in.
    pub actor: Option<Actor>,
}

impl EventDraft {
    pub fn new(action: Action, target: Target, predicate: impl Into<String>) -> Self {
        Self {
            action,
            outcome: Outcome::Succeeded,
            target,
            predicate: predicate.into(),
            reason: None,
            ticket_ref: None,
            metadata: Map::new(),
            org: None,
            actor: None,
        }
    }

    pub const fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// One changed field, with its old and its new value.
    pub fn with_change(self, field: &str, old: impl Serialize, new: impl Serialize) -> Self {
        self.with_metadata(field, json!({ "old": old, "new": new }))
    }

    pub fn with_metadata(mut self, field: &str, value: impl Serialize) -> Self {
        self.metadata.insert(field.to_owned(), json!(value));
        self
    }

    pub fn with_reason(mut self, reason: &Reason, ticket: Option<&TicketRef>) -> Self {
        self.reason = Some(reason.to_string());
        self.ticket_ref = ticket.map(ToString::to_string);
        self
    }

    /// Where no org is given it stands where it would have.
    pub fn in_org_log(mut self, org: impl Into<Option<OrgRef>>) -> Self {
        self.org = org.into().or(self.org);
        self
    }

    pub fn with_actor(mut self, actor: Actor) -> Self {
        self.actor = Some(actor);
        self
    }
}

/// From where the request came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Source {
    /// The client's address; behind configured proxies the one that they vouch for.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "203.0.113.9"))]
    pub ip: Option<IpAddr>,
    /// The program, as it calls itself: the first 200 characters.
    #[cfg_attr(feature = "openapi", schema(example = "curl/8.5.0"))]
    pub user_agent: Option<String>,
    /// The sign-in it was done with; under impersonation the staff member's own.
    pub session_id: Option<SessionId>,
    /// The impersonation it was done in.
    pub impersonation_id: Option<ImpersonationId>,
    /// The same id stands in the answer's `X-Request-Id` and in the server's log.
    #[cfg_attr(feature = "openapi", schema(example = "0b8a1c7e4f5d4a1b9c3e2d1f0a9b8c7d"))]
    pub request_id: Option<String>,
}

/// Who really acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActorRef {
    #[serde(rename = "type")]
    pub kind: ActorType,
    /// Null where nobody proved who they were (a failed sign-in), and for Postern itself.
    pub id: Option<UserId>,
    /// Null where there is none, and where it has been erased.
    pub email: Option<String>,
    /// Only for staff, and always for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
}

/// Whose identity was worn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnBehalfOf {
    pub id: UserId,
    /// Null where it has been erased.
    #[cfg_attr(feature = "openapi", schema(example = "owner@acme.example"))]
    pub email: Option<String>,
}

/// One event of the record. The actor is always who really acted; `on_behalf_of` is whose identity they wore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    pub id: EventId,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// The org in whose log the event stands; null for the platform's own.
    pub org: Option<OrgRef>,
    pub actor: ActorRef,
    /// Whose identity was worn; null unless somebody was impersonating.
    pub on_behalf_of: Option<OnBehalfOf>,
    pub action: Action,
    pub outcome: Outcome,
    pub target: Target,
    /// The event as one sentence.
    #[cfg_attr(
        feature = "openapi",
        schema(
            example = "Sam Okoro (support), as Ana Costa, changed bo@acme.example from viewer to member"
        )
    )]
    pub summary: String,
    /// Why, where the operation asks.
    #[cfg_attr(feature = "openapi", schema(example = "cannot open the reports page"))]
    pub reason: Option<String>,
    /// The ticket, where the operation asks.
    #[cfg_attr(feature = "openapi", schema(example = "SUP-4312"))]
    pub ticket_ref: Option<String>,
    /// What else is known, by action; a changed field stands as `{"old": …, "new": …}`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object, example = json!({"role": {"old": "viewer", "new": "member"}})))]
    pub metadata: Map<String, Value>,
    pub source: Source,
    /// The version of this shape.
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub schema_version: i32,
    /// Where it stands in the log that can be checked; null for the moment until it does.
    pub log: Option<LogPosition>,
    /// What was about somebody who has been erased since, and is no longer there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub erased_fields: Vec<Part>,
}

/// An event with what is needed to check it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifiableEvent {
    #[serde(flatten)]
    pub event: Event,
    pub opening: Opening,
}

/// The place of an event in a transparency log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPosition {
    /// Which log: the first line of its checkpoints.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "postern.example/org_01k7fgpr00e00800000000000g")
    )]
    pub origin: String,
    /// Its number in there, from 0.
    #[cfg_attr(feature = "openapi", schema(example = 4123, minimum = 0))]
    pub index: u64,
}

impl Named for Event {
    const PREFIX: &'static str = "evt";
    const SCHEMA: &'static str = "EventId";
}

impl Event {
    pub const SCHEMA_VERSION: i32 = 1;

    /// The row that an act becomes. `org` is where it stands unless the act says otherwise.
    #[must_use]
    pub fn of(
        draft: EventDraft,
        id: Id<Self>,
        occurred_at: DateTime<Utc>,
        actor: &Actor,
        org: Option<OrgRef>,
        source: Source,
    ) -> Self {
        let actor = draft.actor.as_ref().unwrap_or(actor);
        let caller = actor.caller();
        Self {
            id,
            occurred_at,
            org: draft.org.or(org),
            on_behalf_of: caller.and_then(Caller::impersonation).map(|impersonation| OnBehalfOf {
                id: impersonation.target.id,
                email: Some(impersonation.target.email.clone()),
            }),
            summary: truncation::text(&format!("{} {}", subject(actor), draft.predicate)),
            source: Source {
                session_id: caller.map(Caller::session),
                impersonation_id: caller
                    .and_then(Caller::impersonation)
                    .map(|impersonation| impersonation.id),
                ..source
            },
            actor: reference(actor),
            action: draft.action,
            outcome: draft.outcome,
            target: Target { label: truncation::text(&draft.target.label), ..draft.target },
            reason: draft.reason.as_deref().map(truncation::text),
            ticket_ref: draft.ticket_ref,
            metadata: truncation::metadata(draft.metadata),
            schema_version: Self::SCHEMA_VERSION,
            log: None,
            erased_fields: Vec::new(),
        }
    }
}

fn reference(actor: &Actor) -> ActorRef {
    match actor {
        Actor::Caller(caller) => {
            let Person { id, email, .. } = caller.accountable();
            let tier = caller.accountable_tier();
            let kind = if tier.is_some() { ActorType::Staff } else { ActorType::User };
            ActorRef { kind, id: Some(*id), email: Some(email.clone()), tier }
        }
        Actor::Anonymous { email } => {
            ActorRef { kind: ActorType::User, id: None, email: email.clone(), tier: None }
        }
        Actor::Cli { .. } | Actor::System => {
            ActorRef { kind: ActorType::System, id: None, email: None, tier: None }
        }
    }
}

/// How a summary begins: "Sam Okoro (support), as Ana Costa,".
fn subject(actor: &Actor) -> String {
    match actor {
        Actor::Caller(caller) => {
            let name = &caller.accountable().name;
            match (caller.accountable_tier(), caller.impersonation()) {
                (Some(tier), Some(impersonation)) => {
                    format!("{name} ({tier}), as {},", impersonation.target.name)
                }
                (Some(tier), None) => format!("{name} ({tier})"),
                (None, _) => name.clone(),
            }
        }
        Actor::Anonymous { email: Some(email) } => format!("Somebody, as {email},"),
        Actor::Anonymous { email: None } => "Somebody".to_owned(),
        Actor::Cli { command } => format!("An operator, with `{command}`,"),
        Actor::System => "Postern".to_owned(),
    }
}
