//! Tiers of the vendor's staff.

use crate::{string_enum, string_enums::string_enum_schema};

string_enum! {
    /// Staff tier, lowest first; each includes the permissions of the tiers before it.
    Tier {
        /// Searches accounts and impersonates members.
        Support = "support",
        /// Has the same permissions as `support` in this version.
        Operations = "operations",
        /// Also ends impersonations of other staff, and reads all audit logs.
        Engineering = "engineering",
        /// Also manages staff.
        SuperAdmin = "super_admin",
    }
}

string_enum_schema!(Tier);
