//! Audit events: [`EventDraft`] as made by a transition, [`Event`] as stored and returned.

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
    string_enum,
    string_enum::string_enum_schema,
    truncation,
};

string_enum! {
    /// Outcome of the action.
    Outcome {
        /// The action was performed.
        Succeeded = "succeeded",
        /// The action was denied.
        Denied = "denied",
        /// The action failed, for example because of a wrong password.
        Failed = "failed",
    }
}

string_enum! {
    /// Type of the actor.
    ActorType { User = "user", Staff = "staff", ApiKey = "api_key", System = "system" }
}

string_enum! {
    /// Type of the target.
    TargetType {
        Org = "org", User = "user", Member = "member", Session = "session", Settings = "settings",
        Impersonation = "impersonation", Operation = "operation", Search = "search",
        Event = "event", Log = "log",
    }
}

string_enum_schema!(Outcome, ActorType, TargetType);

/// Target of the action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Target {
    #[serde(rename = "type")]
    pub kind: TargetType,
    /// ID of the target, or the operation id of a request. Null for targets without an ID, such as
    /// a search or an e-mail address without an account.
    #[cfg_attr(feature = "openapi", schema(example = "mem_01k7fgpr00e00800000000000g"))]
    pub id: Option<String>,
    /// Human-readable name, such as an e-mail address or a slug.
    #[cfg_attr(feature = "openapi", schema(example = "bo@acme.example"))]
    pub label: String,
}

impl Target {
    pub fn new<T: Named>(kind: TargetType, id: Id<T>, label: impl Into<String>) -> Self {
        Self { kind, id: Some(id.to_string()), label: label.into() }
    }
}

/// An event as described by a transition. Saving it adds actor, org, time and source.
#[derive(Debug, Clone)]
#[must_use = "an event draft is not in the audit log until it is saved"]
pub struct EventDraft {
    pub action: Action,
    pub outcome: Outcome,
    pub target: Target,
    /// The summary without the actor: "changed bo@acme.example from viewer to member".
    pub predicate: String,
    pub reason: Option<String>,
    pub ticket_ref: Option<String>,
    pub metadata: Map<String, Value>,
    /// Org of the log, if it is not the org of the grant: a staff action that affects an org.
    pub org: Option<OrgRef>,
    /// Actor, if the operation itself authenticates the user: sign-in.
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

    /// Adds a changed field with its old and new value.
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

    /// Sets the org of the log. `None` changes nothing.
    pub fn in_org_log(mut self, org: impl Into<Option<OrgRef>>) -> Self {
        self.org = org.into().or(self.org);
        self
    }

    pub fn with_actor(mut self, actor: Actor) -> Self {
        self.actor = Some(actor);
        self
    }
}

/// Origin of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Source {
    /// Client's IP address; behind configured proxies, the address that they forward.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "203.0.113.9"))]
    pub ip: Option<IpAddr>,
    /// First 200 characters of the client's `User-Agent`.
    #[cfg_attr(feature = "openapi", schema(example = "curl/8.5.0"))]
    pub user_agent: Option<String>,
    /// Session of the request; under impersonation, the staff member's.
    pub session_id: Option<SessionId>,
    /// Impersonation of the request; null if there was none.
    pub impersonation_id: Option<ImpersonationId>,
    /// ID of the request, as in the response's `X-Request-Id` and in the server's log.
    #[cfg_attr(feature = "openapi", schema(example = "0b8a1c7e4f5d4a1b9c3e2d1f0a9b8c7d"))]
    pub request_id: Option<String>,
}

/// The actor; under impersonation, the staff member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActorRef {
    #[serde(rename = "type")]
    pub kind: ActorType,
    /// `None` for unauthenticated callers (a failed sign-in), for operators and for Postern itself.
    pub id: Option<UserId>,
    /// `None` if there is none or if it was erased.
    pub email: Option<String>,
    /// Set for staff only, and always for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
}

/// The impersonated user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnBehalfOf {
    pub id: UserId,
    /// Null if erased.
    #[cfg_attr(feature = "openapi", schema(example = "owner@acme.example"))]
    pub email: Option<String>,
}

/// An event of the audit log. Under impersonation, `actor` is the staff member and `on_behalf_of`
/// is the impersonated user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    pub id: EventId,
    /// Time of the event.
    pub occurred_at: DateTime<Utc>,
    /// Org that the log belongs to; null for the platform log.
    pub org: Option<OrgRef>,
    pub actor: ActorRef,
    /// The impersonated user; null without impersonation.
    pub on_behalf_of: Option<OnBehalfOf>,
    pub action: Action,
    pub outcome: Outcome,
    pub target: Target,
    /// The event as one sentence.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "Sam Okoro (support), as Ana Costa, \
                       changed bo@acme.example from viewer to member")
    )]
    pub summary: String,
    /// Reason, if the operation requires one.
    #[cfg_attr(feature = "openapi", schema(example = "cannot open the reports page"))]
    pub reason: Option<String>,
    /// Support ticket, if the operation requires one.
    #[cfg_attr(feature = "openapi", schema(example = "SUP-4312"))]
    pub ticket_ref: Option<String>,
    /// Additional data, by action. A changed field has the form `{"old": …, "new": …}`.
    #[cfg_attr(
        feature = "openapi",
        schema(
            value_type = Object,
            example = json!({"role": {"old": "viewer", "new": "member"}})
        )
    )]
    pub metadata: Map<String, Value>,
    pub source: Source,
    /// Version of the event format.
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub schema_version: i32,
    /// Position in the transparency log; null until it has been added.
    pub log: Option<LogPosition>,
    /// Fields removed by an erasure request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub erased_fields: Vec<Part>,
}

/// An event with the data to verify it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifiableEvent {
    #[serde(flatten)]
    pub event: Event,
    pub opening: Opening,
}

/// Position of an event in a transparency log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPosition {
    /// Origin of the log, as in the first line of its checkpoints.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "postern.example/org_01k7fgpr00e00800000000000g")
    )]
    pub origin: String,
    /// Index in the log, from 0.
    #[cfg_attr(feature = "openapi", schema(example = 4123, minimum = 0))]
    pub index: u64,
}

impl Named for Event {
    const PREFIX: &'static str = "evt";
    const SCHEMA: &'static str = "EventId";
}

impl Event {
    pub const SCHEMA_VERSION: i32 = 1;

    /// Completes a draft. `org` is the org of the log, unless the draft sets another.
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

/// Beginning of a summary: "Sam Okoro (support), as Ana Costa,".
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
        Actor::Anonymous { email: Some(email) } => format!("Unauthenticated caller ({email})"),
        Actor::Anonymous { email: None } => "Unauthenticated caller".to_owned(),
        Actor::Cli { command } => format!("Operator (`{command}`)"),
        Actor::System => "Postern".to_owned(),
    }
}
