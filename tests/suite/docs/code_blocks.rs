//! Every code block of the documents is run by a test.

use std::{fs, path::Path};

use super::DOCUMENTS;

/// Sources of the tests that run code blocks.
const TESTS: [&str; 5] = [
    include_str!("audit_log.rs"),
    include_str!("client_generation.rs"),
    include_str!("frontend.rs"),
    include_str!("quick_start.rs"),
    include_str!("tenancy.rs"),
];

#[test]
fn every_code_block_is_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let documents = fs::read_dir(folder)
        .expect("the directory is readable")
        .map(|file| file.expect("the entry is readable").path());
    for path in documents.filter(|path| {
        path.extension().is_some_and(|kind| kind == "md") && !path.ends_with("README.md")
    }) {
        assert!(
            DOCUMENTS.iter().any(|(name, _, _)| path.ends_with(name)),
            "DOCUMENTS lists {}",
            path.display()
        );
    }
    for (document, text, names) in DOCUMENTS {
        let lines: Vec<&str> = text.lines().collect();
        let block_starts = (0..lines.len()).filter(|line| {
            lines[*line].starts_with("```") && lines[*line] != "```" && lines[*line] != "```mermaid"
        });
        let marked: Vec<&str> = block_starts
            .map(|line| {
                let marker = lines[line.saturating_sub(1)]
                    .strip_prefix("<!-- run: ")
                    .and_then(|rest| rest.strip_suffix(" -->"));
                marker.unwrap_or_else(|| {
                    panic!("{document}:{}: a `run` marker precedes the block", line + 1)
                })
            })
            .collect();
        assert_eq!(marked, names, "the code blocks of {document} are those in DOCUMENTS");
        for name in names {
            assert!(
                TESTS.iter().any(|source| source.contains(&format!("block(\"{name}\")"))),
                "a test runs the block {name}"
            );
        }
    }
}
