//! Configuration, commands and logging of the binary.

pub mod commands;
pub mod config;
pub mod log;
mod runtime;
