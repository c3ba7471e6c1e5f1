//! The server as a whole: readiness, shutdown, and statements per request.

mod read_readiness;
mod shutdown;
mod statement_counts;
