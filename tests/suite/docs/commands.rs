//! Commands in sentences of the documents.

use std::process::Command;

use super::DOCUMENTS;
use crate::cli::{binary_named, output_text};

/// Checks every inline `make …`, `postern …` and `postern-verify …`.
#[test]
fn every_named_command_exists() {
    let makefile = include_str!("../../../Makefile");
    let mut checked = 0;
    for (document, text, _) in DOCUMENTS {
        for span in
            text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2))
        {
            let mut words = span
                .split_whitespace()
                .take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
            match words.next() {
                Some("make") => {
                    let target = words.next().unwrap_or("help");
                    assert!(
                        makefile.contains(&format!("\n{target}:")),
                        "{document}: the Makefile has the target {target}"
                    );
                }
                Some(program @ ("postern" | "postern-verify")) => {
                    let output = Command::new(binary_named(program))
                        .args(words)
                        .arg("--help")
                        .output()
                        .expect("the command runs");
                    assert!(
                        output.status.success(),
                        "{document}: `{span}` exists: {}",
                        output_text(&output)
                    );
                }
                _ => continue,
            }
            checked += 1;
        }
    }
    assert!(checked > 20, "more than 20 commands are checked, not {checked}");
}
