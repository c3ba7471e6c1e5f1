//! Effects of a change cannot be skipped: only the unit of work takes a change apart.

use std::{fs, path::Path};

use super::files_in;

/// Folders and files that may call `Change::into_parts`: the domain, for its own transitions and
/// tests, and the unit of work, which applies the effects.
const ALLOWED: [&str; 2] = ["crates/domain/src", "crates/persistence/src/unit/work.rs"];

#[test]
fn only_the_unit_of_work_takes_changes_apart() {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a workspace");
    let others: Vec<String> = files_in(&root.join("crates"))
        .into_iter()
        .filter(|path| fs::read_to_string(path).is_ok_and(|text| text.contains("into_parts()")))
        .map(|path| {
            let path = path.strip_prefix(root).expect("the file is in the workspace");
            path.display().to_string()
        })
        .filter(|path| ALLOWED.iter().all(|allowed| !path.starts_with(allowed)))
        .collect();
    assert_eq!(others, Vec::<String>::new(), "files that could skip the effects of a change");
}
