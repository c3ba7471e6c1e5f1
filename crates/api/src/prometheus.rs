//! Metrics of this process, for Prometheus.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

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
