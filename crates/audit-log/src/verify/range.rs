//! Ranges of entries, from `from` to before `to`, as text.

/// "entry 3" or "entries 3 to 5".
pub fn entries(from: u64, to: u64) -> String {
    if to - from == 1 { format!("entry {from}") } else { format!("entries {from} to {}", to - 1) }
}

/// "entry 3 is" or "entries 3 to 5 are".
pub fn entries_are(from: u64, to: u64) -> String {
    format!("{} {}", entries(from, to), if to - from == 1 { "is" } else { "are" })
}
