//! Filters of event lists: conditions that indexes support, and a text search, which none does.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use postern_domain::{
    action::Action,
    clock::Ids,
    event_draft::Outcome,
    id::{ImpersonationId, OrgId, UserId},
};
use sea_orm::{
    ColumnTrait, Condition, DbBackend,
    sea_query::{Expr, ExprTrait},
};

use super::text::contains;
use crate::{backend::is_ticket, entity::audit_event};

/// Filter of an event list. All given fields must match.
#[derive(Debug, Default)]
pub struct EventFilter {
    /// Accountable user, by id.
    pub actor: Option<UserId>,
    /// Accountable user, by e-mail address.
    pub actor_email: Option<String>,
    /// `user.role_changed`, or `user.*` for all actions of a kind.
    pub action: Option<ActionFilter>,
    /// Id or label of the target. A label also matches in lower case: e-mail addresses and slugs.
    pub target: Option<String>,
    /// Impersonated user, by id.
    pub on_behalf_of: Option<UserId>,
    /// Impersonated user, by e-mail address.
    pub on_behalf_of_email: Option<String>,
    pub outcome: Option<Outcome>,
    /// Ticket reference, in any case.
    pub ticket_ref: Option<String>,
    pub impersonation: Option<ImpersonationId>,
    pub ip: Option<IpAddr>,
    /// Start time, inclusive.
    pub from: Option<DateTime<Utc>>,
    /// End time, exclusive.
    pub to: Option<DateTime<Utc>>,
    /// Text contained in the summary or the target's label.
    pub q: Option<String>,
    /// For staff: the logs to list.
    pub log: LogScope,
    /// For staff who may see only their own events.
    pub only_by: Option<UserId>,
}

/// The logs to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogScope {
    #[default]
    All,
    Platform,
    Org(OrgId),
}

#[derive(Debug)]
pub enum ActionFilter {
    Exactly(String),
    /// All actions that start with this prefix, which includes the dot.
    Kind(String),
}

impl EventFilter {
    /// All conditions except [`Self::text_condition`], as arms without common events. One index has
    /// the events of an arm in order; only events of a kind of action, and of an action or outcome
    /// across all orgs, are sorted.
    pub(super) fn arms(&self, backend: DbBackend) -> Vec<Condition> {
        use audit_event::Column as C;
        let Some(target) = &self.target else { return vec![self.without_target(backend)] };
        let mut arms = Vec::new();
        let mut other_id = Condition::all();
        if can_be_id(target) {
            arms.push(self.without_target(backend).add(C::TargetId.eq(target.as_str())));
            other_id = other_id.add(
                Condition::any().add(C::TargetId.is_null()).add(C::TargetId.ne(target.as_str())),
            );
        }
        arms.extend(labels(target).into_iter().map(|label| {
            self.without_target(backend).add(C::TargetLabel.eq(label)).add(other_id.clone())
        }));
        arms
    }

    /// All conditions except [`Self::text_condition`].
    pub(super) fn condition_without_text(&self, backend: DbBackend) -> Condition {
        use audit_event::Column as C;
        let either = |target: &String| {
            Condition::any()
                .add(C::TargetId.eq(target.as_str()))
                .add(C::TargetLabel.is_in(labels(target)))
        };
        self.without_target(backend).add_option(self.target.as_ref().map(either))
    }

    /// The text search, which no index supports.
    pub(super) fn text_condition(&self, backend: DbBackend) -> Option<Condition> {
        let column = |column| Expr::col((audit_event::Entity, column));
        let (summary, label) =
            (column(audit_event::Column::Summary), column(audit_event::Column::TargetLabel));
        let contains = |column, q| contains(backend, column, q);
        let either = |q| Condition::any().add(contains(summary, q)).add(contains(label, q));
        self.q.as_deref().map(either)
    }

    fn without_target(&self, backend: DbBackend) -> Condition {
        use audit_event::Column as C;
        let action = self.action.as_ref().map(|action| match action {
            ActionFilter::Exactly(name) => C::Action.eq(name.as_str()),
            // Names instead of a prefix, so that an index is used.
            ActionFilter::Kind(prefix) => C::Action.is_in(
                Action::ALL
                    .iter()
                    .map(|action| action.name())
                    .filter(|name| name.starts_with(prefix)),
            ),
        });
        Condition::all()
            .add_option(self.actor.map(|id| C::ActorId.eq(id.uuid())))
            .add_option(self.actor_email.as_ref().map(|email| C::ActorEmail.eq(email.as_str())))
            .add_option(action)
            .add_option(self.on_behalf_of.map(|id| C::OnBehalfOfId.eq(id.uuid())))
            .add_option(
                self.on_behalf_of_email.as_ref().map(|email| C::OnBehalfOfEmail.eq(email.as_str())),
            )
            .add_option(self.outcome.map(|outcome| C::Outcome.eq(outcome.name())))
            .add_option(self.ticket_ref.as_ref().map(|ticket| is_ticket(backend, ticket)))
            .add_option(self.impersonation.map(|id| C::ImpersonationId.eq(id.uuid())))
            .add_option(self.ip.map(|ip| C::Ip.eq(ip.to_string())))
            .add_option(
                self.from.map(|from| C::OccurredAt.gte(from).and(C::Id.gte(Ids::first_of(from)))),
            )
            .add_option(
                self.to
                    .map(|to| C::OccurredAt.lt(to).and(C::Id.lt(Ids::first_of(to + Ids::AHEAD)))),
            )
            .add_option(match self.log {
                LogScope::All => None,
                LogScope::Platform => Some(C::OrgId.is_null()),
                LogScope::Org(org) => Some(C::OrgId.eq(org.uuid())),
            })
            .add_option(self.only_by.map(|id| C::ActorId.eq(id.uuid())))
    }
}

/// Labels that a target filter matches: as given, and in lower case.
fn labels(target: &str) -> Vec<String> {
    let mut labels = vec![target.to_owned()];
    let folded = target.to_lowercase();
    if folded != target {
        labels.push(folded);
    }
    labels
}

/// Whether a target filter can be an id: ids contain no other characters.
fn can_be_id(target: &str) -> bool {
    target.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
