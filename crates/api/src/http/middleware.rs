//! Around the middlewares that answer by themselves, so that those answers are ours as well.

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
    RequestInfo,
    code::Code,
    problem::{MEDIA_TYPE, Problem},
};

/// Compress would answer 406 to whoever takes no encoding that there is: they get the answer as it is (RFC 9110, 12.5.3). What Cors refuses is said as
/// a problem.
pub async fn in_our_own_words(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let request_info = RequestInfo::of(request.request());
    let encodings = [Encoding::identity(), Encoding::gzip()];
    if AcceptEncoding::parse(&request)
        .is_ok_and(|taken| taken.negotiate(encodings.iter()).is_none())
    {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let mut response = next.call(request).await?;
    // What is not to be compressed is marked so for Compress, and for nobody else (RFC 9110, 8.4.1).
    if response.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "identity") {
        response.headers_mut().remove(header::CONTENT_ENCODING);
    }
    let ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == MEDIA_TYPE);
    if ours || response.status() != StatusCode::BAD_REQUEST {
        return Ok(response.map_into_left_body());
    }
    let why = response.response().error().map(ToString::to_string).unwrap_or_default();
    let mut said: HttpResponse =
        Problem::new(Code::InvalidHeader).detail(why).respond(&request_info);
    for (name, value) in response.headers().iter().filter(|(name, _)| *name == header::VARY) {
        said.headers_mut().append(name.clone(), value.clone());
    }
    Ok(response.into_response(said).map_into_right_body())
}
