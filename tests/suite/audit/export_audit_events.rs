//! Exports of audit events: formats, permissions, and the events that record them.

use postern_domain::id::OrgId;
use postern_tests::{App, Person, Response, on_all, on_both};
use postern_tlog::Note;
use serde_json::json;

use super::{keys, keys_at, record_actions, verify};

on_all![
    exports_are_recorded,
    staff_views_are_recorded,
    exports_by_staff_verify,
    unknown_formats_are_rejected,
];

mod csv_format {
    use super::{
        csv_cells_are_not_formulas, csv_cells_are_not_formulas_between_semicolons,
        csv_opens_in_spreadsheets, on_both,
    };

    on_both![
        csv_cells_are_not_formulas,
        csv_cells_are_not_formulas_between_semicolons,
        csv_opens_in_spreadsheets,
    ];
}

/// Bytes of acme's export in CSV: `Response` would remove the byte order mark.
async fn csv_bytes(owner: &Person<'_>) -> (String, Vec<u8>) {
    let request = owner.request("GET", "/v1/orgs/acme/audit-events/export?format=csv");
    let response = request.send().await.expect("the server responds");
    assert_eq!(response.status(), 200, "the export succeeds");
    let header = |name: &str| response.headers()[name].to_str().expect("text").to_owned();
    assert!(
        header("content-disposition").contains("audit-acme.csv"),
        "the file name contains the org's slug"
    );
    let content_type = header("content-type");
    (content_type, response.bytes().await.expect("the body arrives").to_vec())
}

/// Rows of a CSV file, by column name.
fn rows(table: &[u8]) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::ReaderBuilder::new().from_reader(table);
    reader.deserialize().map(|row| row.expect("each row has a cell for each column")).collect()
}

/// Excel reads a file without a byte order mark in the code page of the computer.
async fn csv_opens_in_spreadsheets(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    owner.patch("/v1/orgs/acme", json!({ "name": "Łódź, \"東京\"" })).await.expect(200);
    t.sequence().await;
    let (content_type, table) = csv_bytes(&owner).await;
    assert_eq!(content_type, "text/csv; charset=utf-8; header=present");
    assert!(
        table.starts_with(b"\xef\xbb\xbfid,occurred_at,"),
        "a byte order mark, then the header"
    );
    let text = std::str::from_utf8(&table).expect("the file is UTF-8");
    assert_eq!(text.matches('\u{feff}').count(), 1, "only the file begins with the mark");
    assert!(text.contains("Łódź, \\\"\"東京"), "characters and quotes are kept: {text}");
    let header = text.split("\r\n").next().expect("a line");
    assert!(header.ends_with(",leaf") && text.ends_with("\r\n"), "lines end with CRLF: {text:?}");
    // The only line breaks within cells are those of the checkpoint.
    let (events, checkpoint) = text.rsplit_once("\r\n\"checkpoint\",").expect("a last row");
    assert!(
        events.lines().count() == events.split("\r\n").count() && checkpoint.starts_with('"'),
        "cells are quoted: {text:?}"
    );
    let last = rows(&table).pop().expect("the table has rows");
    assert_eq!(last["id"], "checkpoint", "the last row is the checkpoint");
    assert!(
        Note::parse(&last["occurred_at"]).is_ok(),
        "the checkpoint row contains a signed note: {last:?}"
    );
}

async fn csv_cells_are_not_formulas(t: &App) {
    const FORMULA: &str = "=HYPERLINK(\"http://x\")";
    let owner = t.sign_in("owner@acme.example").await;
    let rename = owner.request("PATCH", "/v1/orgs/acme").header("user-agent", FORMULA);
    Response::of(rename.json(&json!({ "name": FORMULA })).send().await).await.expect(200);
    t.sequence().await;
    let table = csv_bytes(&owner).await.1;
    let rows = rows(&table);
    let renamed = rows.iter().find(|row| row["action"] == "org.updated").expect("the event");
    assert_eq!(renamed["user_agent"], format!("'{FORMULA}"), "the user agent is not a formula");
    let formula = |cell: &str| cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mut cells = rows.iter().flat_map(|row| row.values());
    assert!(!cells.any(|cell| formula(cell)), "no cell is: {rows:?}");
    assert!(
        ["schema_version", "erased_fields", "log_index", "leaf"]
            .iter()
            .all(|name| renamed.contains_key(*name)),
        "the columns are those of the contract: {renamed:?}"
    );
    assert_eq!(
        i64::try_from(rows.len()).expect("the count fits the type") - 1,
        t.db.count("SELECT count(*) FROM audit_event WHERE org_slug = 'acme'").await,
        "each event of the org has a row"
    );
}

