//! Prometheus metrics of this process. The length and age of the audit queue are read from the
//! database on each request.

use postern_persistence::sequencer;

use crate::{
    http::{Call, Download, Problem},
    operations::op::{self, ReadMetrics},
    prometheus::prometheus,
};

/// Get Prometheus metrics.
///
/// No customer data. Unauthenticated: restrict access at your proxy.
#[utoipa::path(get, path = "/metrics", tag = "system", impl_for = ReadMetrics, responses(
    (status = 200, description = "Metrics in the text format of Prometheus.", body = String,
        content_type = "text/plain"),
    (status = 503, description = "`unavailable`: the database does not respond.")
))]
pub async fn read_metrics(call: Call<op::ReadMetrics>) -> Result<Download, Problem> {
    let (pending, oldest) = sequencer::pending(&call.state().store).await?;
    let age = oldest.map_or(0.0, |oldest| (call.context().now - oldest).as_seconds_f64().max(0.0));
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    metrics::gauge!("postern_audit_queue_length").set(pending as f64);
    metrics::gauge!("postern_audit_queue_age_seconds").set(age);
    Ok(Download::text(prometheus().render()))
}
