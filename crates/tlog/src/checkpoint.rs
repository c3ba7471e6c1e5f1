//! C2SP `tlog-checkpoint`: origin, size and root hash of a log. Signed as a note, it commits the
//! log to its entries.

use crate::{
    hash::Hash,
    note::{Note, NoteError},
};

/// State of a log at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Globally unique name of the log.
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// Parses the text of a note. Lines after the third are extensions and ignored.
    pub fn of(note: &Note) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed;
        let mut lines = note.text.lines();
        let origin = lines
            .next()
            .filter(|origin| !origin.is_empty())
            .ok_or(malformed("the first line of the checkpoint is not an origin"))?;
        let size = lines.next().ok_or(malformed("the second line of the checkpoint is missing"))?;
        let plain =
            size.bytes().all(|b| b.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        let size = size
            .parse()
            .ok()
            .filter(|_| plain)
            .ok_or(malformed("the second line of the checkpoint is not a number"))?;
        let root = lines
            .next()
            .and_then(Hash::from_base64)
            .ok_or(malformed("the third line of the checkpoint is not a root hash"))?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}
