//! Offline verification of exports.

use postern_tests::{App, on_both};
use serde_json::json;

use super::{
    checkpoint, export, fault_kinds, keys, keys_at, record_actions, verify, verify_partial,
};

on_both![
    full_export_is_verified_offline,
    altered_export_fails_verification,
    filtered_export_is_verified_offline,
];

async fn full_export_is_verified_offline(t: &App) {
    let owner = record_actions(t).await;
    let stored = checkpoint(&owner).await;
    let file = export(&owner).await;
    let report = verify(&file, keys(&owner).await, std::slice::from_ref(&stored));
    assert_eq!(report.faults, [], "the export verifies");
    assert_eq!(
        report.events,
        report.size + report.newer + report.pending,
        "every event is accounted for"
    );
    assert!(
        report.size >= 9 && report.omitted == 0 && report.expired == 0,
        "the export is complete: {report:?}"
    );
    // A later export is consistent with the stored checkpoint.
    owner.patch("/v1/orgs/acme", json!({ "name": "Later" })).await.expect(200);
    t.sequence().await;
    let report = verify(&export(&owner).await, keys(&owner).await, &[stored]);
    assert_eq!(report.faults, [], "the later export verifies against the stored checkpoint");
}

async fn altered_export_fails_verification(t: &App) {
    let owner = record_actions(t).await;
    let file = export(&owner).await;
    // Removing any line causes a fault.
    let lines: Vec<&str> = file.lines().collect();
    for (n, line) in lines.iter().enumerate() {
        let without: String = lines
            .iter()
            .enumerate()
            .filter(|(m, _)| *m != n)
            .flat_map(|(_, line)| [*line, "\n"])
            .collect();
        assert_ne!(
            fault_kinds(&verify(&without, keys(&owner).await, &[])),
            Vec::<&str>::new(),
            "a fault is found without {line}"
        );
    }
    let globex = t.sign_in("owner@globex.example").await;
    let other_keys = keys_at(&globex, "/v1/orgs/globex/audit-log/keys").await;
    assert!(
        fault_kinds(&verify(&file, other_keys, &[])).contains(&"other_log"),
        "the key of another log does not verify the checkpoint"
    );
    for (text, replacement, kind) in [
        ("Acme 2", "Acme 3", "altered"),
        ("viewer@acme", "former@acme", "altered"),
        ("\"outcome\":\"succeeded\"", "\"outcome\":\"denied\"", "altered"),
        ("\"index\":3", "\"index\":2", "duplicate"),
    ] {
        assert!(file.contains(text), "the export contains {text}");
        let report = verify(&file.replacen(text, replacement, 1), keys(&owner).await, &[]);
        assert!(fault_kinds(&report).contains(&kind), "replacing {text} is reported: {report:?}");
    }
}

async fn filtered_export_is_verified_offline(t: &App) {
    let owner = record_actions(t).await;
    let full = verify(&export(&owner).await, keys(&owner).await, &[]);
    for filter in [
        "action=org.updated",
        "actor=support@postern.example",
        "q=Acme 2",
        "outcome=denied",
        "to=2026-01-01T00:00:00Z",
    ] {
        let path = format!("/v1/orgs/acme/audit-events/export?{filter}");
        let file = owner.get(&path).await.expect(200).body;
        assert_eq!(
            fault_kinds(&verify(&file, keys(&owner).await, &[])),
            ["incomplete"],
            "{filter}: verified as a full export, it is incomplete"
        );
        let report = verify_partial(&file, keys(&owner).await);
        assert_eq!(report.faults, [], "{filter}: the filtered export verifies");
        assert_eq!(
            report.events + report.omitted,
            report.size + report.newer + report.pending,
            "{filter}: every event is accounted for: {report:?}"
        );
        assert!(
            report.omitted > 0 && report.size >= full.size,
            "{filter}: some events are left out of the full log"
        );
        let altered = file.replacen("Acme 2", "Acme X", 1);
        assert!(
            altered == file
                || fault_kinds(&verify_partial(&altered, keys(&owner).await)).contains(&"altered"),
            "{filter}: a change to an exported event is reported"
        );
    }
}
