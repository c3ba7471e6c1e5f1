//! Log span of a request: ID, method, path, IP address, status. The caller is added after
//! authentication. Headers, query and body are never logged: they can contain secrets.

use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
};
use tracing::{Span, field::Empty};
use tracing_actix_web::RootSpanBuilder;

use crate::http::RequestInfo;

pub struct RootSpan;

impl RootSpanBuilder for RootSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let request_info = request.extensions().get::<std::rc::Rc<RequestInfo>>().cloned();
        let request_info = request_info.as_deref();
        tracing::info_span!(
            "request",
            request_id = request_info.map(|request_info| request_info.request_id.as_str()),
            trace_id = trace_id(request),
            method = %request.method(),
            path = request.path(),
            ip = request_info.and_then(|request_info| request_info.ip).map(tracing::field::display),
            user = Empty,
            on_behalf_of = Empty,
            org = Empty,
            status = Empty,
        )
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = outcome
            .as_ref()
            .map_or_else(|error| error.as_response_error().status_code(), ServiceResponse::status);
        span.record("status", status.as_u16());
        let _entered = span.enter();
        if status.is_server_error() {
            tracing::error!("request completed");
        } else {
            tracing::info!("request completed");
        }
    }
}

/// Trace ID from `traceparent` (W3C Trace Context).
fn trace_id(request: &ServiceRequest) -> Option<String> {
    let value = request.headers().get("traceparent")?.to_str().ok()?;
    let id = value.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())).then(|| id.to_ascii_lowercase())
}
