//! Every integration test, on both databases, in one binary.

mod accounts;
mod architecture;
mod audit;
mod auth;
mod cli;
mod contract;
mod coverage;
mod database;
mod docs;
mod faults;
mod features;
mod http;
mod impersonation;
mod me;
mod members;
mod orgs;
mod permissions;
mod settings;
mod staff;
mod system;
mod tenancy;
