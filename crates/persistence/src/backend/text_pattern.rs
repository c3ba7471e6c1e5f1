//! Patterns for a text search that ignores case.

use postern_domain::{letter_case, text};
use sea_orm::{DbBackend, sea_query::BinOper};

/// Operator and pattern that match texts which contain `text` in any case: a regular expression on
/// PostgreSQL, where trigram indexes support it, and GLOB on SQLite. A character with two cases is
/// a class such as `[Éé]`.
pub fn text_pattern(backend: DbBackend, text: &str) -> (BinOper, String) {
    let text = text::normalized(text);
    if backend == DbBackend::Postgres {
        let literal = |c: char| {
            if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() }
        };
        return (BinOper::Custom("~"), classes(&text, literal));
    }
    let literal = |c: char| if "*?[".contains(c) { format!("[{c}]") } else { c.to_string() };
    (BinOper::Custom("GLOB"), format!("*{}*", classes(&text, literal)))
}

fn classes(text: &str, literal: impl Fn(char) -> String) -> String {
    text.chars()
        .map(|c| match &letter_case::variants(c)[..] {
            [_] => literal(c),
            variants => format!("[{}]", variants.iter().collect::<String>()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_list_both_cases_and_escape_wildcards() {
        for (text, regex, glob) in [
            ("É1", "[Éé]1", "*[Éé]1*"),
            ("e\u{301}", "[Éé]", "*[Éé]*"),
            ("a.*[b]?^$\\", r"[Aa]\.\*\[[Bb]\]\?\^\$\\", "*[Aa].[*][[][Bb]][?]^$\\*"),
            ("", "", "**"),
        ] {
            assert_eq!(text_pattern(DbBackend::Postgres, text).1, regex, "{text}");
            assert_eq!(text_pattern(DbBackend::Sqlite, text).1, glob, "{text}");
        }
    }
}
