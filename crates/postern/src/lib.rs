//! The binary's own parts: its configuration, its commands, its log.

mod audit;
pub mod commands;
pub mod config;
pub mod doctor;
pub mod log;
mod retention;
mod serve;
