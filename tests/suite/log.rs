//! The transparency log: proofs, tiles, exports and offline verification.

use std::{fs, path::Path};

use postern_domain::{
    entry::CanonicalEvent,
    verify::{ExportVerifier, Report},
};
use postern_tests::{Answer, App, Backend, Person, on_all, on_both};
use postern_tlog::{
    Bundle, Checkpoint, Frontier, Hash, Note, ProofFile, Verifier, verify_inclusion,
};
use serde_json::{Value, json};

use crate::process::{postern_with, said};

mod everywhere {
    use super::{
        concurrent_sequencers_add_each_event_once, every_event_has_a_proof,
        exports_and_views_are_recorded, on_all,
    };

    on_all![
        every_event_has_a_proof,
        concurrent_sequencers_add_each_event_once,
        exports_and_views_are_recorded
    ];
}

on_both![
    full_export_is_verified_offline,
    filtered_export_is_verified_offline,
    csv_cells_are_not_formulas,
    tiles_and_entries_match_the_checkpoint,
    audit_verify_command_reports_faults,
];

/// Makes changes in acme, some of them under impersonation, and adds them to the log. Returns
/// acme's owner.
pub async fn acts(t: &App) -> Person<'_> {
    let owner = t.sign_in("owner@acme.example").await;
    for n in 0..4 {
        owner.patch("/v1/orgs/acme", json!({ "name": format!("Acme {n}") })).await.expect(200);
        t.sequence().await;
    }
    let member = t.member_id("acme", "viewer@acme.example").await;
    owner
        .patch(&format!("/v1/orgs/acme/members/{member}"), json!({ "role": "member" }))
        .await
        .expect(200);
    let support = t.sign_in("support@postern.example").await;
    let (target, _) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    target.patch("/v1/orgs/acme", json!({ "name": "Acme by support" })).await.expect(200);
    t.sequence().await;
    owner
}

/// GET with this `Accept` header.
pub async fn download(who: &Person<'_>, path: &str, accept: &str) -> Answer {
    Answer::of(who.request("GET", path).header("accept", accept).send().await).await
}

/// NDJSON export of acme's whole log.
pub async fn export(who: &Person<'_>) -> String {
    download(who, "/v1/orgs/acme/audit-events", "application/x-ndjson").await.expect(200).body
}

/// Public keys of acme's log.
pub async fn keys(who: &Person<'_>) -> Vec<Verifier> {
    let keys = who.get("/v1/orgs/acme/audit-log/keys").await.expect(200).body;
    keys.lines().map(|line| Verifier::parse(line).expect("the key is valid")).collect()
}

/// Current signed checkpoint of acme's log.
pub async fn checkpoint(who: &Person<'_>) -> String {
    who.get("/v1/orgs/acme/audit-log/checkpoint").await.expect(200).body
}

/// Verifies a full export. `kept` are checkpoints that were stored earlier.
pub fn judged(export: &str, keys: Vec<Verifier>, kept: &[String]) -> Report {
    check_export(ExportVerifier::new(keys, kept.to_vec()), export)
}

/// Verifies a filtered export.
pub fn judged_as_part(export: &str, keys: Vec<Verifier>) -> Report {
    check_export(ExportVerifier::new(keys, Vec::new()).of_a_part(), export)
}

fn check_export(mut verifier: ExportVerifier, export: &str) -> Report {
    export.lines().for_each(|line| verifier.line(line.to_owned()));
    verifier.finish()
}

/// The kind of each fault.
pub fn kinds(report: &Report) -> Vec<&str> {
    report.faults.iter().map(|fault| fault.kind).collect()
}

