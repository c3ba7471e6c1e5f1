//! The permission policy.

mod read_policy;
