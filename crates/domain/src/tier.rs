//! Tiers of the vendor's staff.

use crate::string_enum;

string_enum! {
    /// Staff tier, lowest first; each includes the permissions of the tiers before it.
    Tier {
        Support = "support",
        Operations = "operations",
        Engineering = "engineering",
        SuperAdmin = "super_admin",
    }
}
