//! Permissions, and the lowest role or tier that has each. `openapi/permissions.md` is generated
//! from this file, so that a change of rights is visible in review.

#[cfg(feature = "openapi")]
mod openapi;

use crate::{role::Role, string_enum, tier::Tier};

string_enum! {
    /// Permission that an operation requires, as `noun:verb`, with the roles or tiers that have it.
    Permission {
        // Permissions in an org, by role.
        OrgRead = "org:read",
        OrgWrite = "org:write",
        OrgDelete = "org:delete",
        MembersRead = "members:read",
        MembersManage = "members:manage",
        SettingsRead = "settings:read",
        SettingsWrite = "settings:write",
        AuditRead = "audit:read",
        // Permissions of the vendor's staff, by tier.
        AccountsSearch = "accounts:search",
        Impersonate = "impersonation:use",
        ImpersonationEndAny = "impersonation:end_any",
        PlatformAuditReadOwn = "platform_audit:read_own",
        PlatformAuditReadAll = "platform_audit:read_all",
        StaffManage = "staff:manage",
    }
}

impl Permission {
    /// Lowest role that has this permission in its org. `None` for staff permissions.
    #[must_use]
    pub const fn lowest_role(self) -> Option<Role> {
        match self {
            Self::OrgRead | Self::MembersRead | Self::SettingsRead => Some(Role::Viewer),
            Self::OrgWrite | Self::MembersManage | Self::SettingsWrite | Self::AuditRead => {
                Some(Role::Admin)
            }
            Self::OrgDelete => Some(Role::Owner),
            Self::AccountsSearch
            | Self::Impersonate
            | Self::ImpersonationEndAny
            | Self::PlatformAuditReadOwn
            | Self::PlatformAuditReadAll
            | Self::StaffManage => None,
        }
    }

    /// Lowest staff tier that has this permission. `None` for permissions in an org.
    #[must_use]
    pub const fn lowest_tier(self) -> Option<Tier> {
        match self {
            Self::AccountsSearch | Self::Impersonate | Self::PlatformAuditReadOwn => {
                Some(Tier::Support)
            }
            Self::ImpersonationEndAny | Self::PlatformAuditReadAll => Some(Tier::Engineering),
            Self::StaffManage => Some(Tier::SuperAdmin),
            Self::OrgRead
            | Self::OrgWrite
            | Self::OrgDelete
            | Self::MembersRead
            | Self::MembersManage
            | Self::SettingsRead
            | Self::SettingsWrite
            | Self::AuditRead => None,
        }
    }

    /// Whether members with this role have the permission in their org.
    #[must_use]
    pub fn granted_to_role(self, role: Role) -> bool {
        self.lowest_role().is_some_and(|lowest| role >= lowest)
    }

    /// Whether staff of this tier have the permission.
    #[must_use]
    pub fn granted_to_tier(self, tier: Tier) -> bool {
        self.lowest_tier().is_some_and(|lowest| tier >= lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_belong_to_roles_or_tiers() {
        for permission in Permission::ALL {
            assert!(
                permission.lowest_role().is_some() != permission.lowest_tier().is_some(),
                "{permission}"
            );
        }
    }
}
