//! Configuration, commands and logging of the binary.

mod audit;
pub mod commands;
pub mod config;
pub mod doctor;
pub mod log;
mod retention;
mod serve;
