//! Conclusion of a verification.

use crate::string_enum;

string_enum! {
    /// Conclusion of a verification.
    Verdict {
        /// Everything matches.
        Valid = "valid",
        /// Nothing contradicts the log, but the input is not sufficient to verify it.
        Inconclusive = "inconclusive",
        /// The input contradicts itself, the log or the key.
        NotValid = "not_valid",
    }
}
