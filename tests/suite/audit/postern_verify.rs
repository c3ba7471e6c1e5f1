//! `postern-verify`, the binary that auditors build, with data of a running server.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
    process::Command,
};

use postern_tests::{App, Person, on_both};
use postern_tlog::{Checkpoint, Frontier, Hash, Note, consistency};
use serde_json::{Value, json};

use super::{checkpoint, export, leaf_tile, record_actions};
use crate::cli::{binary_named, output_text, postern_with};

on_both![exports_are_verified, proofs_are_verified, checkpoints_are_verified];

const LOG: &str = "/v1/orgs/acme/audit-log";

/// Runs `postern-verify`. Returns its exit code and output.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(binary_named("postern-verify"));
    let output = command.args(arguments).current_dir(folder).output().expect("the command runs");
    (output.status.code().expect("the command exits"), output_text(&output))
}

/// Runs a command of `postern audit`.
fn run_postern(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = postern_with(folder, &[&["audit"], arguments].concat(), &[]);
    (output.status.code().expect("the command exits"), output_text(&output))
}

pub fn write(t: &App, name: &str, content: impl AsRef<[u8]>) {
    let file = t.folder.path().join(name);
    fs::create_dir_all(file.parent().expect("the file is in a directory"))
        .expect("the directory is created");
    fs::write(file, content).expect("the file is written");
}

/// Writes the keys of acme's log, and those of another log.
pub async fn write_keys(t: &App, owner: &Person<'_>) {
    write(t, "log.keys", owner.get(&format!("{LOG}/keys")).await.expect(200).body);
    let globex = t.sign_in("owner@globex.example").await;
    let keys = globex.get("/v1/orgs/globex/audit-log/keys").await.expect(200).body;
    write(t, "other.keys", keys);
}

/// Runs a command of `postern-verify` and the same command of `postern audit`, which must agree.
/// Returns their exit code and output.
pub fn run_programs(t: &App, command: &str, arguments: &[&str]) -> (i32, String) {
    let by_postern = match command {
        "export" => "verify",
        "proof" => "verify-proof",
        _ => "verify-consistency",
    };
    let folder = t.folder.path();
    let result = run(folder, &[&[command], arguments].concat());
    let other = run_postern(folder, &[&[by_postern], arguments].concat());
    // Arguments that `clap` rejects are printed with the name of the command.
    let is_same = other.0 == result.0
        && (other.1.contains("Usage: ")
            || other.1 == result.1.replacen("postern-verify: ", "postern: ", 1));
    assert!(is_same, "{command} {arguments:?}: the programs agree: {result:?}, {other:?}");
    result
}

pub fn assert_result(result: &(i32, String), code: i32, text: &str) {
    assert!(
        result.0 == code && result.1.contains(text),
        "the command prints {text:?} and exits with {code}: {result:?}"
    );
}

async fn exports_are_verified(t: &App) {
    let owner = record_actions(t).await;
    write_keys(t, &owner).await;
    write(t, "stored", checkpoint(&owner).await);
    let file = export(&owner).await;
    write(t, "log.ndjson", &file);
    write(t, "altered.ndjson", file.replacen("Acme 2", "Acme 3", 1));
    write(t, "unreadable.ndjson", format!("{{}}\n{file}"));
    write(t, "bad.keys", "\nnot a key\n");
    let run = |arguments: &[&str]| run(t.folder.path(), &[&["export"], arguments].concat());
    let valid = run(&["log.ndjson", "--key", "log.keys", "--checkpoint", "stored"]);
    assert_result(&valid, 0, "valid: every event");
    assert_result(&run(&["altered.ndjson", "--key", "log.keys"]), 1, "[altered] line ");
    assert_result(&run(&["log.ndjson", "--key", "other.keys"]), 3, "[other_log]");
    let unreadable = run(&["unreadable.ndjson", "--key", "log.keys"]);
    assert_result(&unreadable, 1, "[malformed] line 1 is neither");
    let (_, json) = run(&["log.ndjson", "--key", "log.keys", "--json"]);
    let report: Value = serde_json::from_str(&json).expect("the text is valid JSON");
    assert_eq!(
        (&report["valid"], &report["omitted"], &report["expired"]),
        (&json!(true), &json!(0), &json!(0)),
        "the JSON report has no faults: {report}"
    );
    for (arguments, error) in [
        (["missing.ndjson", "--key", "log.keys"], "missing.ndjson: "),
        (["log.ndjson", "--key", "missing.keys"], "missing.keys: neither a key (a key is"),
        (["log.ndjson", "--key", "bad.keys"], "bad.keys: line 2: not a key: a key is"),
    ] {
        assert_result(&run(&arguments), 2, error);
    }
    let unsigned = run(&["log.ndjson", "--key", "log.keys", "--checkpoint", "log.keys"]);
    assert_result(&unsigned, 2, "log.keys: this is a list of public keys");
    let mut command = Command::new(binary_named("postern-verify"));
    command.args(["export", "-", "--key", "log.keys"]).current_dir(t.folder.path());
    command.stdin(File::open(t.folder.path().join("log.ndjson")).expect("the file opens"));
    let output = command.output().expect("the command runs");
    assert!(
        output.status.success(),
        "an export is read from standard input: {}",
        output_text(&output)
    );
}

