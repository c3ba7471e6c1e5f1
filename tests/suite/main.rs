//! Every integration test, on both databases, in one binary.

mod architecture;
mod contract;
mod coverage;
mod damage;
mod doctor;
mod faults;
mod identity;
mod impersonation;
mod input;
mod isolation;
mod keeper;
mod log;
mod pins;
mod process;
mod pump;
mod readme;
mod record;
mod scale;
mod staff;
mod stream;
mod tampering;
mod tenancy;
mod tokens;
mod upgrade;
mod wall;
