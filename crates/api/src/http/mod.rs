//! The plumbing between HTTP and the domain. A request goes through [`endpoint`], which reads the body, makes the
//! [`Call`], extracts what the handler asks for, and turns what comes back into an answer.

mod admission;
mod asset;
mod body;
mod call;
mod code;
mod cursor;
mod denial;
mod deprecation;
pub mod document;
mod download;
mod endpoint;
mod idempotency;
mod input;
mod middleware;
mod negotiation;
mod params;
pub mod problem;
mod reply;
mod request_info;
mod room;
mod routes;
pub mod rules;
mod unit;

pub use admission::Entry;
pub use asset::Asset;
pub use body::Valid;
pub use call::{Call, Paused};
pub use code::Code;
pub use cursor::CursorKey;
pub use download::{Download, EVENT_STREAM, Gone, Sink};
pub use idempotency::ResponseCipher;
pub use input::{FromInput, Input};
pub use middleware::in_our_own_words;
pub use negotiation::{ForPerson, Format, Negotiated, StartRequest};
pub use params::{Filter, InPath, Paging, Precondition, Query, Word, authorization, single};
pub use problem::Problem;
pub use reply::{Answer, Listed, Reply, Respond, created, no_content, ok};
pub use request_info::{RequestInfo, request_info_middleware};
pub use room::{Room, Rooms};
pub use routes::{Routes, not_found, only_get};
pub use unit::Unit;