async fn every_event_has_a_proof(t: &App) {
    let owner = acts(t).await;
    let note = checkpoint(&owner).await;
    let signed = Note::parse(&note).expect("the note is valid");
    for key in keys(&owner).await {
        signed.verify(&key).expect("the signature is valid");
    }
    let tree = Checkpoint::of(&signed).expect("the checkpoint is valid");
    let acme = t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await;
    assert_eq!(
        tree.origin,
        format!("postern.example/{}", postern_domain::id::OrgId::new(acme)),
        "the origin of the log names the org"
    );
    let events = owner.get("/v1/orgs/acme/audit-events?limit=100").await.expect(200).json;
    let events = events["data"].as_array().expect("data is an array");
    assert_eq!(events.len() as u64, tree.size, "the log contains each event of the org");
    for event in events {
        let id = event["id"].as_str().expect("id is a string");
        let whole = owner.get(&format!("/v1/orgs/acme/audit-events/{id}")).await.expect(200);
        let recorded = CanonicalEvent::parse(&whole.body).expect("the event is valid");
        let opening = recorded.opening.as_ref().expect("the event has proof data");
        let leaf = recorded.leaf(&opening.openings().expect("the salts are valid"));
        assert_eq!(
            opening.leaf,
            Some(leaf.to_base64()),
            "the leaf hash can be computed from the event: {}",
            whole.body
        );
        let proof =
            owner.get(&format!("/v1/orgs/acme/audit-log/proof?event={id}")).await.expect(200);
        assert_eq!(
            proof.header("content-type"),
            "text/plain; charset=utf-8",
            "proofs are plain text"
        );
        let proof = ProofFile::parse(&proof.body).expect("the proof is valid");
        assert_eq!(proof.checkpoint, note, "the proof contains the current checkpoint");
        assert_eq!(
            event["log"],
            json!({ "origin": tree.origin, "index": proof.index }),
            "the event names its position in the log"
        );
        verify_inclusion(leaf, proof.index, tree.size, &proof.hashes, tree.root)
            .expect("the proof verifies");
    }
    // A new event is pending until the sequencer runs.
    owner.patch("/v1/orgs/acme", json!({ "name": "Acme again" })).await.expect(200);
    let newest = owner.get("/v1/orgs/acme/audit-events?limit=1").await.expect(200);
    assert_eq!(newest.json["data"][0]["log"], Value::Null, "a pending event has no position");
    let id = newest.text("/data/0/id");
    owner.get(&format!("/v1/orgs/acme/audit-log/proof?event={id}")).await.problem(404, "not_found");
    let pending = owner.get(&format!("/v1/orgs/acme/audit-events/{id}")).await.expect(200);
    assert_eq!(pending.json["opening"]["pending"], true, "the event is marked as pending");
    // The platform log works the same way.
    let eng = t.sign_in("eng@postern.example").await;
    t.sequence().await;
    let note = eng.get("/v1/admin/audit-log/checkpoint").await.expect(200).body;
    assert!(
        note.starts_with("postern.example/platform\n"),
        "the checkpoint has the origin of the platform log: {note}"
    );
    let event = eng
        .get("/v1/admin/audit-events?action=auth.login_succeeded&limit=1")
        .await
        .expect(200)
        .text("/data/0/id");
    let proof = eng.get(&format!("/v1/admin/audit-log/proof?event={event}")).await.expect(200);
    assert!(ProofFile::parse(&proof.body).is_ok(), "the platform log has proofs: {}", proof.body);
}

