//! Middleware around those of actix that respond themselves, so that their errors are problems too.

use actix_cors::CorsError;
use actix_web::{
    HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, AcceptEncoding, Encoding, Header},
    },
    middleware::Next,
    web,
};

use super::{
    code::Code,
    cors,
    problem::{MEDIA_TYPE, Problem},
    request_info::RequestInfo,
};
use crate::state::State;

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
    let mut problem: HttpResponse =
        Problem::new(Code::InvalidHeader).detail(detail(&response)).respond(&request_info);
    let kept = |name: &header::HeaderName| {
        *name == header::VARY || name.as_str().starts_with("access-control-")
    };
    for (name, value) in response.headers().iter().filter(|(name, _)| kept(name)) {
        problem.headers_mut().append(name.clone(), value.clone());
    }
    Ok(response.into_response(problem).map_into_right_body())
}

/// Detail for the error of a middleware. Rejected preflight requests are logged with it: browsers
/// do not show it.
fn detail<B>(response: &ServiceResponse<B>) -> String {
    let Some(error) = response.response().error() else { return String::new() };
    let Some(rejected) = error.as_error::<CorsError>() else { return error.to_string() };
    let request = response.request();
    let state = request.app_data::<web::Data<State>>().expect("the app has the state");
    let detail = cors::rejection(request, &state.server, rejected);
    tracing::info!(detail, "CORS request rejected");
    detail
}
