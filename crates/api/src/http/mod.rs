//! HTTP layer. [`endpoint`] reads the body of a request, authorizes the [`Call`], extracts the
//! handler's arguments, and converts its result into a response.

mod admission;
mod asset;
mod body;
mod call;
mod code;
mod concurrency;
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
mod routes;
pub mod rules;
mod unit;

pub use admission::EnterScope;
pub use asset::Asset;
pub use body::Valid;
pub use call::{Call, Reentrant};
pub use code::Code;
pub use concurrency::{ConcurrencyLimiter, Permit};
pub use cursor::CursorKey;
pub use download::{Disconnected, Download, EVENT_STREAM, StreamWriter};
pub use idempotency::ResponseCipher;
pub use input::{FromInput, Input};
pub use middleware::problem_for_middleware_errors;
pub use negotiation::{AcceptedFormat, Format, Negotiated, PrefersHtml};
pub use params::{Filter, IfMatch, Paging, PathKey, PathParam, Query, authorization, single};
pub use problem::Problem;
pub use reply::{Answer, Listed, Reply, Respond, created, no_content, ok};
pub use request_info::{RequestInfo, request_info_middleware};
pub use routes::{Routes, not_found, only_get};
pub use unit::Unit;
