//! Event draft for the erasure of a user's personal data.

use postern_audit_log::event::ERASED;

use crate::{
    action::Action,
    event_draft::{EventDraft, Target, TargetType},
    id::UserId,
    justification::Reason,
    org_ref::OrgRef,
};

/// Event for an erasure from `events` events of one log. `reason` is omitted if it names the user.
pub fn erased(
    user: UserId,
    events: u64,
    org: Option<OrgRef>,
    reason: Option<&Reason>,
) -> EventDraft {
    let draft = EventDraft::new(
        Action::PrivacyErased,
        Target::new(TargetType::User, user, ERASED),
        format!("erased a user's personal data from {events} events"),
    )
    .with_metadata("events", events)
    .in_org_log(org);
    match reason {
        Some(reason) => draft.with_reason(reason, None),
        None => draft,
    }
}
