//! Members of an org.

mod change_member_role;
mod last_owner;
mod list_members;
mod remove_member;
