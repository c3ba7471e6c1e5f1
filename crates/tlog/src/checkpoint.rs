//! C2SP `tlog-checkpoint`: which log, how many entries, which root. Signed as a note it is what a log commits itself to.

use crate::{Hash, Note, NoteError};

/// What a log is at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log, unique in the world.
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

    /// Reads what a note says; lines after the third are extensions, and left alone.
    pub fn of(note: &Note) -> Result<Self, NoteError> {
        let malformed = |why| NoteError::Malformed(why);
        let mut lines = note.text.lines();
        let origin = lines
            .next()
            .filter(|origin| !origin.is_empty())
            .ok_or(malformed("a checkpoint begins with its origin"))?;
        let size = lines.next().ok_or(malformed("a checkpoint has its size in its second line"))?;
        let plain =
            size.bytes().all(|b| b.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        let size = size
            .parse()
            .ok()
            .filter(|_| plain)
            .ok_or(malformed("the size of a checkpoint is a number"))?;
        let root = lines
            .next()
            .and_then(Hash::from_base64)
            .ok_or(malformed("a checkpoint has its root in its third line"))?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}
