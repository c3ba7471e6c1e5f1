//! Orgs and their dashboard.

mod create_org;
mod delete_org;
mod list_my_orgs;
mod read_dashboard;
mod read_org;
mod update_org;