async fn tiles_and_entries_match_the_checkpoint(t: &App) {
    let owner = acts(t).await;
    let tree = Checkpoint::of(&Note::parse(&checkpoint(&owner).await).expect("the note is valid"))
        .expect("the checkpoint is valid");
    let path = format!("/v1/orgs/acme/audit-log/tile/0/000.p/{}", tree.size);
    let bytes = |path: String| {
        let request = owner.request("GET", &path);
        async move {
            request
                .send()
                .await
                .expect("the server responds")
                .bytes()
                .await
                .expect("the body arrives")
                .to_vec()
        }
    };
    let mut whole = Frontier::default();
    let hashes: Vec<Hash> = bytes(path.clone())
        .await
        .chunks(32)
        .map(|hash| Hash(hash.try_into().expect("a hash has 32 bytes")))
        .collect();
    for hash in &hashes {
        whole.append(*hash);
    }
    assert_eq!(
        (whole.size(), whole.root()),
        (tree.size, tree.root),
        "the hashes of the tile give the root of the checkpoint"
    );
    assert_eq!(
        bytes(path.replace("000.p/", "000.p%2F")).await.len() as u64,
        32 * tree.size,
        "escaped slashes in the path are accepted"
    );
    let packed = bytes(format!("/v1/orgs/acme/audit-log/tile/entries/000.p/{}", tree.size)).await;
    let entries = Bundle::unpack(&packed).expect("the bundle is valid");
    assert_eq!(
        entries.iter().map(|entry| Hash::of_leaf(entry)).collect::<Vec<_>>(),
        hashes,
        "the hashes of the entries equal those of the tile"
    );
    assert!(
        entries.iter().all(|entry| !String::from_utf8_lossy(entry).contains("acme.example")),
        "entries contain no personal data"
    );
    let beyond = tree.size + 1;
    for missing in [
        format!("0/000.p/{beyond}"),
        "0/000".to_owned(),
        "0/001".to_owned(),
        "1/000.p/1".to_owned(),
        "9/000".to_owned(),
        "0/0".to_owned(),
        "0/000.p/256".to_owned(),
        "0/x001".to_owned(),
        format!("entries/000.p/{beyond}"),
        "entries/001".to_owned(),
        "-1/000".to_owned(),
        "0/x999/x999/x999/x999/x999/x999/999".to_owned(),
        "entries/x999/x999/x999/x999/x999/x999/999".to_owned(),
    ] {
        owner
            .get(&format!("/v1/orgs/acme/audit-log/tile/{missing}"))
            .await
            .problem(404, "not_found");
    }
    // A 404 for a tile or proof that does not exist yet is not recorded as a denial.
    owner.patch("/v1/orgs/acme", json!({ "name": "Acme again" })).await.expect(200);
    let pending =
        owner.get("/v1/orgs/acme/audit-events?limit=1").await.expect(200).text("/data/0/id");
    owner
        .get(&format!("/v1/orgs/acme/audit-log/proof?event={pending}"))
        .await
        .problem(404, "not_found");
    assert_eq!(t.recorded("permission.denied").await, 0, "no denial is recorded");
    // A 404 for an event that does not exist is recorded as a denial.
    for denied in [
        "audit-events/evt_01k7fgpr00e00800000000000g",
        "audit-log/proof?event=evt_01k7fgpr00e00800000000000g",
    ] {
        owner.get(&format!("/v1/orgs/acme/{denied}")).await.problem(404, "not_found");
    }
    assert_eq!(t.recorded("permission.denied").await, 2, "both denials are recorded");
}

