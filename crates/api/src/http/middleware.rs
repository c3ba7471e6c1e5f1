//! Middleware around those of actix that respond themselves, so that their errors are problems too.

use actix_web::{
    HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, AcceptEncoding, Encoding, Header},
    },
    middleware::Next,
};

use super::{
    code::Code,
    problem::{MEDIA_TYPE, Problem},
    request_info::RequestInfo,
};

/// Removes an `Accept-Encoding` without a supported encoding: `Compress` would respond with 406,
/// but an uncompressed response is allowed (RFC 9110, 12.5.3). Converts errors of `Cors` to
/// problems.
pub async fn problem_for_middleware_errors(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let request_info = RequestInfo::of(request.request());
    let encodings = [Encoding::identity(), Encoding::gzip()];
    if AcceptEncoding::parse(&request)
        .is_ok_and(|accepted| accepted.negotiate(encodings.iter()).is_none())
    {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let mut response = next.call(request).await?;
    // `identity` only tells Compress to skip the response; clients must not get it
    // (RFC 9110, 8.4.1).
    if response.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "identity") {
        response.headers_mut().remove(header::CONTENT_ENCODING);
    }
    let is_problem =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == MEDIA_TYPE);
    if is_problem || response.status() != StatusCode::BAD_REQUEST {
        return Ok(response.map_into_left_body());
    }
    let detail = response.response().error().map(ToString::to_string).unwrap_or_default();
    let mut problem: HttpResponse =
        Problem::new(Code::InvalidHeader).detail(detail).respond(&request_info);
    for (name, value) in response.headers().iter().filter(|(name, _)| *name == header::VARY) {
        problem.headers_mut().append(name.clone(), value.clone());
    }
    Ok(response.into_response(problem).map_into_right_body())
}