/// Excel separates cells at semicolons where the decimal separator is a comma.
async fn csv_cells_are_not_formulas_between_semicolons(t: &App) {
    const TEXT: &str = "x;=1+cmd|'/c calc'!A0;\"@SUM(A1)\"";
    let owner = t.sign_in("owner@acme.example").await;
    let rename = owner.request("PATCH", "/v1/orgs/acme").header("user-agent", TEXT);
    Response::of(rename.json(&json!({ "name": TEXT })).send().await).await.expect(200);
    t.sequence().await;
    let table = csv_bytes(&owner).await.1;
    let events = table.split(|byte| *byte == b'\r').rev().skip(2).collect::<Vec<_>>();
    for line in events {
        for separator in [b';', b'\t', b'|'] {
            let mut reader = csv::ReaderBuilder::new();
            let mut reader = reader.delimiter(separator).has_headers(false).from_reader(line);
            let cells = reader.records().next().expect("a row").expect("the row is UTF-8");
            assert!(
                !cells.iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r'])),
                "no cell is a formula: {cells:?}"
            );
        }
    }
    let renamed = rows(&table).into_iter().find(|row| row["action"] == "org.updated");
    assert_eq!(
        renamed.expect("the event")["user_agent"],
        "x;'=1+cmd|'/c calc'!A0;'\"@SUM(A1)\"",
        "the other text is unchanged"
    );
}

async fn exports_are_recorded(t: &App) {
    let owner = record_actions(t).await;
    let admin = t.sign_in("admin@acme.example").await;
    admin.get("/v1/orgs/acme/audit-events/export?action=org.*&format=ndjson").await.expect(200);
    let recorded = owner.get("/v1/orgs/acme/audit-events?action=audit.exported").await.expect(200);
    assert_eq!(
        recorded.text("/data/0/actor/email"),
        "admin@acme.example",
        "the export event names the admin"
    );
    assert_eq!(
        recorded.json["data"][0]["metadata"]["format"], "ndjson",
        "the export event has the format"
    );
    assert_eq!(
        recorded.json["data"][0]["metadata"]["filter"],
        json!({ "action": "org.*" }),
        "the export event has the filter"
    );
    let path = "/v1/orgs/acme/audit-events/export?format=csv";
    let member = t.sign_in("member@acme.example").await;
    member.get(path).await.problem(403, "permission_denied");
    let support = t.sign_in("support@postern.example").await;
    let (target, _) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    target.get(path).await.problem(403, "impersonation_blocked");
    assert_eq!(t.recorded("audit.exported").await, 1, "denied exports are not recorded as exports");
}

/// ID of acme.
async fn acme(t: &App) -> OrgId {
    OrgId::new(t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await)
}

/// Staff read their own events or, with the permission, all. Reading those of an org is recorded in
/// its log.
async fn staff_views_are_recorded(t: &App) {
    let path = format!("/v1/admin/audit-events?org={}", acme(t).await);
    let support = t.sign_in("support@postern.example").await;
    support.get("/v1/admin/audit-events/export").await.problem(403, "permission_denied");
    support.get("/v1/admin/audit-events").await.expect(200);
    assert_eq!(t.recorded("audit.viewed").await, 0, "reading own events is not recorded");
    let eng = t.sign_in("eng@postern.example").await;
    eng.get(&path).await.expect(200);
    let owner = t.sign_in("owner@acme.example").await;
    let viewed = owner.get("/v1/orgs/acme/audit-events?action=audit.viewed").await.expect(200);
    assert_eq!(
        viewed.text("/data/0/actor/email"),
        "eng@postern.example",
        "the view event names the staff member"
    );
}

async fn exports_by_staff_verify(t: &App) {
    let owner = record_actions(t).await;
    let eng = t.sign_in("eng@postern.example").await;
    t.sequence().await;
    let path = format!("/v1/admin/audit-events/export?org={}", acme(t).await);
    let file = eng.get(&path).await.expect(200).body;
    assert_eq!(verify(&file, keys(&owner).await, &[]).faults, [], "the export by staff verifies");
    let platform = eng.get("/v1/admin/audit-events/export").await.expect(200).body;
    let keys = keys_at(&eng, "/v1/admin/audit-log/keys").await;
    assert_eq!(verify(&platform, keys, &[]).faults, [], "the export of the platform log verifies");
    assert_eq!(t.recorded("audit.exported").await, 2, "each export is recorded once");
    let nonexistent = "/v1/admin/audit-events/export?org=org_01k7fgpr00e00800000000000g";
    eng.get(nonexistent).await.problem(404, "not_found");
}

async fn unknown_formats_are_rejected(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    for query in ["format=xlsx", "format=CSV", "limit=10", "cursor=x"] {
        let path = format!("/v1/orgs/acme/audit-events/export?{query}");
        let problem = owner.get(&path).await.problem(400, "invalid_query");
        let name = query.split('=').next().expect("the parameter has a name");
        assert_eq!(problem.text("/errors/0/pointer"), format!("/{name}"), "{query} is named");
    }
    assert_eq!(t.recorded("audit.exported").await, 0, "rejected exports are not recorded");
}
