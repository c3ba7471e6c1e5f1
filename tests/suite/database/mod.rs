//! The database schema: upgrades and query plans.

mod query_plans;
mod upgrade;
