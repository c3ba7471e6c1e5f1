//! Verification of files as customers keep them: saved by editors, mailed, compressed, or confused
//! with other files.

use postern_tests::{App, on_both};

use super::{
    checkpoint, export,
    postern_verify::{assert_result, run_programs, write, write_keys},
    record_actions,
};

on_both![
    line_endings_and_byte_order_marks_do_not_matter,
    other_encodings_and_files_are_named,
    added_fields_are_reported,
];

/// A text as editors and mail programs save it.
fn saved_forms(text: &str) -> [(&'static str, String); 6] {
    let crlf = text.replace('\n', "\r\n");
    [
        ("CRLF", crlf.clone()),
        ("byte order mark", format!("\u{feff}{text}")),
        ("both", format!("\u{feff}{crlf}")),
        ("no last line feed", text.trim_end().to_owned()),
        ("empty lines", format!("{text}\n\r\n  \n")),
        ("spaces at the end of lines", text.replace('\n', " \n")),
    ]
}

async fn line_endings_and_byte_order_marks_do_not_matter(t: &App) {
    let owner = record_actions(t).await;
    write_keys(t, &owner).await;
    let (kept, file) = (checkpoint(&owner).await, export(&owner).await);
    let keys = owner.get("/v1/orgs/acme/audit-log/keys").await.expect(200).body;
    let events = owner.get("/v1/orgs/acme/audit-events?action=org.updated").await.expect(200);
    let id = events.text("/data/0/id");
    let event = owner.get(&format!("/v1/orgs/acme/audit-events/{id}")).await.expect(200).body;
    let proof = owner.get(&format!("/v1/orgs/acme/audit-log/proof?event={id}")).await.expect(200);
    let forms = saved_forms(&kept).into_iter().zip(saved_forms(&keys)).zip(saved_forms(&file));
    let others = saved_forms(&proof.body).into_iter().zip(saved_forms(&event));
    for ((((name, kept), (_, keys)), (_, file)), ((_, proof), (_, event))) in forms.zip(others) {
        for (file, text) in [
            ("kept", kept),
            ("log.keys", keys),
            ("log.ndjson", file),
            ("proof", proof),
            ("event", event),
        ] {
            write(t, file, text);
        }
        let arguments = ["log.ndjson", "--key", "log.keys", "--checkpoint", "kept"];
        let result = run_programs(t, "export", &arguments);
        assert!(result.0 == 0, "{name}: the export is valid: {result:?}");
        let arguments = ["proof", "--event", "event", "--key", "log.keys", "--checkpoint", "kept"];
        let result = run_programs(t, "proof", &arguments);
        assert!(result.0 == 0, "{name}: the proof is valid: {result:?}");
        let arguments = ["kept", "kept", "--key", "log.keys", "--tiles", "."];
        let result = run_programs(t, "consistency", &arguments);
        assert!(result.0 == 0, "{name}: the checkpoints are consistent: {result:?}");
    }
}

async fn other_encodings_and_files_are_named(t: &App) {
    let owner = record_actions(t).await;
    write_keys(t, &owner).await;
    let (kept, file) = (checkpoint(&owner).await, export(&owner).await);
    let utf_16 = |text: &str| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect::<Vec<u8>>()
    };
    let list = "/v1/orgs/acme/audit-events";
    write(t, "kept", &kept);
    write(t, "utf-16.ndjson", utf_16(&file));
    write(t, "utf-16", utf_16(&kept));
    write(t, "mailed", kept.replace('\u{2014}', "--"));
    write(t, "log.csv", owner.get(&format!("{list}/export?format=csv")).await.expect(200).body);
    write(t, "page.json", owner.get(list).await.expect(200).body);
    write(t, "error.json", t.anonymous().get(list).await.expect(401).body);
    write(t, "empty", "");
    let key = ["--key", "log.keys"];
    for (export, expected) in [
        ("utf-16.ndjson", "utf-16.ndjson: the file is UTF-16"),
        ("log.csv", "log.csv: this is a CSV export"),
        ("page.json", "page.json: this is a page of a list (JSON)"),
        ("error.json", "error.json: this is an error response (401)"),
        ("kept", "kept: this is a checkpoint"),
        ("log.keys", "log.keys: this is a list of public keys"),
        ("empty", "empty: the file is empty"),
    ] {
        assert_result(&run_programs(t, "export", &[&[export][..], &key].concat()), 2, expected);
    }
    write(t, "log.ndjson", &file);
    for (checkpoint, expected) in [
        ("utf-16", "utf-16: the file is UTF-16"),
        ("mailed", "does not begin with an em dash"),
        ("log.ndjson", "log.ndjson: this is an event or an export"),
    ] {
        let arguments = [&["log.ndjson", "--checkpoint", checkpoint][..], &key].concat();
        assert_result(&run_programs(t, "export", &arguments), 2, expected);
    }
    let wrong_key = run_programs(t, "export", &["log.ndjson", "--key", "kept"]);
    assert_result(&wrong_key, 2, "kept: this is a checkpoint. Pass the public keys of the log");
}

/// Fields that a reader sees, but that no log entry covers.
async fn added_fields_are_reported(t: &App) {
    let owner = record_actions(t).await;
    write_keys(t, &owner).await;
    let file = export(&owner).await;
    for (original, replacement, code, expected) in [
        ("\"reason\":", "\"second_reason\":\"by order\",\"reason\":", 1, "second_reason"),
        ("\"slug\":", "\"name\":\"Other\",\"slug\":", 1, "org.name"),
        ("\"reason\":", "\"reason\":\"forged\",\"reason\":", 1, "duplicate field `reason`"),
        ("\"metadata\":{\"name\":", "\"metadata\":{\"name\":1,\"name\":", 1, "duplicate field"),
        ("{\"end\":{", "{\"end\":{\"certified_by\":\"X\",", 3, "certified_by"),
    ] {
        assert!(file.contains(original), "the export contains {original}");
        write(t, "forged.ndjson", file.replacen(original, replacement, 1));
        let result = run_programs(t, "export", &["forged.ndjson", "--key", "log.keys"]);
        assert_result(&result, code, expected);
    }
}
