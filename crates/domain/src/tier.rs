//! Tiers of the vendor's staff.

use crate::{string_enum, string_enums::string_enum_schema};

string_enum! {
    /// Staff tier, lowest first; each includes the rights of the tiers before it.
    Tier {
        /// Searches accounts and impersonates members.
        Support = "support",
        /// Also manages payments, plans and trials.
        Operations = "operations",
        /// Also manages features, limits and exports, and reads the whole audit log.
        Engineering = "engineering",
        /// Also manages staff.
        SuperAdmin = "super_admin",
    }
}

string_enum_schema!(Tier);
