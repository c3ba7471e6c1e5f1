//! Callers with permission succeed, and exactly the declared events are recorded.

use postern_domain::operation::{Operation, Records};
use postern_tests::{App, Person, on_both};

use super::{callers, operations, request};

on_both![callers_with_permission_succeed];

async fn callers_with_permission_succeed(t: &App) {
    for row in operations() {
        for caller in callers(row, true) {
            if !changes_state(row) {
                succeeds(t, row, &t.sign_in(&caller).await).await;
                continue;
            }
            // Operations that change state run on a new server and database each.
            let fresh = App::start(t.backend, |_| {}).await;
            let caller = fresh.sign_in(&caller).await;
            succeeds(&fresh, row, &caller).await;
            fresh.finish().await;
        }
    }
}

const fn changes_state(row: &Operation) -> bool {
    matches!(row.records, Records::Always(_) | Records::OnAnomaly(_))
}

async fn succeeds(t: &App, row: &Operation, caller: &Person<'_>) {
    let (method, path, body) = request(t, row, "acme").await;
    let path = match row.id {
        "revoke_my_session" => {
            let session = caller.get("/v1/me/sessions").await.expect(200).text("/data/0/id");
            format!("/v1/me/sessions/{session}")
        }
        "end_impersonation" | "read_impersonation" => {
            let (_, started) =
                t.impersonate(caller, "member@acme.example", "acme", "read_only").await;
            let id = started["impersonation"]["id"].as_str().expect("id is a string");
            format!("/v1/admin/impersonations/{id}")
        }
        _ => path,
    };
    let before = actions(t).await;
    let response = caller.send(method, &path, body).await;
    assert!(response.status < 300, "{} succeeds: {}", row.id, response.body);
    let recorded: Vec<String> = actions(t).await.split_off(before.len());
    let declared: Vec<&str> = match row.records {
        // Recorded only if the request reads beyond the caller's own data.
        Records::InOwnTx(actions) if !recorded.is_empty() => {
            actions.iter().map(|action| action.name()).collect()
        }
        Records::Always(actions) => actions.iter().map(|action| action.name()).collect(),
        Records::Nothing | Records::InOwnTx(_) | Records::OnAnomaly(_) => Vec::new(),
    };
    assert_eq!(
        recorded.len(),
        usize::from(!declared.is_empty()),
        "{} records one event if it declares any: {recorded:?}",
        row.id
    );
    assert!(
        recorded.iter().all(|action| declared.contains(&action.as_str())),
        "{} records only the declared {declared:?}, not {recorded:?}",
        row.id
    );
}

/// Actions of all events, oldest first.
async fn actions(t: &App) -> Vec<String> {
    t.db.texts("SELECT action FROM audit_event ORDER BY id").await
}
