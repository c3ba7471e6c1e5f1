//! Which events a list shows, as conditions that an index answers, and the one that none does.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use postern_domain::{
    action::Action,
    clock::Ids,
    event::Outcome,
    id::{ImpersonationId, OrgId, UserId},
};
use sea_orm::{
    ColumnTrait, Condition,
    sea_query::{Expr, ExprTrait},
};

use super::contains;
use crate::entity::audit_event;

/// Which events a list shows; all that is given must hold.
#[derive(Debug, Default)]
pub struct EventFilter {
    /// Who really acted, by id.
    pub actor: Option<UserId>,
    /// Who really acted, by e-mail address.
    pub actor_email: Option<String>,
    /// `user.role_changed`, or `user.*` for all of a kind.
    pub action: Option<ActionFilter>,
    /// The id or the label of what it was done to.
    pub target: Option<String>,
    /// Whose identity was worn, by id or by e-mail address.
    pub on_behalf_of: Option<UserId>,
    pub on_behalf_of_email: Option<String>,
    pub outcome: Option<Outcome>,
    pub ticket_ref: Option<String>,
    pub impersonation: Option<ImpersonationId>,
    pub ip: Option<IpAddr>,
    /// From this moment on.
    pub from: Option<DateTime<Utc>>,
    /// Up to and without this moment.
    pub to: Option<DateTime<Utc>>,
    /// Text that the summary or the target's label contains.
    pub q: Option<String>,
    /// For staff: only what stands in one log.
    pub log: LogScope,
    /// For staff who see only what they did themselves.
    pub only_by: Option<UserId>,
}

/// In whose log.
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
    /// All whose name begins with this, up to and with the dot.
    Kind(String),
}

impl EventFilter {
    /// All that is asked but for [`Self::words`], in arms of which no event is in two. One index has the events of an arm in order, but for kinds
    /// of actions, and for actions and outcomes of all orgs: what those find is sorted.
    pub(super) fn arms(&self) -> Vec<Condition> {
        use audit_event::Column as C;
        match &self.target {
            None => vec![self.without_target()],
            // No id has anything else in it.
            Some(target)
                if !target.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
                }) =>
            {
                vec![self.without_target().add(C::TargetLabel.eq(target.as_str()))]
            }
            Some(target) => {
                let by_id = self.without_target().add(C::TargetId.eq(target.as_str()));
                let other_id = Condition::any()
                    .add(C::TargetId.is_null())
                    .add(C::TargetId.ne(target.as_str()));
                vec![
                    by_id,
                    self.without_target().add(C::TargetLabel.eq(target.as_str())).add(other_id),
                ]
            }
        }
    }

    /// All that is asked but for [`Self::words`].
    pub(super) fn whole(&self) -> Condition {
        use audit_event::Column as C;
        let either = |target: &String| {
            Condition::any()
                .add(C::TargetId.eq(target.as_str()))
                .add(C::TargetLabel.eq(target.as_str()))
        };
        self.without_target().add_option(self.target.as_ref().map(either))
    }

    /// The text that is looked for, which no index finds.
    pub(super) fn words(&self) -> Option<Condition> {
        let column = |column| Expr::col((audit_event::Entity, column));
        let (summary, label) =
            (column(audit_event::Column::Summary), column(audit_event::Column::TargetLabel));
        self.q.as_ref().map(|q| Condition::any().add(contains(summary, q)).add(contains(label, q)))
    }

    fn without_target(&self) -> Condition {
        use audit_event::Column as C;
        let action = self.action.as_ref().map(|action| match action {
            ActionFilter::Exactly(name) => C::Action.eq(name.as_str()),
            // By name, so that an index is of use.
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
            .add_option(self.ticket_ref.as_ref().map(|ticket| C::TicketRef.eq(ticket.as_str())))
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