async fn proofs_are_verified(t: &App) {
    let owner = record_actions(t).await;
    write_keys(t, &owner).await;
    let note = checkpoint(&owner).await;
    write(t, "stored", &note);
    let tree = Checkpoint::of(&Note::parse(&note).expect("the note is valid"))
        .expect("the checkpoint is valid");
    let events = owner.get("/v1/orgs/acme/audit-events?action=org.updated").await.expect(200);
    let id = events.text("/data/1/id");
    let event = owner.get(&format!("/v1/orgs/acme/audit-events/{id}")).await.expect(200);
    let (index, leaf) = (&event.json["log"]["index"], event.text("/opening/leaf"));
    write(t, "event.json", &event.body);
    write(t, "altered.json", event.body.replacen("Acme ", "Acme X", 1));
    write(t, "unopened.json", event.body.replacen("\"salts\"", "\"other\"", 1));
    let other = events.text("/data/2/id");
    let other = owner.get(&format!("/v1/orgs/acme/audit-events/{other}")).await.expect(200);
    write(t, "other.json", &other.body);
    let proof = owner.get(&format!("{LOG}/proof?event={id}")).await.expect(200).body;
    write(t, "proof.txt", &proof);
    write(t, "bad-proof.txt", proof.replacen("index ", "place ", 1));
    let key = ["proof.txt", "--key", "log.keys"];
    let run = |arguments: &[&str]| run(t.folder.path(), &[&["proof"], arguments].concat());
    let with = |arguments: &[&str]| run(&[&key, arguments].concat());
    let valid = format!("is entry {index} of {} ({} entries)", tree.origin, tree.size);
    assert_result(&with(&["--event", "event.json"]), 0, &format!("valid: event {id} {valid}"));
    assert_result(&with(&["--leaf", &leaf]), 0, &format!("valid: leaf {leaf} {valid}"));
    assert_result(&with(&["--leaf", &leaf, "--checkpoint", "stored"]), 0, &valid);
    assert_result(&with(&["--event", "altered.json"]), 1, "NOT VALID: event evt_");
    assert_result(&with(&["--event", "other.json"]), 1, "NOT VALID: the leaf is not entry");
    let other_leaf = other.text("/opening/leaf");
    assert_result(&with(&["--leaf", &other_leaf]), 1, "NOT VALID: the leaf is not entry");
    let other_key = run(&["proof.txt", "--key", "other.keys", "--leaf", &leaf]);
    assert_result(&other_key, 3, "INCONCLUSIVE: the checkpoint of the proof: it is of the log");
    assert_result(&with(&[]), 2, "--event <FILE>|--leaf <HASH>");
    assert_result(&with(&["--leaf", "x"]), 2, "x: not a SHA-256 hash");
    assert_result(&with(&["--event", "unopened.json"]), 2, "unopened.json: ");
    let malformed = run(&["bad-proof.txt", "--key", "log.keys", "--leaf", &leaf]);
    assert_result(&malformed, 2, "bad-proof.txt: not a c2sp.org/tlog-proof@v1");
    let by_postern = [&["verify-proof"][..], &key, &["--event", "event.json"]].concat();
    assert_result(&run_postern(t.folder.path(), &by_postern), 0, &valid);
    // A proof for a larger tree cannot be compared with the stored checkpoint.
    owner.patch("/v1/orgs/acme", json!({ "name": "Later" })).await.expect(200);
    t.sequence().await;
    let later = owner.get(&format!("{LOG}/proof?event={id}")).await.expect(200).body;
    write(t, "proof.txt", later);
    let larger = with(&["--leaf", &leaf, "--checkpoint", "stored"]);
    assert_result(&larger, 3, "INCONCLUSIVE: the stored checkpoint");
}