async fn full_export_is_verified_offline(t: &App) {
    let owner = acts(t).await;
    let kept = checkpoint(&owner).await;
    let file = export(&owner).await;
    let report = judged(&file, keys(&owner).await, std::slice::from_ref(&kept));
    assert_eq!(report.faults, [], "the export verifies");
    assert_eq!(
        report.events,
        report.size + report.newer + report.waiting,
        "every event is accounted for"
    );
    assert!(
        report.size >= 9 && report.left_out == 0 && report.retired == 0,
        "the export is complete: {report:?}"
    );
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
            kinds(&judged(&without, keys(&owner).await, &[])),
            Vec::<&str>::new(),
            "a fault is found without {line}"
        );
    }
    let other_keys: Vec<Verifier> = {
        let globex = t.sign_in("owner@globex.example").await;
        let keys = globex.get("/v1/orgs/globex/audit-log/keys").await.expect(200).body;
        keys.lines().map(|line| Verifier::parse(line).expect("the key is valid")).collect()
    };
    assert!(
        kinds(&judged(&file, other_keys, &[])).contains(&"checkpoint"),
        "the key of another log does not verify the checkpoint"
    );
    for (text, replacement, kind) in [
        ("Acme 2", "Acme 3", "altered"),
        ("viewer@acme", "former@acme", "altered"),
        ("\"outcome\":\"succeeded\"", "\"outcome\":\"denied\"", "altered"),
        ("\"index\":3", "\"index\":2", "duplicate"),
    ] {
        assert!(file.contains(text), "the export contains {text}");
        let report = judged(&file.replacen(text, replacement, 1), keys(&owner).await, &[]);
        assert!(kinds(&report).contains(&kind), "replacing {text} is reported: {report:?}");
    }
    // A later export is consistent with the kept checkpoint.
    owner.patch("/v1/orgs/acme", json!({ "name": "Later" })).await.expect(200);
    t.sequence().await;
    let report = judged(&export(&owner).await, keys(&owner).await, &[kept]);
    assert_eq!(report.faults, [], "the later export verifies against the kept checkpoint");
}

async fn filtered_export_is_verified_offline(t: &App) {
    let owner = acts(t).await;
    let full = judged(&export(&owner).await, keys(&owner).await, &[]);
    for filter in [
        "action=org.updated",
        "actor=support@postern.example",
        "q=Acme 2",
        "outcome=denied",
        "to=2026-01-01T00:00:00Z",
    ] {
        let file = download(
            &owner,
            &format!("/v1/orgs/acme/audit-events?{filter}"),
            "application/x-ndjson",
        )
        .await
        .expect(200)
        .body;
        assert_eq!(
            kinds(&judged(&file, keys(&owner).await, &[])),
            ["incomplete"],
            "{filter}: verified as a full export, it is incomplete"
        );
        let report = judged_as_part(&file, keys(&owner).await);
        assert_eq!(report.faults, [], "{filter}: the filtered export verifies");
        assert_eq!(
            report.events + report.left_out,
            report.size + report.newer + report.waiting,
            "{filter}: every event is accounted for: {report:?}"
        );
        assert!(
            report.left_out > 0 && report.size >= full.size,
            "{filter}: some events are left out of the full log"
        );
        let altered = file.replacen("Acme 2", "Acme X", 1);
        assert!(
            altered == file
                || kinds(&judged_as_part(&altered, keys(&owner).await)).contains(&"altered"),
            "{filter}: a change to an exported event is reported"
        );
    }
}

async fn csv_cells_are_not_formulas(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    owner.patch("/v1/orgs/acme", json!({ "name": "=HYPERLINK(\"http://x\")" })).await.expect(200);
    t.sequence().await;
    let table = download(&owner, "/v1/orgs/acme/audit-events", "text/csv").await.expect(200);
    assert!(
        table.header("content-disposition").contains("audit-acme.csv"),
        "the file name contains the org's slug"
    );
    let mut rows = csv::ReaderBuilder::new().from_reader(table.body.as_bytes());
    assert_eq!(
        rows.headers().expect("the table has a header").get(0),
        Some("id"),
        "the first column is the id"
    );
    let header = rows.headers().expect("the table has a header").clone();
    assert!(
        ["schema_version", "erased_fields", "log_index", "leaf"]
            .iter()
            .all(|name| header.iter().any(|column| column == *name)),
        "the header has the columns needed for verification: {header:?}"
    );
    let rows: Vec<csv::StringRecord> =
        rows.records().map(|row| row.expect("each row has as many cells as the header")).collect();
    let formula = |cell: &str| cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    assert!(
        !rows.iter().flat_map(|row| row.iter()).any(formula),
        "no cell starts like a formula: {}",
        table.body
    );
    let last = rows.last().expect("the table has rows");
    assert_eq!(last.get(0), Some("checkpoint"), "the last row is the checkpoint");
    assert!(
        Note::parse(last.get(1).expect("the note is valid")).is_ok(),
        "the checkpoint row contains a signed note: {last:?}"
    );
    assert_eq!(
        i64::try_from(rows.len()).expect("the count fits the type") - 1,
        t.db.count("SELECT count(*) FROM audit_event WHERE org_slug = 'acme'").await,
        "each event of the org has a row"
    );
}

