//! Impersonation: start and end, limits in time, mode and org, and both identities in the audit
//! log.

use serde_json::{Value, json};

mod automatic_end;
mod concurrent_change;
mod end_impersonation;
mod expiry;
mod list_impersonations;
mod read_impersonation;
mod recording;
mod restrictions;
mod start_impersonation;
mod token_claims;

/// Request body of `start_impersonation`.
pub fn start_body(target_user_id: &str, org: &str) -> Value {
    json!({
        "target_user_id": target_user_id,
        "org": org,
        "reason": "cannot open the reports page",
        "ticket_ref": "SUP-1",
    })
}
