//! The vendor's staff and their tiers.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    action::Action,
    change::Change,
    effect::{Effect, ImpersonationsOf},
    event_draft::EventDraft,
    id::UserId,
    justification::Justification,
    permission::Permission,
    tier::Tier,
    user::User,
};

/// A staff member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StaffMember {
    pub user_id: UserId,
    /// E-mail address for sign-in.
    #[cfg_attr(feature = "openapi", schema(example = "support@postern.example", max_length = 254))]
    pub email: String,
    /// Display name.
    #[cfg_attr(feature = "openapi", schema(example = "Sam Okoro", max_length = 100))]
    pub name: String,
    pub tier: Tier,
    /// Time at which the tier was assigned.
    pub since: DateTime<Utc>,
}

/// New tier of a user; `None` if they are no longer staff.
#[derive(Debug)]
pub struct TierAssignment {
    pub user: User,
    pub tier: Option<Tier>,
    pub since: DateTime<Utc>,
}

/// A user with the data that a change of their tier depends on, read under a lock.
#[derive(Debug)]
pub struct LockedStaff {
    pub user: User,
    /// Current tier, with the time of its assignment.
    pub current: Option<(Tier, DateTime<Utc>)>,
    /// The caller and their current tier; `None` at the command line.
    pub caller: Option<(UserId, Option<Tier>)>,
    pub super_admins: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StaffError {
    #[error("at most {at_most} super admins are allowed")]
    TooManySuperAdmins { at_most: u64 },
    #[error("the last super admin cannot be removed or demoted")]
    LastSuperAdmin,
    #[error("you cannot change your own tier")]
    OwnTier,
    #[error("the user is not staff")]
    NotStaff,
    #[error("requires the permission {}", Permission::StaffManage)]
    NoLongerAllowed,
}

impl LockedStaff {
    /// Assigns a tier, or removes the user from staff if `new` is `None`. At most `at_most` users
    /// can be super admins.
    pub fn set_tier(
        self,
        new: Option<Tier>,
        at_most: u64,
        justification: &Justification,
        now: DateTime<Utc>,
    ) -> Result<Change<TierAssignment>, StaffError> {
        let Self { user, current, caller, super_admins } = self;
        if let Some((id, tier)) = caller {
            // The caller's tier may have changed since authorization.
            if !tier.is_some_and(|tier| Permission::StaffManage.granted_to_tier(tier)) {
                return Err(StaffError::NoLongerAllowed);
            }
            if id == user.id {
                return Err(StaffError::OwnTier);
            }
        }
        let old = current.map(|(tier, _)| tier);
        match (current, new) {
            (None, None) => return Err(StaffError::NotStaff),
            (Some((tier, since)), Some(new)) if tier == new => {
                return Ok(Change::unchanged(TierAssignment { user, tier: Some(tier), since }));
            }
            _ => {}
        }
        if new == Some(Tier::SuperAdmin) && super_admins >= at_most {
            return Err(StaffError::TooManySuperAdmins { at_most });
        }
        if old == Some(Tier::SuperAdmin) && super_admins <= 1 {
            return Err(StaffError::LastSuperAdmin);
        }
        let predicate = match (old, new) {
            (None, Some(new)) => format!("granted {} the {new} tier", user.email),
            (Some(old), Some(new)) => {
                format!("changed the tier of {} from {old} to {new}", user.email)
            }
            (_, None) => format!("removed {} from staff", user.email),
        };
        let draft = EventDraft::new(Action::StaffTierChanged, user.target(), predicate)
            .with_change("tier", old, new)
            .with_reason(&justification.reason, justification.ticket.as_ref());
        let ended = match (old, new) {
            (_, None) => Some(ImpersonationsOf::Staff(user.id)),
            (None, Some(_)) => Some(ImpersonationsOf::NewStaff(user.id)),
            (Some(_), Some(_)) => None,
        };
        let change = Change::recorded(TierAssignment { user, tier: new, since: now }, draft);
        Ok(ended.map(Effect::EndImpersonations).into_iter().fold(change, Change::with_effect))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::Id, justification::Reason};
    use uuid::Uuid;

    fn set(
        old: Option<Tier>,
        new: Option<Tier>,
        super_admins: u64,
        caller: Option<Tier>,
    ) -> Result<bool, StaffError> {
        let user = User {
            id: Id::new(Uuid::nil()),
            email: "sam@postern.example".into(),
            name: "Sam".into(),
            image_url: None,
            created_at: DateTime::UNIX_EPOCH,
            suspended_at: None,
        };
        let justification = Justification {
            reason: Reason::try_from("joins the support team".to_owned()).expect("long enough"),
            ticket: None,
        };
        let current = old.map(|tier| (tier, DateTime::UNIX_EPOCH));
        let staff = LockedStaff {
            user,
            current,
            caller: Some((Id::new(Uuid::max()), caller)),
            super_admins,
        };
        staff
            .set_tier(new, 2, &justification, DateTime::UNIX_EPOCH)
            .map(|change| change.event().is_some())
    }

    const SUPER: Option<Tier> = Some(Tier::SuperAdmin);

    #[test]
    fn super_admins_have_a_minimum_and_a_maximum() {
        assert_eq!(set(None, SUPER, 1, SUPER), Ok(true), "a second super admin is allowed");
        assert_eq!(
            set(None, SUPER, 2, SUPER),
            Err(StaffError::TooManySuperAdmins { at_most: 2 }),
            "a third super admin is not allowed"
        );
        assert_eq!(
            set(SUPER, Some(Tier::Support), 1, SUPER),
            Err(StaffError::LastSuperAdmin),
            "the last super admin keeps the tier"
        );
        assert_eq!(set(SUPER, None, 2, SUPER), Ok(true), "one of two super admins can be removed");
    }

    #[test]
    fn unchanged_tier_is_not_recorded() {
        assert_eq!(
            set(Some(Tier::Support), Some(Tier::Support), 2, SUPER),
            Ok(false),
            "the same tier is not recorded again"
        );
        assert_eq!(
            set(SUPER, SUPER, 2, SUPER),
            Ok(false),
            "the maximum does not apply to an unchanged tier"
        );
        assert_eq!(
            set(None, None, 2, SUPER),
            Err(StaffError::NotStaff),
            "there is no tier to remove"
        );
    }

    #[test]
    fn caller_without_permission_is_rejected_under_the_lock() {
        for caller in [None, Some(Tier::Support), Some(Tier::Engineering)] {
            assert_eq!(
                set(None, Some(Tier::Support), 2, caller),
                Err(StaffError::NoLongerAllowed),
                "{caller:?} may not change staff"
            );
        }
    }
}
