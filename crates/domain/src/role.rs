//! Roles of org members.

use crate::string_enum;

string_enum! {
    /// Role of a member, lowest first; each includes the permissions of the roles before it:
    /// `viewer < member < admin < owner`.
    Role {
        Viewer = "viewer",
        Member = "member",
        Admin = "admin",
        Owner = "owner",
    }
}
