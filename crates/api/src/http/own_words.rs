//! What libraries answer by themselves is said in our own words: whatever goes wrong, the answer is a problem.

use actix_web::{
    HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    middleware::Next,
};

use super::{
    Facts,
    problem::{Code, MEDIA_TYPE, Problem},
};

/// A middleware that goes around all that may answer before a handler does.
pub async fn in_our_own_words(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let facts = Facts::of(request.request());
    let response = next.call(request).await?;
    let ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == HeaderValue::from_static(MEDIA_TYPE));
    let status = response.status();
    if ours || !(status.is_client_error() || status.is_server_error()) {
        return Ok(response.map_into_left_body());
    }
    let code = match status {
        StatusCode::NOT_ACCEPTABLE => Code::NotAcceptable,
        StatusCode::NOT_FOUND => Code::NotFound,
        status if status.is_client_error() => Code::InvalidHeader,
        _ => Code::Internal,
    };
    let problem = match response.response().error() {
        Some(error) if status.is_client_error() => Problem::new(code).detail(error.to_string()),
        _ => Problem::new(code),
    };
    let mut said: HttpResponse = problem.respond(&facts);
    for (name, value) in response.headers().iter().filter(|(name, _)| **name != header::CONTENT_TYPE && **name != header::CONTENT_LENGTH) {
        said.headers_mut().append(name.clone(), value.clone());
    }
    Ok(response.into_response(said).map_into_right_body())
}
