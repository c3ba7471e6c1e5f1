//! Arrows between crates point one way, and what is named in one crate only is named in no other.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

/// What each crate may depend on, of ours.
const ARROWS: &[(&str, &[&str])] = &[
    ("postern-tlog", &[]),
    ("postern-domain", &["postern-tlog"]),
    ("postern-migration", &[]),
    ("postern-persistence", &["postern-domain", "postern-migration", "postern-tlog"]),
    ("postern-worker", &["postern-domain", "postern-persistence"]),
    ("postern-api", &["postern-domain", "postern-persistence", "postern-tlog"]),
    (
        "postern",
        &["postern-api", "postern-domain", "postern-persistence", "postern-tlog", "postern-worker"],
    ),
];

/// Who alone may name what.
const NAMED_ONLY_BY: &[(&str, &[&str])] = &[
    ("sea-orm", &["postern-persistence"]),
    ("sea-orm-migration", &["postern-migration"]),
    ("actix-web", &["postern-api"]),
    ("jsonwebtoken", &["postern-api"]),
];

#[test]
fn arrows_point_one_way() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut dependencies: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let names = package["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter()
            .filter_map(|one| one["name"].as_str());
        dependencies.insert(package["name"].as_str().expect("a name"), names.collect());
    }
    dependencies.remove("postern-tests").expect("this package");
    assert_eq!(dependencies.len(), ARROWS.len(), "a new crate needs its arrows stated here");
    for (name, allowed) in ARROWS {
        let ours: Vec<&&str> =
            dependencies[name].iter().filter(|one| one.starts_with("postern")).collect();
        assert!(ours.iter().all(|one| allowed.contains(*one)), "{name} points at {ours:?}");
    }
    for (library, alone) in NAMED_ONLY_BY {
        let named: Vec<&str> = dependencies
            .iter()
            .filter(|(_, all)| all.contains(library))
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(&named, alone, "{library}");
    }
}

/// Where the store is entered: everywhere else it takes a call, which is to say the policy's grant.
const ENTRANCES: &[&str] = &[
    "crates/api/src/http/admission.rs",
    "crates/api/src/http/call.rs",
    "crates/postern/src/commands.rs",
];

#[test]
fn the_store_is_entered_where_calls_are_made() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut folders = vec![root.join("crates/api/src"), root.join("crates/postern/src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path).is_ok_and(|text| {
                ["PreAuthTx::", "authorize_cli", "authorize_anonymous"]
                    .iter()
                    .any(|name| text.contains(name))
            }) {
                found.push(path.strip_prefix(root).expect("below it").display().to_string());
            }
        }
    }
    found.sort();
    assert_eq!(found, ENTRANCES);
}
