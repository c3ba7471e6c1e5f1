//! Event drafts: audit events as described by a transition, without actor, time and source.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    action::Action,
    actor::{Actor, ImpersonationRef},
    id::{Id, Named},
    justification::{Reason, TicketRef},
    org_ref::OrgRef,
    string_enum,
    string_enums::string_enum_schema,
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
    /// Type of the target.
    TargetType {
        Org = "org", User = "user", Member = "member", Session = "session", Settings = "settings",
        Impersonation = "impersonation", Operation = "operation", Search = "search",
        Event = "event", Log = "log",
    }
}

string_enum_schema!(Outcome, TargetType);

/// Target of the action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Target {
    #[serde(rename = "type")]
    pub kind: TargetType,
    /// ID of the target, or the operation id of a request. Null for targets without an ID, such as
    /// a search or an e-mail address without an account.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "mem_01k7fgpr00e00800000000000g", max_length = 64)
    )]
    pub id: Option<String>,
    /// Human-readable name, such as an e-mail address or a slug.
    #[cfg_attr(feature = "openapi", schema(example = "bo@acme.example", max_length = 1000))]
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
    /// Impersonation that the event belongs to, if it is not that of the actor: a start or an end.
    pub impersonation: Option<ImpersonationRef>,
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
            impersonation: None,
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

    pub fn of_impersonation(mut self, impersonation: ImpersonationRef) -> Self {
        self.impersonation = Some(impersonation);
        self
    }
}
