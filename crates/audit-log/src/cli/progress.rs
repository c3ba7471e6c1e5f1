//! Progress of a long verification, on standard error if that is a terminal.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// Number of lines between two looks at the clock.
const LINES: u64 = 4_096;

/// Progress display. Prints nothing in the first second.
pub struct Progress {
    /// Size of the file in bytes, if known.
    size: Option<u64>,
    lines: u64,
    /// Time of the last output; `None` without a terminal.
    shown_at: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    pub fn new(size: Option<u64>) -> Self {
        let shown_at = io::stderr().is_terminal().then(Instant::now);
        Self { size, lines: 0, shown_at, is_shown: false }
    }

    /// Counts a line. `bytes` is the number of bytes read so far.
    pub fn add_line(&mut self, bytes: u64) {
        self.lines += 1;
        let Some(shown_at) = self.shown_at.filter(|_| self.lines.is_multiple_of(LINES)) else {
            return;
        };
        if shown_at.elapsed() > Duration::from_secs(1) {
            eprint!("\r{}", text(self.lines, bytes, self.size));
            (self.shown_at, self.is_shown) = (Some(Instant::now()), true);
        }
    }

    /// Removes the display.
    pub fn finish(self) {
        if self.is_shown {
            eprint!("\r{:60}\r", "");
            drop(io::stderr().flush());
        }
    }
}

fn text(lines: u64, bytes: u64, size: Option<u64>) -> String {
    match size {
        // A compressed file has more bytes than its size.
        Some(size) if bytes <= size => {
            format!("verifying: {lines} lines, {} %", bytes * 100 / size.max(1))
        }
        _ => format!("verifying: {lines} lines, {} MiB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_percentage_if_the_size_is_known() {
        assert_eq!(text(8_192, 250, Some(1_000)), "verifying: 8192 lines, 25 %");
        assert_eq!(text(8_192, 3 << 20, None), "verifying: 8192 lines, 3 MiB");
        assert_eq!(text(8_192, 3 << 20, Some(1_000)), "verifying: 8192 lines, 3 MiB");
    }
}