async fn concurrent_sequencers_add_each_event_once(t: &App) {
    let owner = t.sign_in("owner@acme.example").await;
    let globex = t.sign_in("owner@globex.example").await;
    let mut stores = Vec::new();
    for _ in 0..4 {
        stores
            .push(t.state.store.separate_pool(&t.db.options()).await.expect("the database opens"));
    }
    for round in 0..5 {
        for n in 0..4 {
            owner
                .patch("/v1/orgs/acme", json!({ "name": format!("Acme {round} {n}") }))
                .await
                .expect(200);
            globex
                .patch("/v1/orgs/globex", json!({ "name": format!("Globex {round} {n}") }))
                .await
                .expect(200);
        }
        let runs = stores.iter().map(|store| async {
            let mut sequencer =
                postern_persistence::sequencer::Sequencer::new(std::sync::Arc::clone(store));
            sequencer
                .run_batch(&t.context())
                .await
                .expect("the sequencer runs")
                .map_or(0, |batch| batch.events)
        });
        let sequenced: u64 = futures_util::future::join_all(runs).await.iter().sum();
        assert_eq!(
            sequenced + t.sequence().await.iter().map(|batch| batch.events).sum::<u64>(),
            if round == 0 { 8 + waiting_before(t).await } else { 8 },
            "round {round}: each event is sequenced once"
        );
    }
    let gaps = "SELECT count(*) FROM (SELECT org_id FROM audit_leaf GROUP BY org_id HAVING \
                max(leaf_index) + 1 <> count(*)) AS gaps";
    assert_eq!(t.db.count(gaps).await, 0, "the indexes of each log have no gaps");
    assert_eq!(
        judged(&export(&owner).await, keys(&owner).await, &[]).faults,
        [],
        "the log verifies"
    );
    if t.backend != Backend::Sqlite {
        for store in stores {
            store.close().await;
        }
    }
}

/// Number of events that were pending before the test's changes: demo accounts and sign-ins.
async fn waiting_before(t: &App) -> u64 {
    let sql = "SELECT count(*) FROM audit_event WHERE action <> 'org.updated'";
    u64::try_from(t.db.count(sql).await).expect("the count fits the type")
}

async fn exports_and_views_are_recorded(t: &App) {
    let owner = acts(t).await;
    let admin = t.sign_in("admin@acme.example").await;
    download(&admin, "/v1/orgs/acme/audit-events?action=org.*", "application/x-ndjson")
        .await
        .expect(200);
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
    let member = t.sign_in("member@acme.example").await;
    download(&member, "/v1/orgs/acme/audit-events", "text/csv")
        .await
        .problem(403, "permission_denied");
    let support = t.sign_in("support@postern.example").await;
    let (target, _) = t.impersonate(&support, "owner@acme.example", "acme", "full").await;
    download(&target, "/v1/orgs/acme/audit-events", "application/x-ndjson")
        .await
        .problem(403, "impersonation_blocked");
    assert_eq!(t.recorded("audit.exported").await, 1, "denied exports are not recorded as exports");
    // Staff read their own events or, with the permission, all; reading another org's is recorded.
    let id = postern_domain::id::OrgId::new(
        t.db.uuid("SELECT id FROM organization WHERE slug = 'acme'").await,
    );
    let path = format!("/v1/admin/audit-events?org={id}");
    download(&support, &path, "application/x-ndjson").await.problem(403, "permission_denied");
    support.get("/v1/admin/audit-events").await.expect(200);
    assert_eq!(t.recorded("audit.viewed").await, 0, "reading own events is not recorded");
    let eng = t.sign_in("eng@postern.example").await;
    eng.get(&path).await.expect(200);
    let viewed = owner.get("/v1/orgs/acme/audit-events?action=audit.viewed").await.expect(200);
    assert_eq!(
        viewed.text("/data/0/actor/email"),
        "eng@postern.example",
        "the view event names the staff member"
    );
    t.sequence().await;
    let file = download(&eng, &path, "application/x-ndjson").await.expect(200).body;
    assert_eq!(judged(&file, keys(&owner).await, &[]).faults, [], "the export by staff verifies");
    let platform =
        download(&eng, "/v1/admin/audit-events", "application/x-ndjson").await.expect(200).body;
    let key = eng.get("/v1/admin/audit-log/keys").await.expect(200).body;
    let key = key.lines().map(|line| Verifier::parse(line).expect("the key is valid")).collect();
    assert_eq!(judged(&platform, key, &[]).faults, [], "the export of the platform log verifies");
    assert_eq!(t.recorded("audit.exported").await, 3, "each export is recorded once");
    let nonexistent = "/v1/admin/audit-events?org=org_01k7fgpr00e00800000000000g";
    download(&eng, nonexistent, "application/x-ndjson").await.problem(404, "not_found");
}

