//! HTTP layer. [`endpoint`] reads the body of a request, authorizes the [`Call`], extracts the
//! handler's arguments, and converts its result into a response.

mod asset;
mod authorization;
mod base_path;
mod body;
mod body_errors;
mod call;
pub(crate) mod client_address;
mod code;
pub(crate) mod concurrency;
mod cors;
pub(crate) mod cursor;
mod denial;
mod deprecation;
pub mod document;
mod documented;
mod download;
mod endpoint;
mod field_code;
mod forwarded;
mod html_page;
mod idempotency;
mod input;
mod middleware;
mod negotiation;
pub mod path;
pub mod problem;
mod problem_from;
mod problem_operations;
mod query;
mod reply;
pub mod request_headers;
mod request_info;
mod request_info_middleware;
pub(crate) mod response_cipher;
mod routes;
pub mod rules;
mod security_headers;
mod unit;

pub use asset::{Asset, AssetReply, IfNoneMatch};
pub use authorization::EnterScope;
pub use base_path::base_path_middleware;
pub use body::Valid;
pub use call::{Call, Reentrant};
pub use code::Code;
pub use concurrency::Permit;
pub use cors::cors;
pub use download::{Disconnected, Download, EVENT_STREAM, StreamWriter};
pub use field_code::FieldCode;
pub use html_page::{HTML, PAGE_POLICY, html_page};
pub use input::{FromInput, Input};
pub use middleware::problem_for_middleware_errors;
pub use negotiation::{AcceptsJson, Negotiated, PrefersHtml};
pub use path::{Key, PathKey, PathParam};
pub use problem::Problem;
pub use problem_operations::{OperationRef, ProblemOperations};
pub use query::{Paging, Query};
pub use reply::{
    CacheControl, ETag, HandlerResult, Listed, Reply, Respond, created, no_content, ok,
};
pub use request_headers::{IfMatch, authorization, single};
pub use request_info::RequestInfo;
pub use request_info_middleware::request_info_middleware;
pub use routes::{Routes, not_found, only_get};
pub use security_headers::security_headers;
pub use unit::Unit;
