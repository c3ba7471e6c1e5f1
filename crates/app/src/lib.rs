//! Use cases that more than one entry point runs: HTTP and the command line. An entry point
//! translates its input and the result, and contains no rule.

pub mod cli;
mod error;
pub mod impersonations;
pub mod privacy;
pub mod retention;
pub mod staff;
pub mod users;

pub use error::UseCaseError;
