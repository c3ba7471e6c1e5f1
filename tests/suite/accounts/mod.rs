//! Accounts of all orgs, for staff.

mod search_accounts;