async fn checkpoints_are_verified(t: &App) {
    let owner = record_actions(t).await;
    write_keys(t, &owner).await;
    write(t, "old", checkpoint(&owner).await);
    for n in 0..3 {
        owner.patch("/v1/orgs/acme", json!({ "name": format!("Later {n}") })).await.expect(200);
    }
    t.sequence().await;
    let note = checkpoint(&owner).await;
    write(t, "new", &note);
    let size = |file: &str| {
        let note = fs::read_to_string(t.folder.path().join(file)).expect("the file is readable");
        Checkpoint::of(&Note::parse(&note).expect("the note is valid"))
            .expect("the checkpoint is valid")
            .size
    };
    let (old, new) = (size("old"), size("new"));
    let arguments = ["old", "new", "--key", "log.keys"];
    let run = |arguments: &[&str]| run(t.folder.path(), &[&["consistency"], arguments].concat());
    let with = |options: &[&str]| run(&[&arguments, options].concat());
    let valid = format!("of {new} entries begins with the {old} entries");
    // The command lists the tiles that it needs.
    let missing = with(&["--tiles", "tiles"]);
    assert_result(&missing, 2, &format!("download the missing tiles: tile/0/000.p/{new}"));
    let hashes = leaf_tile(&owner, new).await;
    write(t, &format!("tiles/tile/0/000.p/{new}"), &hashes);
    assert_result(&with(&["--tiles", "tiles"]), 0, &valid);
    let by_postern = [&["verify-consistency"][..], &arguments, &["--tiles", "tiles"]].concat();
    assert_result(&run_postern(t.folder.path(), &by_postern), 0, &valid);
    // The same proof as hashes.
    let (mut tree, mut nodes) = (Frontier::default(), BTreeMap::new());
    for leaf in hashes.chunks(32) {
        let leaf = Hash(leaf.try_into().expect("a hash has 32 bytes"));
        nodes.extend(tree.append(leaf).iter().map(|node| ((node.level, node.index), node.hash)));
    }
    let proof = consistency(|level, index| nodes.get(&(level, index)).copied(), old, new)
        .expect("the log has all nodes");
    let proof: Vec<String> = proof.into_iter().map(Hash::to_base64).collect();
    write(t, "proof", proof.join("\n"));
    write(t, "altered", proof.join("\n").replacen(&proof[0], &proof[1], 1));
    write(t, "unreadable", format!("{}\nnot a hash\n", proof[0]));
    assert_result(&with(&["--proof", "proof"]), 0, &valid);
    assert_result(&with(&["--proof", "altered"]), 1, "NOT VALID: the tree of");
    assert_result(&with(&["--proof", "unreadable"]), 2, "unreadable: line 2: not a SHA-256");
    let swapped = run(&["new", "old", "--key", "log.keys", "--proof", "proof"]);
    assert_result(&swapped, 1, "or the checkpoints are swapped");
    let other_key = run(&["old", "new", "--key", "other.keys", "--proof", "proof"]);
    assert_result(&other_key, 3, "INCONCLUSIVE: the old checkpoint: it is of the log");
    let altered: Vec<u8> = hashes.iter().map(|byte| byte ^ 1).collect();
    write(t, &format!("tiles/tile/0/000.p/{new}"), altered);
    assert_result(&with(&["--tiles", "tiles"]), 1, "NOT VALID: the tree of");
    write(t, &format!("tiles/tile/0/000.p/{new}"), &hashes[1..]);
    assert_result(&with(&["--tiles", "tiles"]), 2, "the tile has");
}
