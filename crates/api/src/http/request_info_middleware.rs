//! Outermost middleware: collects the request data.

use std::{net::IpAddr, rc::Rc};

use actix_web::{
    HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    web,
};
use ipnet::IpNet;

use super::request_info::RequestInfo;
use crate::state::State;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

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
        ip: request
            .peer_addr()
            .map(|peer| client(peer.ip().to_canonical(), headers, &state.server.trusted_proxies)),
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

/// The client's IP address: that of the peer, or behind a trusted proxy the rightmost address in
/// `X-Forwarded-For` that is not a trusted proxy.
fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| proxies.iter().any(|net| net.contains(ip));
    if !is_trusted(&peer) {
        return peer;
    }
    let hops: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut last = peer;
    for hop in hops.into_iter().rev() {
        match hop.trim().parse::<IpAddr>() {
            Ok(ip) if is_trusted(&ip.to_canonical()) => last = ip.to_canonical(),
            Ok(ip) => return ip.to_canonical(),
            // Addresses left of a malformed one cannot be trusted.
            Err(_) => return last,
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_for_counts_only_from_trusted_proxies() {
        let proxies = ["10.0.0.0/8".parse().expect("a network")];
        let client_of = |peer: &str, forwarded: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append(FORWARDED_FOR, HeaderValue::from_str(value).expect("a header"));
            }
            client(peer.parse().expect("an address"), &headers, &proxies).to_string()
        };
        assert_eq!(
            client_of("192.0.2.1", &["203.0.113.9"]),
            "192.0.2.1",
            "the header of an untrusted peer is ignored"
        );
        assert_eq!(
            client_of("10.0.0.1", &["203.0.113.9"]),
            "203.0.113.9",
            "the header of a trusted proxy is used"
        );
        assert_eq!(
            client_of("10.0.0.1", &["198.51.100.1, 203.0.113.9, 10.0.0.2"]),
            "203.0.113.9",
            "the last untrusted address counts"
        );
        assert_eq!(
            client_of("10.0.0.1", &["198.51.100.1", "203.0.113.9"]),
            "203.0.113.9",
            "several headers form one list"
        );
        assert_eq!(
            client_of("10.0.0.1", &["203.0.113.9, unknown"]),
            "10.0.0.1",
            "an invalid last address ends the list"
        );
        assert_eq!(
            client_of("10.0.0.1", &[]),
            "10.0.0.1",
            "without the header the peer is the client"
        );
    }
}
