//! Prometheus metrics of this process. The length and age of the audit queue are read from the
//! database on each request.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use postern_persistence::sequencer;

use crate::{
    http::{Call, Download, Problem},
    operations::op::{self, ReadMetrics},
};

/// Handle of the metrics recorder, which the first call installs. The server and the worker of a
/// process share it.
pub fn prometheus() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // If another recorder is installed, these metrics stay empty.
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("a metrics recorder is already installed in this process");
        }
        metrics::describe_gauge!(
            "postern_audit_queue_length",
            "Events that have not been added to their log yet."
        );
        metrics::describe_gauge!(
            "postern_audit_queue_age_seconds",
            "Age of the oldest queued event: lag of the sequencer, or the time that a quarantined \
             log has been waiting."
        );
        metrics::describe_gauge!(
            "postern_audit_logs_quarantined",
            "Quarantined logs, to which no events can be added. Investigate immediately."
        );
        metrics::describe_counter!(
            "postern_audit_events_sequenced_total",
            "Events that this process has added to their log."
        );
        metrics::describe_counter!(
            "postern_audit_entries_rejected_total",
            "Unauthenticated queue entries that were rejected. Investigate each."
        );
        handle
    })
}

/// Get Prometheus metrics.
///
/// No customer data. Unauthenticated: restrict access at your proxy.
#[utoipa::path(get, path = "/metrics", tag = "system", impl_for = ReadMetrics, responses(
    (status = 200, description = "Metrics in the text format of Prometheus.", body = String,
        content_type = "text/plain"),
    (status = 503, description = "`unavailable`: the database does not respond.")
))]
pub async fn read_metrics(call: Call<op::ReadMetrics>) -> Result<Download, Problem> {
    let (waiting, oldest) = sequencer::waiting(&call.state().store).await?;
    let age = oldest.map_or(0.0, |oldest| (call.context().now - oldest).as_seconds_f64().max(0.0));
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    metrics::gauge!("postern_audit_queue_length").set(waiting as f64);
    metrics::gauge!("postern_audit_queue_age_seconds").set(age);
    Ok(Download::text(prometheus().render()))
}
