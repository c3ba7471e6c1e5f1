//! Allowed dependencies of the crates.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

/// Workspace crates that each crate may depend on.
const ALLOWED_DEPENDENCIES: &[(&str, &[&str])] = &[
    ("postern-tlog", &[]),
    ("postern-keystore", &["postern-tlog"]),
    ("postern-audit-log", &["postern-tlog"]),
    ("postern-domain", &["postern-audit-log", "postern-tlog"]),
    ("postern-migration", &[]),
    (
        "postern-persistence",
        &[
            "postern-audit-log",
            "postern-domain",
            "postern-keystore",
            "postern-migration",
            "postern-tlog",
        ],
    ),
    ("postern-worker", &["postern-app", "postern-domain", "postern-persistence"]),
    ("postern-app", &["postern-domain", "postern-persistence"]),
    (
        "postern-api",
        &[
            "postern-app",
            "postern-audit-log",
            "postern-domain",
            "postern-keystore",
            "postern-persistence",
            "postern-tlog",
        ],
    ),
    (
        "postern",
        &[
            "postern-api",
            "postern-app",
            "postern-audit-log",
            "postern-domain",
            "postern-keystore",
            "postern-persistence",
            "postern-worker",
        ],
    ),
];

/// Libraries that only the listed crates may depend on.
const NAMED_ONLY_BY: &[(&str, &[&str])] = &[
    ("sea-orm", &["postern-persistence"]),
    ("sea-orm-migration", &["postern-migration"]),
    ("actix-web", &["postern-api"]),
    ("jsonwebtoken", &["postern-api"]),
    ("ring", &["postern-keystore", "postern-tlog"]),
];

#[test]
fn crate_dependencies_are_allowed() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("the output is valid JSON");
    let mut dependencies: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages is an array") {
        let names = package["dependencies"]
            .as_array()
            .expect("dependencies is an array")
            .iter()
            .filter_map(|dependency| dependency["name"].as_str());
        dependencies.insert(package["name"].as_str().expect("name is a string"), names.collect());
    }
    dependencies.remove("postern-tests").expect("the workspace contains this package");
    assert_eq!(
        dependencies.len(),
        ALLOWED_DEPENDENCIES.len(),
        "ALLOWED_DEPENDENCIES lists every crate"
    );
    for (name, allowed) in ALLOWED_DEPENDENCIES {
        let internal: Vec<&&str> = dependencies[name]
            .iter()
            .filter(|crate_name| crate_name.starts_with("postern"))
            .collect();
        assert!(
            internal.iter().all(|crate_name| allowed.contains(*crate_name)),
            "{name} depends only on {allowed:?}, not {internal:?}"
        );
    }
    for (library, allowed) in NAMED_ONLY_BY {
        let dependents: Vec<&str> = dependencies
            .iter()
            .filter(|(_, names)| names.contains(library))
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(&dependents, allowed, "only these crates depend on {library}");
    }
}
