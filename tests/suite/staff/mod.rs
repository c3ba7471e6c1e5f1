//! Staff and their tiers.

mod remove_staff;
mod set_staff_tier;

/// Reason of all changes in these tests.
const REASON: &str = "joins the support team";
