//! The vendor's staff, in tiers that build on one another.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Id,
    action::Action,
    change::Change,
    event::{Act, Target, TargetType},
    id::UserId,
    justification::Reason,
    user::User,
};

/// What a member of the staff may do, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Finds accounts, looks, helps.
    Support,
    /// Also moves money, plans and trials.
    Operations,
    /// Also features, limits, exports and the whole record.
    Engineering,
    /// Also decides who is staff.
    SuperAdmin,
}

impl Tier {
    pub const ALL: [Self; 4] = [Self::Support, Self::Operations, Self::Engineering, Self::SuperAdmin];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Support => "support",
            Self::Operations => "operations",
            Self::Engineering => "engineering",
            Self::SuperAdmin => "super_admin",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == text)
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One of the vendor's staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StaffMember {
    pub user_id: UserId,
    #[cfg_attr(feature = "openapi", schema(example = "support@postern.example"))]
    pub email: String,
    #[cfg_attr(feature = "openapi", schema(example = "Sam Okoro"))]
    pub name: String,
    pub tier: Tier,
    /// Since when they have this tier.
    pub since: DateTime<Utc>,
}

/// A person's tier after a decision; `None` is no staff.
#[derive(Debug)]
pub struct Tiered {
    pub user: User,
    pub tier: Option<Tier>,
    pub since: DateTime<Utc>,
}

/// How many super admins there are and may be.
#[derive(Debug, Clone, Copy)]
pub struct SuperAdmins {
    pub present: u64,
    pub at_most: u64,
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
}

/// Gives `user`, whose tier is `old`, another one, or takes it away.
///
/// `by` is who decides, where that is a person; the command line is nobody.
pub fn set_tier(
    user: User,
    old: Option<Tier>,
    new: Option<Tier>,
    by: Option<Id<User>>,
    supers: SuperAdmins,
    reason: &Reason,
    now: DateTime<Utc>,
) -> Result<Change<Tiered>, StaffError> {
    if by == Some(user.id) {
        return Err(StaffError::OwnTier);
    }
    if old.is_none() && new.is_none() {
        return Err(StaffError::NotStaff);
    }
    if old == new {
        return Ok(Change::unchanged(Tiered { user, tier: old, since: now }));
    }
    if new == Some(Tier::SuperAdmin) && supers.present >= supers.at_most {
        return Err(StaffError::TooManySuperAdmins { at_most: supers.at_most });
    }
    if old == Some(Tier::SuperAdmin) && supers.present <= 1 {
        return Err(StaffError::LastSuperAdmin);
    }
    let did = match (old, new) {
        (None, Some(new)) => format!("made {} staff of tier {new}", user.email),
        (Some(old), Some(new)) => format!("changed the tier of {} from {old} to {new}", user.email),
        (_, None) => format!("took {} off the staff", user.email),
    };
    let act = Act::new(Action::StaffTierChanged, Target::new(TargetType::User, user.id, &user.email), did)
        .changed("tier", old, new)
        .because(reason, None);
    Ok(Change::recorded(Tiered { user, tier: new, since: now }, act))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn set(old: Option<Tier>, new: Option<Tier>, present: u64) -> Result<bool, StaffError> {
        let user = User {
            id: Id::new(Uuid::nil()),
            email: "sam@postern.example".into(),
            name: "Sam".into(),
            image_url: None,
            created_at: DateTime::UNIX_EPOCH,
            suspended_at: None,
        };
        let reason = Reason::try_from("joins the support team".to_owned()).expect("long enough");
        let by = Some(Id::new(Uuid::max()));
        let supers = SuperAdmins { present, at_most: 2 };
        set_tier(user, old, new, by, supers, &reason, DateTime::UNIX_EPOCH).map(|change| change.act().is_some())
    }

    #[test]
    fn super_admins_are_few_but_never_none() {
        assert_eq!(set(None, Some(Tier::SuperAdmin), 1), Ok(true));
        assert_eq!(set(None, Some(Tier::SuperAdmin), 2), Err(StaffError::TooManySuperAdmins { at_most: 2 }));
        assert_eq!(set(Some(Tier::SuperAdmin), Some(Tier::Support), 1), Err(StaffError::LastSuperAdmin));
        assert_eq!(set(Some(Tier::SuperAdmin), None, 2), Ok(true));
    }

    #[test]
    fn what_is_so_already_is_not_recorded() {
        assert_eq!(set(Some(Tier::Support), Some(Tier::Support), 2), Ok(false));
        assert_eq!(set(Some(Tier::SuperAdmin), Some(Tier::SuperAdmin), 2), Ok(false));
        assert_eq!(set(None, None, 2), Err(StaffError::NotStaff));
    }
}
