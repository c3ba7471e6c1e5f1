//! Erasure: removes one person's data from the audit log. The log can still be verified.

use postern_app::cli::ERASE;
use postern_domain::{justification::Reason, user::UserKey};
use postern_persistence::maintenance::{AuditMaintenance, Erasure};
use postern_tests::{App, Backend, Person, on_both};
use serde_json::json;

use super::{checkpoint, export, fault_kinds, keys, record_actions, run_postern, verify};

on_both![
    erasure_removes_personal_data,
    log_verifies_after_erasure,
    erasure_is_recorded_without_personal_data,
    erasure_covers_start_and_end_of_impersonations,
    legal_hold_blocks_erasure,
];

/// Records events with data of `viewer@acme.example` in the logs of acme and of the platform.
/// Returns acme's owner.
async fn record_actions_of_viewer(t: &App) -> Person<'_> {
    t.skip_invariants();
    let owner = record_actions(t).await;
    let member = t.member_id("acme", "viewer@acme.example").await;
    owner.delete(&format!("/v1/orgs/acme/members/{member}")).await.expect(204);
    t.log_in("viewer@acme.example", "not the password").await.problem(401, "invalid_credentials");
    t.sequence().await;
    owner
}

/// Erases the data of a user. Returns the number of changed events, or none if no user has the
/// address.
async fn erase(t: &App, email: &str) -> Option<u64> {
    erasure(t, email).await.map(|report| report.events)
}

async fn erasure(t: &App, email: &str) -> Option<Erasure> {
    let maintenance = AuditMaintenance::connect(&t.db.options()).await.expect("the database opens");
    let reason =
        Reason::try_from("asked for by themselves".to_owned()).expect("the reason is valid");
    let report = maintenance
        .erase(&UserKey::Email(email.to_owned()), &reason, &ERASE, &t.context())
        .await
        .expect("the erasure runs");
    if t.backend != Backend::Sqlite {
        maintenance.close().await;
    }
    report
}

async fn erasure_removes_personal_data(t: &App) {
    let owner = record_actions_of_viewer(t).await;
    assert!(
        export(&owner).await.contains("viewer@acme.example"),
        "the export contains the address before the erasure"
    );
    assert_eq!(erase(t, "unknown@acme.example").await, None, "an unknown address is not found");
    let events = erase(t, "viewer@acme.example").await.expect("the user exists");
    assert!(events >= 3, "at least 3 events contain personal data of the user, not {events}");
    assert_eq!(
        erase(t, "viewer@acme.example").await,
        Some(0),
        "a second erasure changes no events"
    );
    t.sequence().await;
    let file = export(&owner).await;
    assert!(
        !file.contains("viewer@acme.example") && !file.contains("Vera"),
        "the export contains neither address nor name: {file}"
    );
    let occurrences = "SELECT count(*) FROM audit_event WHERE actor_email = 'viewer@acme.example' \
        OR target_label LIKE '%viewer@acme%' OR summary LIKE '%viewer@acme%'";
    assert_eq!(t.db.count(occurrences).await, 0, "no event contains the address");
}

async fn log_verifies_after_erasure(t: &App) {
    let owner = record_actions_of_viewer(t).await;
    let stored = checkpoint(&owner).await;
    erase(t, "viewer@acme.example").await.expect("the user exists");
    t.sequence().await;
    let file = export(&owner).await;
    let report = verify(&file, keys(&owner).await, &[stored]);
    assert_eq!(report.faults, [], "the remaining log verifies");
    assert!(report.erased.len() >= 2, "the report lists the erased events: {report:?}");
    let removed = owner.get("/v1/orgs/acme/audit-events?action=user.removed").await.expect(200);
    assert_eq!(
        removed.json["data"][0]["actor"]["email"], "owner@acme.example",
        "fields of other users are unchanged"
    );
    assert_eq!(
        removed.text("/data/0/target/label"),
        "(erased)",
        "the label of the target is erased"
    );
    let erased_fields =
        removed.json["data"][0]["erased_fields"].as_array().expect("erased_fields is an array");
    assert!(
        erased_fields.contains(&json!("target"))
            && erased_fields.contains(&json!("summary"))
            && !erased_fields.contains(&json!("actor")),
        "target and summary are erased, the actor is not: {erased_fields:?}"
    );
    // An erasure does not hide changes to the fields of other users.
    let altered = file.replacen("owner@acme.example", "other@acme.example", 1);
    assert!(
        fault_kinds(&verify(&altered, keys(&owner).await, &[])).contains(&"altered"),
        "a changed actor is reported"
    );
}

