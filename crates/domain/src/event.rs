//! Audit events as stored and returned.

#[cfg(feature = "openapi")]
mod openapi;

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use postern_audit_log::{
    commitment::{Opening, PersonalField},
    position::LogPosition,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    action::Action,
    actor::{ActiveImpersonation, Actor, Caller, Person},
    event_draft::{EventDraft, Outcome, Target},
    id::{EventId, ImpersonationId, OrgId, SessionId, UserId},
    org_ref::OrgRef,
    string_enum,
    string_enums::string_enum_schema,
    tier::Tier,
    truncation,
};

string_enum! {
    /// Type of the actor.
    ActorType {
        /// A customer's user, or an unauthenticated caller.
        User = "user",
        /// A staff member of the vendor; `tier` is present.
        Staff = "staff",
        /// A customer's program. Reserved: API keys do not exist yet.
        ApiKey = "api_key",
        /// Postern itself, or an operator at its command line.
        System = "system",
    }
}

string_enum_schema!(ActorType);

/// Client, session and ID of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Source {
    /// Client's IP address; behind configured proxies, the address that they forward.
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = Option<String>, example = "203.0.113.9", max_length = 40)
    )]
    pub ip: Option<IpAddr>,
    /// First 200 characters of the client's `User-Agent`.
    #[cfg_attr(feature = "openapi", schema(example = "curl/8.5.0", max_length = 200))]
    pub user_agent: Option<String>,
    /// Session of the request; under impersonation, the staff member's.
    pub session_id: Option<SessionId>,
    /// Impersonation that the event belongs to; null if none.
    pub impersonation_id: Option<ImpersonationId>,
    /// ID of the request, as in the response's `X-Request-Id` and in the server's log.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "0b8a1c7e4f5d4a1b9c3e2d1f0a9b8c7d", max_length = 64)
    )]
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

/// Org that an event belongs to, with the slug of that time. The log commits to both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventOrg {
    pub id: OrgId,
    /// Short name for URLs.
    #[cfg_attr(feature = "openapi", schema(example = "acme", max_length = 40))]
    pub slug: String,
}

impl From<OrgRef> for EventOrg {
    fn from(OrgRef { id, slug, name: _ }: OrgRef) -> Self {
        Self { id, slug }
    }
}

/// The impersonated user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnBehalfOf {
    pub id: UserId,
    /// Null if erased.
    #[cfg_attr(feature = "openapi", schema(example = "owner@acme.example", max_length = 254))]
    pub email: Option<String>,
}

/// An event of the audit log. Under impersonation, `actor` is the staff member and `on_behalf_of`
/// is the impersonated user. The start and the end of an impersonation belong to it as well; the
/// actor of an end is the one who caused it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    pub id: EventId,
    /// Time of the event.
    pub occurred_at: DateTime<Utc>,
    /// Org that the log belongs to; null for the platform log.
    pub org: Option<EventOrg>,
    pub actor: ActorRef,
    /// The impersonated user of the impersonation that the event belongs to; null if none.
    pub on_behalf_of: Option<OnBehalfOf>,
    pub action: Action,
    pub outcome: Outcome,
    pub target: Target,
    /// The event as one sentence.
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 1000,
            example = "Sam Okoro (support), as Ana Costa, \
                       changed bo@acme.example from viewer to member"
        )
    )]
    pub summary: String,
    /// Reason, if the operation requires one.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "cannot open the reports page", max_length = 1000)
    )]
    pub reason: Option<String>,
    /// Support ticket of the operation or of the impersonation that the event belongs to.
    #[cfg_attr(feature = "openapi", schema(example = "SUP-4312", max_length = 64))]
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
    pub erased_fields: Vec<PersonalField>,
}

/// An event with the data to verify it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifiableEvent {
    #[serde(flatten)]
    pub event: Event,
    pub opening: Opening,
}

impl Event {
    pub const SCHEMA_VERSION: i32 = postern_audit_log::event::SCHEMA_VERSION;

    /// Completes a draft. `org` is the org of the log, unless the draft sets another.
    #[must_use]
    pub fn of(
        draft: EventDraft,
        id: EventId,
        occurred_at: DateTime<Utc>,
        actor: &Actor,
        org: Option<EventOrg>,
        source: Source,
    ) -> Self {
        let actor = draft.actor.as_ref().unwrap_or(actor);
        let caller = actor.caller();
        let active = caller.and_then(Caller::impersonation);
        let impersonation =
            draft.impersonation.or_else(|| active.map(ActiveImpersonation::reference));
        Self {
            id,
            occurred_at,
            org: draft.org.map(EventOrg::from).or(org),
            on_behalf_of: impersonation.as_ref().map(|impersonation| OnBehalfOf {
                id: impersonation.user.id,
                email: Some(impersonation.user.email.clone()),
            }),
            summary: truncation::text(&format!("{} {}", subject(actor), draft.predicate)),
            source: Source {
                session_id: caller.map(Caller::session),
                impersonation_id: impersonation.as_ref().map(|impersonation| impersonation.id),
                ..source
            },
            actor: reference(actor),
            action: draft.action,
            outcome: draft.outcome,
            target: Target { label: truncation::text(&draft.target.label), ..draft.target },
            reason: draft.reason.as_deref().map(truncation::text),
            ticket_ref: draft
                .ticket_ref
                .or_else(|| impersonation.map(|impersonation| impersonation.ticket_ref)),
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