async fn audit_verify_command_reports_faults(t: &App) {
    let owner = acts(t).await;
    let folder = t.folder.path();
    let write =
        |name: &str, text: &str| fs::write(folder.join(name), text).expect("the file is written");
    write("log.ndjson", &export(&owner).await);
    write("log.keys", &owner.get("/v1/orgs/acme/audit-log/keys").await.expect(200).body);
    write("kept", &checkpoint(&owner).await);
    let run = |arguments: &[&str]| verify(folder, arguments);
    let intact = run(&["log.ndjson", "--key", "log.keys", "--checkpoint", "kept"]);
    assert!(
        intact.0 == 0 && intact.1.contains("valid: every event"),
        "the unchanged export verifies: {intact:?}"
    );
    write("altered.ndjson", &export(&owner).await.replacen("Acme 2", "Acme 3", 1));
    let altered = run(&["altered.ndjson", "--key", "log.keys"]);
    assert!(
        altered.0 == 1 && altered.1.contains("[altered] event evt_"),
        "the command exits with status 1 and names the event: {altered:?}"
    );
    let report: Value = serde_json::from_str(
        run(&["altered.ndjson", "--key", "log.keys", "--json"])
            .1
            .lines()
            .next()
            .expect("the output has a line"),
    )
    .expect("the text is valid JSON");
    assert_eq!(
        (&report["sound"], &report["faults"][0]["kind"]),
        (&json!(false), &json!("altered")),
        "the JSON report has the fault"
    );
    for invalid in [
        &["missing.ndjson", "--key", "log.keys"][..],
        &["log.ndjson", "--key", "missing.keys"],
        &["log.ndjson"],
        &["--key", "log.keys"],
    ] {
        assert_eq!(run(invalid).0, 2, "{invalid:?} exits with status 2");
    }
    let token = owner.token.clone().expect("the caller is signed in");
    let address = t.address.clone();
    let working_dir = folder.to_owned();
    let (status, output) = tokio::task::spawn_blocking(move || {
        let arguments = [
            "audit",
            "verify",
            "--server",
            &address,
            "--org",
            "acme",
            "--key",
            "log.keys",
            "--checkpoint",
            "kept",
        ];
        let output = postern_with(&working_dir, &arguments, &[("POSTERN_TOKEN", &token)]);
        (output.status.code(), said(&output))
    })
    .await
    .expect("the task completes");
    assert_eq!(status, Some(0), "the log on the server verifies: {output}");
}

fn verify(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = postern_with(folder, &[&["audit", "verify"], arguments].concat(), &[]);
    (output.status.code().expect("the command exits"), said(&output))
}
