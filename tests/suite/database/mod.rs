//! The database: upgrades, query plans and outages.

mod full_disk;
mod outages;
mod query_plans;
mod upgrade;
