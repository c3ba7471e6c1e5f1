//! Result of a command: printed, and returned as exit code.

use std::{error::Error, io, process::ExitCode};

use super::output;
use crate::verdict::Verdict;

/// The conclusion; an error if the input cannot be verified.
pub type Verification = Result<Verdict, Box<dyn Error>>;

/// Explanation of the exit codes, for help texts.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  valid
  1  not valid: the input or the log was altered, forged or damaged
  2  not verified: wrong arguments, or a file that cannot be opened, is not UTF-8 or is of
     another kind
  3  inconclusive: nothing contradicts the log, but the input is not sufficient: an export that is
     older than a stored checkpoint, cut off or partial, or an input of another log or key";

/// Exit code of a verification. Prints an error after the name of the program.
pub fn exit_code(program: &str, verification: Verification) -> ExitCode {
    match verification {
        Ok(Verdict::Valid) => ExitCode::SUCCESS,
        Ok(Verdict::NotValid) => ExitCode::from(1),
        Ok(Verdict::Inconclusive) => ExitCode::from(3),
        Err(error) => {
            // If standard error is closed, the exit code remains.
            drop(output::line(&mut io::stderr().lock(), format_args!("{program}: {error}")));
            ExitCode::from(2)
        }
    }
}

/// First words of a result.
pub const fn label(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "valid",
        Verdict::NotValid => "NOT VALID",
        Verdict::Inconclusive => "INCONCLUSIVE",
    }
}

/// Prints a result: the description of what was verified, or the fault with its conclusion.
pub fn print<E: Error>(
    result: &Result<String, E>,
    verdict: impl FnOnce(&E) -> Verdict,
) -> Verification {
    let (verdict, text) = match result {
        Ok(text) => (Verdict::Valid, text.clone()),
        Err(fault) => (verdict(fault), fault.to_string()),
    };
    output::line(&mut io::stdout().lock(), format_args!("{}: {text}", label(verdict)))?;
    Ok(verdict)
}
