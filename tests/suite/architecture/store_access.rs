//! Files that may open the store.

use std::{fs, path::Path};

use super::files_in;

/// Files that open the store without a grant. All other code needs a call, which holds the grant.
const STORE_ENTRY_FILES: &[&str] = &[
    "crates/api/src/http/authorization.rs",
    "crates/api/src/http/call.rs",
    "crates/app/src/cli.rs",
    "crates/postern/src/commands/retention.rs",
];

#[test]
fn only_listed_files_open_the_store() {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a workspace");
    let crates = ["crates/api/src", "crates/app/src", "crates/postern/src", "crates/worker/src"];
    let mut files: Vec<String> = crates
        .iter()
        .flat_map(|folder| files_in(&root.join(folder)))
        .filter(|path| opens_the_store(path))
        .map(|path| {
            let path = path.strip_prefix(root).expect("the file is in the workspace");
            path.display().to_string()
        })
        .collect();
    files.sort();
    assert_eq!(files, STORE_ENTRY_FILES, "only these files open the store");
}

fn opens_the_store(file: &Path) -> bool {
    const NAMES: [&str; 5] = [
        "PreAuthTx::",
        "authorize_cli",
        "authorize_system",
        "authorize_anonymous",
        "AuditMaintenance::connect",
    ];
    fs::read_to_string(file).is_ok_and(|text| NAMES.iter().any(|name| text.contains(name)))
}
