//! Roles of org members.

use crate::{string_enum, string_enums::string_enum_schema};

string_enum! {
    /// Role of a member, lowest first; each includes the permissions of the roles before it:
    /// `viewer < member < admin < owner`.
    Role {
        /// Reads the org, its members and its settings.
        Viewer = "viewer",
        /// Also uses the product. In this API it has the same permissions as `viewer`.
        Member = "member",
        /// Manages the org, its members and settings; reads the audit log.
        Admin = "admin",
        /// Can also delete the org. Every org has at least one owner.
        Owner = "owner",
    }
}

string_enum_schema!(Role);
