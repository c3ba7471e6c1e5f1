//! The plumbing between HTTP and the domain. A request goes through [`endpoint`], which reads the body, makes the
//! [`Call`], extracts what the handler asks for, and turns what comes back into an answer.

mod admission;
mod body;
mod call;
mod cursor;
mod denial;
pub mod document;
mod endpoint;
mod facts;
mod idempotency;
mod input;
mod params;
pub mod problem;
mod reply;
mod routes;
pub mod rules;
mod unit;

pub use body::Valid;
pub use call::Call;
pub use cursor::CursorKey;
pub use facts::{Facts, establish};
pub use idempotency::Seal;
pub use params::{Filter, InPath, Paging, Precondition, Query, Word, authorization};
pub use problem::{Code, Problem};
pub use reply::{Answer, Listed, Reply, created, no_content, ok};
pub use routes::{Routes, method_not_allowed, not_found};
pub use unit::Unit;
