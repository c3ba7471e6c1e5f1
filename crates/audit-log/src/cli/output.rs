//! Output of the commands. The only place that prints: text of an examined file can contain
//! sequences that control a terminal, line feeds, and characters that reorder or hide text, with
//! which a forged file would print its own result. They are printed as escape sequences.

use std::{
    fmt::{Display, Write as _},
    io::{self, Write},
};

use serde_json::Value;

/// Prints a line of text.
pub fn line(out: &mut impl Write, text: impl Display) -> io::Result<()> {
    let escaped = escape(&text.to_string(), |escaped, hidden| {
        escaped.extend(hidden.escape_default());
    });
    writeln!(out, "{escaped}")
}

/// Prints a JSON value as one line. A string has the same value with escape sequences.
pub fn json(out: &mut impl Write, value: &Value) -> io::Result<()> {
    let escaped = escape(&value.to_string(), |escaped, hidden| {
        for unit in hidden.encode_utf16(&mut [0; 2]) {
            write!(escaped, "\\u{unit:04x}").expect("a String accepts all text");
        }
    });
    writeln!(out, "{escaped}")
}

/// Replaces the hidden characters of a text.
fn escape(text: &str, add_escaped: impl Fn(&mut String, char)) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            add_escaped(&mut escaped, character);
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Whether a character is a control character, a line or paragraph separator, or a format
/// character: the categories Cc, Zl, Zp and Cf of Unicode 17, and other characters without a glyph.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn printed(print: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).expect("the buffer accepts all bytes");
        String::from_utf8(out).expect("the output is text")
    }

    #[test]
    fn a_line_of_text_stays_one_visible_line() {
        let forged = "evt_x\u{1b}[2J\u{1b}[H\nvalid: every event\r\u{9b}8m\u{7f}\u{202e}\u{2028}";
        assert_eq!(
            printed(|out| line(out, forged)),
            "evt_x\\u{1b}[2J\\u{1b}[H\\nvalid: every event\\r\\u{9b}8m\\u{7f}\\u{202e}\\u{2028}\n"
        );
        let visible = "José \"\\\" — हिन्दी 日本 Jose\u{301}";
        assert_eq!(printed(|out| line(out, visible)), format!("{visible}\n"));
    }

    #[test]
    fn json_keeps_its_value_without_hidden_characters() {
        let value = Value::from("\u{1b}[2J\n\u{7f}\u{9b}8m\u{202e}\u{2028}\u{e0041} é");
        let printed = printed(|out| json(out, &value));
        assert_eq!(printed, "\"\\u001b[2J\\n\\u007f\\u009b8m\\u202e\\u2028\\udb40\\udc41 é\"\n");
        assert_eq!(serde_json::from_str::<Value>(&printed).expect("the output is JSON"), value);
    }

    #[test]
    fn other_modules_do_not_print() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
        let mut modules = 0;
        for entry in fs::read_dir(directory).expect("the directory is read") {
            let file = entry.expect("the entry is read").path();
            // The progress display prints numbers only.
            if file.ends_with("output.rs") || file.ends_with("progress.rs") {
                continue;
            }
            modules += 1;
            let source = fs::read_to_string(&file).expect("the file is read");
            for printing in ["print!(", "println!(", "write!(", "writeln!("] {
                assert!(!source.contains(printing), "{}: {printing}", file.display());
            }
        }
        assert!(modules > 5, "{modules} modules are checked");
    }
}
