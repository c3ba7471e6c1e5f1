//! The vendor's staff, in tiers that build on one another.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    action::Action, change::Change, event::EventDraft, id::UserId, justification::Reason,
    permission::Permission, user::User, words::words,
};

words! {
    /// What a member of the staff may do, least first.
    Tier {
        /// Finds accounts, looks, helps.
        Support = "support",
        /// Also moves money, plans and trials.
        Operations = "operations",
        /// Also features, limits, exports and the whole record.
        Engineering = "engineering",
        /// Also decides who is staff.
        SuperAdmin = "super_admin",
    }
}

/// One of the vendor's staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StaffMember {
    pub user_id: UserId,
    /// The address they sign in with.
    #[cfg_attr(feature = "openapi", schema(example = "support@postern.example"))]
    pub email: String,
    /// What they are called.
    #[cfg_attr(feature = "openapi", schema(example = "Sam Okoro"))]
    pub name: String,
    pub tier: Tier,
    /// Since when they have this tier.
    pub since: DateTime<Utc>,
}

/// A person's tier after a decision; `None` is no staff.
#[derive(Debug)]
pub struct TierAssignment {
    pub user: User,
    pub tier: Option<Tier>,
    pub since: DateTime<Utc>,
}

/// Somebody whose tier is about to be decided, with all that has to stand still meanwhile. The store reads it under a lock.
#[derive(Debug)]
pub struct LockedStaff {
    pub user: User,
    /// Their tier, and since when they have it.
    pub present: Option<(Tier, DateTime<Utc>)>,
    /// Who decides, and the tier they have now; none at the command line.
    pub by: Option<(UserId, Option<Tier>)>,
    pub super_admins: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StaffError {
    #[error("there may be at most {at_most} super admins")]
    TooManySuperAdmins { at_most: u64 },
    #[error("the last super admin stays one")]
    LastSuperAdmin,
    #[error("nobody changes their own tier")]
    OwnTier,
    #[error("they are not staff")]
    NotStaff,
    #[error("this needs the permission {}", Permission::StaffManage)]
    NoLongerAllowed,
}

impl LockedStaff {
    /// Gives them another tier, or takes it away. There are to be `at_most` so many super admins.
    pub fn set_tier(
        self,
        new: Option<Tier>,
        at_most: u64,
        reason: &Reason,
        now: DateTime<Utc>,
    ) -> Result<Change<TierAssignment>, StaffError> {
        let Self { user, present, by, super_admins } = self;
        if let Some((id, tier)) = by {
            // The tier that let the caller in may have been taken away since.
            if !tier.is_some_and(|tier| Permission::StaffManage.granted_to_tier(tier)) {
                return Err(StaffError::NoLongerAllowed);
            }
            if id == user.id {
                return Err(StaffError::OwnTier);
            }
        }
        let old = present.map(|(tier, _)| tier);
        match (present, new) {
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
            (None, Some(new)) => format!("made {} staff of tier {new}", user.email),
            (Some(old), Some(new)) => {
                format!("changed the tier of {} from {old} to {new}", user.email)
            }
            (_, None) => format!("took {} off the staff", user.email),
        };
        let draft = EventDraft::new(Action::StaffTierChanged, user.target(), predicate)
            .with_change("tier", old, new)
            .with_reason(reason, None);
        Ok(Change::recorded(TierAssignment { user, tier: new, since: now }, draft))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Id;
    use uuid::Uuid;

    fn set(
        old: Option<Tier>,
        new: Option<Tier>,
        super_admins: u64,
        by: Option<Tier>,
    ) -> Result<bool, StaffError> {
        let user = User {
            id: Id::new(Uuid::nil()),
            email: "sam@postern.example".into(),
            name: "Sam".into(),
            image_url: None,
            created_at: DateTime::UNIX_EPOCH,
            suspended_at: None,
        };
        let reason = Reason::try_from("joins the support team".to_owned()).expect("long enough");
        let present = old.map(|tier| (tier, DateTime::UNIX_EPOCH));
        let candidate =
            LockedStaff { user, present, by: Some((Id::new(Uuid::max()), by)), super_admins };
        candidate
            .set_tier(new, 2, &reason, DateTime::UNIX_EPOCH)
            .map(|change| change.event().is_some())
    }

    const SUPER: Option<Tier> = Some(Tier::SuperAdmin);

    #[test]
    fn super_admins_are_few_but_never_none() {
        assert_eq!(set(None, SUPER, 1, SUPER), Ok(true));
        assert_eq!(set(None, SUPER, 2, SUPER), Err(StaffError::TooManySuperAdmins { at_most: 2 }));
        assert_eq!(set(SUPER, Some(Tier::Support), 1, SUPER), Err(StaffError::LastSuperAdmin));
        assert_eq!(set(SUPER, None, 2, SUPER), Ok(true));
    }

    #[test]
    fn what_is_so_already_is_not_recorded() {
        assert_eq!(set(Some(Tier::Support), Some(Tier::Support), 2, SUPER), Ok(false));
        assert_eq!(set(SUPER, SUPER, 2, SUPER), Ok(false));
        assert_eq!(set(None, None, 2, SUPER), Err(StaffError::NotStaff));
    }

    #[test]
    fn a_right_that_was_taken_away_meanwhile_is_gone() {
        for by in [None, Some(Tier::Support), Some(Tier::Engineering)] {
            assert_eq!(set(None, Some(Tier::Support), 2, by), Err(StaffError::NoLongerAllowed));
        }
    }
}