async fn erasure_is_recorded_without_personal_data(t: &App) {
    record_actions_of_viewer(t).await;
    let events = erase(t, "viewer@acme.example").await.expect("the user exists");
    let eng = t.sign_in("eng@postern.example").await;
    let recorded = eng.get("/v1/admin/audit-events?action=privacy.erased").await.expect(200);
    let counts = recorded.json["data"]
        .as_array()
        .expect("data is an array")
        .iter()
        .map(|event| event["metadata"]["events"].as_u64().expect("events is a number"));
    assert_eq!(
        counts.sum::<u64>(),
        events,
        "the counts of all logs add up to the total: {}",
        recorded.body
    );
    assert!(
        !recorded.body.contains("viewer@acme.example"),
        "the erasure event does not contain the address"
    );
}

async fn erasure_covers_start_and_end_of_impersonations(t: &App) {
    let support = t.sign_in("support@postern.example").await;
    let (_, started) = t.impersonate(&support, "viewer@acme.example", "acme", "full").await;
    let id = started["impersonation"]["id"].as_str().expect("id is a string");
    support.delete(&format!("/v1/admin/impersonations/{id}")).await.expect(204);
    t.sequence().await;
    erase(t, "viewer@acme.example").await.expect("the user exists");
    t.sequence().await;
    let owner = t.sign_in("owner@acme.example").await;
    let path = format!("/v1/orgs/acme/audit-events?impersonation={id}");
    let events = owner.get(&path).await.expect(200).json;
    let events = events["data"].as_array().expect("data is an array");
    assert_eq!(events.len(), 2, "the start and the end are found by id: {events:?}");
    for event in events {
        let text = event.to_string();
        assert!(!text.contains("viewer@") && !text.contains("Vera"), "nothing is left: {text}");
        assert_eq!(event["actor"]["email"], "support@postern.example", "the actor is kept");
        assert_eq!(event["on_behalf_of"]["email"], json!(null), "the address is erased");
    }
    let file = export(&owner).await;
    assert_eq!(verify(&file, keys(&owner).await, &[]).faults, [], "the log verifies");
}

async fn legal_hold_blocks_erasure(t: &App) {
    record_actions_of_viewer(t).await;
    let arguments = ["retention", "hold", "acme", "--reason", "asked for by their lawyers"];
    let (is_set, output) = run_postern(t, &arguments).await;
    assert!(is_set, "the hold is set: {output}");
    let mentions = |log: &str| {
        format!(
            "SELECT count(*) FROM audit_event WHERE org_slug {log} AND (actor_email = \
             'viewer@acme.example' OR target_label LIKE '%viewer@acme%')"
        )
    };
    let before = t.db.count(&mentions("= 'acme'")).await;
    assert!(before > 0, "events of acme contain the address");
    let report = erasure(t, "viewer@acme.example").await.expect("the user exists");
    let held: Vec<&str> = report.held.iter().map(|org| org.slug.as_str()).collect();
    assert_eq!(held, ["acme"], "the report names the org under legal hold");
    assert_eq!(t.db.count(&mentions("= 'acme'")).await, before, "its events are unchanged");
    assert_eq!(t.db.count(&mentions("IS NULL")).await, 0, "others are erased");
}
