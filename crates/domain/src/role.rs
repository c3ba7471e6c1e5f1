//! What a member is in an org.

use crate::words::words;

words! {
    /// Roles build on one another, least first: `viewer < member < admin < owner`.
    Role {
        /// Reads what the org shows to all of its members.
        Viewer = "viewer",
        /// Works in the product.
        Member = "member",
        /// Manages people and settings, reads the record.
        Admin = "admin",
        /// Answers for the org; there is always at least one.
        Owner = "owner",
    }
}
