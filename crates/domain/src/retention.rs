//! Retention of audit events, and legal holds. The hashes of removed events are kept, so that the
//! remaining log can be verified.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::{
    action::Action,
    change::Change,
    event_draft::{EventDraft, Target, TargetType},
    justification::Reason,
    org_ref::OrgRef,
};

/// Retention settings of an org's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retention {
    pub org: OrgRef,
    /// Retention in days; `None` for the configured default.
    pub days: Option<i64>,
    /// Start of a legal hold, under which no event is removed.
    pub held_since: Option<DateTime<Utc>>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetentionError {
    #[error("retention must be {} to {} days", Retention::SHORTEST, Retention::LONGEST)]
    Days,
}

impl Retention {
    /// Minimum retention in days.
    pub const SHORTEST: i64 = 30;
    /// Maximum retention in days: seven years.
    pub const LONGEST: i64 = 2_557;

    /// Retention in days, with the configured default.
    #[must_use]
    pub fn effective_days(&self, default_days: i64) -> i64 {
        self.days.unwrap_or(default_days)
    }

    /// Time before which events have expired. `None` under a legal hold.
    #[must_use]
    pub fn cutoff(&self, default_days: i64, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.held_since.is_none().then(|| now - TimeDelta::days(self.effective_days(default_days)))
    }

    pub fn keep_for(self, days: i64, reason: &Reason) -> Result<Change<Self>, RetentionError> {
        if !(Self::SHORTEST..=Self::LONGEST).contains(&days) {
            return Err(RetentionError::Days);
        }
        let predicate = format!("set audit retention for {} to {days} days", self.org.slug);
        Ok(self.clone().change_to(Self { days: Some(days), ..self }, predicate, reason))
    }

    pub fn hold(self, reason: &Reason, now: DateTime<Utc>) -> Change<Self> {
        if self.held_since.is_some() {
            return Change::unchanged(self);
        }
        let predicate = format!("placed a legal hold on the audit log of {}", self.org.slug);
        self.clone().change_to(Self { held_since: Some(now), ..self }, predicate, reason)
    }

    pub fn release(self, reason: &Reason) -> Change<Self> {
        let predicate = format!("released the legal hold on the audit log of {}", self.org.slug);
        self.clone().change_to(Self { held_since: None, ..self }, predicate, reason)
    }

    fn change_to(self, after: Self, predicate: String, reason: &Reason) -> Change<Self> {
        if after == self {
            return Change::unchanged(after);
        }
        let mut draft = EventDraft::new(Action::AuditRetentionChanged, log(&self.org), predicate)
            .with_reason(reason, None)
            .in_org_log(self.org);
        if after.days != self.days {
            draft = draft.with_change("days", self.days, after.days);
        }
        if after.held_since != self.held_since {
            draft = draft.with_change("held_since", self.held_since, after.held_since);
        }
        Change::recorded(after, draft)
    }
}

/// Event that records a retention run. All events from index `first_kept` on were kept.
pub fn applied(
    org: Option<&OrgRef>,
    before: DateTime<Utc>,
    events: u64,
    first_kept: u64,
) -> EventDraft {
    let name = org.map_or("the platform", |org| &org.slug);
    let target =
        org.map_or_else(|| Target { kind: TargetType::Log, id: None, label: name.to_owned() }, log);
    let predicate = format!("removed the contents of {events} expired events of {name}");
    let draft = EventDraft::new(Action::AuditRetentionApplied, target, predicate);
    draft
        .with_metadata("before", before)
        .with_metadata("events", events)
        .with_metadata("first_kept", first_kept)
        .in_org_log(org.cloned())
}

fn log(org: &OrgRef) -> Target {
    Target { kind: TargetType::Log, id: Some(org.id.to_string()), label: org.slug.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    fn acme() -> Retention {
        Retention {
            org: OrgRef {
                id: Id::new(uuid::Uuid::from_u128(7)),
                slug: "acme".to_owned(),
                name: "Acme".to_owned(),
            },
            days: None,
            held_since: None,
        }
    }

    #[test]
    fn retention_is_bounded_and_suspended_by_holds() {
        let reason = Reason::try_from("requested by their lawyers".to_owned()).expect("a reason");
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1_000);
        assert_eq!(
            acme().cutoff(400, now),
            Some(now - TimeDelta::days(400)),
            "the default applies to an org without its own period"
        );
        for days in [29, 2_558, 0, -1] {
            assert_eq!(
                acme().keep_for(days, &reason).expect_err("out of bounds"),
                RetentionError::Days,
                "{days} days are out of bounds"
            );
        }
        let (kept, draft, _) = acme().keep_for(30, &reason).expect("in bounds").into_parts();
        assert_eq!(
            (kept.cutoff(400, now), draft.is_some()),
            (Some(now - TimeDelta::days(30)), true),
            "the change applies and is recorded"
        );
        let (held, ..) = kept.hold(&reason, now).into_parts();
        assert_eq!(held.cutoff(400, now), None, "a held log has no cutoff");
        assert!(held.clone().hold(&reason, now).event().is_none(), "already on hold");
        let (released, ..) = held.release(&reason).into_parts();
        assert_eq!(
            released.cutoff(400, now),
            Some(now - TimeDelta::days(30)),
            "the period applies again after a release"
        );
    }
}
