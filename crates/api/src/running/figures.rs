//! OrgStats for Prometheus. They are the process's, whoever asks; what the database knows is looked up when somebody does.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use postern_persistence::sequencer;

use crate::{
    http::{Call, Download, Problem},
    operations::op::{self, ReadMetrics},
};

/// Collects from the first time that somebody asks for it on: the worker's figures and the server's are one process's.
pub fn collected() -> &'static PrometheusHandle {
    static COLLECTED: OnceLock<PrometheusHandle> = OnceLock::new();
    COLLECTED.get_or_init(|| {
        let audit_keys = PrometheusBuilder::new().build_recorder();
        let handle = audit_keys.handle();
        // Where somebody else collects already, these stay empty.
        if metrics::set_global_recorder(audit_keys).is_err() {
            tracing::warn!("figures are collected elsewhere in this process");
        }
        metrics::describe_gauge!("postern_audit_queue_length", "Events that have no place in their log yet.");
        metrics::describe_gauge!(
            "postern_audit_queue_age_seconds",
            "How long the oldest of them has waited: the sequencer's lag, or since when a log that is set aside has waited."
        );
        metrics::describe_gauge!("postern_audit_logs_set_aside", "Logs that nothing can be appended to. Look into each at once.");
        metrics::describe_counter!("postern_audit_events_pumped_total", "Events that this process has given their place.");
        metrics::describe_counter!(
            "postern_audit_entries_refused_total",
            "Entries of the queue that no server had put there. Look into each."
        );
        handle
    })
}

/// Read the figures.
///
/// For Prometheus, in its text format. They say nothing of any customer; but who need not see them should not reach them.
#[utoipa::path(get, path = "/metrics", tag = "running", impl_for = ReadMetrics, responses(
    (status = 200, description = "The figures.", body = String, content_type = "text/plain"),
    (status = 503, description = "`unavailable`: the database does not answer.")
))]
pub async fn read_metrics(call: Call<op::ReadMetrics>) -> Result<Download, Problem> {
    let (waiting, oldest) = sequencer::waiting(&call.state().store).await?;
    let age = oldest.map_or(0.0, |oldest| (call.context().now - oldest).as_seconds_f64().max(0.0));
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    metrics::gauge!("postern_audit_queue_length").set(waiting as f64);
    metrics::gauge!("postern_audit_queue_age_seconds").set(age);
    Ok(Download::text(collected().render()))
}
