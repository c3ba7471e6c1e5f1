//! Outermost middleware: collects the request data.

use std::rc::Rc;

use actix_web::{
    HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderName, HeaderValue},
    middleware::Next,
    web,
};

use super::{client_address::client_address, request_info::RequestInfo};
use crate::state::State;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Attaches [`RequestInfo`] to the request, and sets `X-Request-Id`.
pub async fn request_info_middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let state = request.app_data::<web::Data<State>>().cloned().expect("the app has the state");
    let headers = request.headers();
    let request_info = Rc::new(RequestInfo {
        request_id: headers
            .get(REQUEST_ID)
            .and_then(acceptable_id)
            .map_or_else(|| state.new_request_id(), str::to_owned),
        ip: request.peer_addr().and_then(|peer| {
            let (peer, now) = (peer.ip().to_canonical(), state.clock.now());
            client_address(peer, headers, &state.server, &state.address_warnings, now)
        }),
        user_agent: headers
            .get(header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok())
            .map(|agent| agent.chars().take(200).collect()),
        base_path: state.server.base_path().to_owned(),
    });
    request.extensions_mut().insert(Rc::clone(&request_info));
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    headers.insert(
        REQUEST_ID,
        HeaderValue::from_str(&request_info.request_id).expect("request IDs are visible ASCII"),
    );
    Ok(response)
}

/// The client's own request ID, if it is safe to log.
fn acceptable_id(value: &HeaderValue) -> Option<&str> {
    let id = value.to_str().ok()?;
    let fits = (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    fits.then_some(id)
}
