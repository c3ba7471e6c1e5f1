//! Tenant isolation.

mod connection_reuse;
pub mod isolation;
mod rls;
mod rls_drift;
