//! Result of a command: printed, and returned as exit code.

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

/// Whether the input is valid; an error if it cannot be verified.
pub type Verification = Result<bool, Box<dyn Error>>;

/// Exit code of a verification. Prints an error after the name of the program.
pub fn exit_code(program: &str, verification: Verification) -> ExitCode {
    match verification {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prints a result: the description of what was verified, or the fault.
pub fn print(result: &Result<String, impl Error>) -> Verification {
    let mut out = io::stdout().lock();
    match result {
        Ok(text) => writeln!(out, "valid: {text}")?,
        Err(fault) => writeln!(out, "NOT VALID: {fault}")?,
    }
    Ok(result.is_ok())
}
