use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{Call, Code, HandlerResult, Problem, ok},
    operations::op::{self, ReadHealth, ReadReadiness},
};

/// Liveness of the server.
#[derive(Serialize, ToSchema)]
pub struct HealthView {
    /// Always `alive`.
    #[schema(value_type = String, example = "alive", max_length = 40)]
    status: &'static str,
    /// Version of the server.
    #[schema(value_type = String, example = "0.1.0", max_length = 40)]
    version: &'static str,
}

/// Liveness probe.
///
/// Does not query the database (`/readyz` does), because restarting the process does not repair a
/// failed database connection.
#[utoipa::path(get, path = "/healthz", tag = "system", impl_for = ReadHealth, responses(
    (status = 200, description = "The process is alive.", body = HealthView)
))]
pub async fn read_health(_call: Call<op::ReadHealth>) -> HandlerResult<HealthView> {
    Ok(ok(HealthView { status: "alive", version: env!("CARGO_PKG_VERSION") }))
}

/// Readiness of the server.
#[derive(Serialize, ToSchema)]
pub struct ReadinessView {
    /// Always `ready`: a server that is not ready responds with a problem.
    #[schema(value_type = String, example = "ready", max_length = 40)]
    status: &'static str,
}

/// Readiness probe.
///
/// 200 when the database responds and row-level security, append-only triggers and migrations pass
/// `postern doctor`'s checks; otherwise 503. Results of the checks are cached: 30 s if all pass,
/// otherwise 5 s.
#[utoipa::path(get, path = "/readyz", tag = "system", impl_for = ReadReadiness, responses(
    (status = 200, description = "The server is ready.", body = ReadinessView),
    (status = 503, description = "`unavailable`: the database does not respond or fails a check, \
        or the server is stopping.")
))]
pub async fn read_readiness(call: Call<op::ReadReadiness>) -> HandlerResult<ReadinessView> {
    if call.state().is_stopping() {
        return Err(Problem::new(Code::Unavailable).detail("the server is stopping"));
    }
    let Some(faults) = call.state().readiness.faults(&call.state().store).await? else {
        return Err(Problem::new(Code::Unavailable).detail("the database does not respond in time"));
    };
    if !faults.is_empty() {
        let checks = faults.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Problem::new(Code::Unavailable).detail(format!(
            "database checks failed: {checks}; run `postern doctor` for details"
        )));
    }
    Ok(ok(ReadinessView { status: "ready" }))
}
