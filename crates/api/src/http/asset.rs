//! What stays as it is for as long as the server runs: the contract, pages, scripts. Who has it already is not sent it again. (RFC 9110, 13.1.2)

use actix_web::{
    HttpRequest, HttpResponse, Resource,
    http::{
        StatusCode,
        header::{self, EntityTag, Header, IfNoneMatch},
    },
    web::{self, Bytes},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest;

use super::only_get;

/// A body with all that is said of it.
#[derive(Clone)]
pub struct Asset {
    media_type: &'static str,
    body: Bytes,
    etag: EntityTag,
    policy: Option<&'static str>,
}

impl Asset {
    pub fn new(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let hash = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &body));
        // Weak, since it may be sent compressed or not.
        Self { media_type, body, etag: EntityTag::new_weak(hash), policy: None }
    }

    /// Under another Content-Security-Policy than the one that lets a page do nothing.
    #[must_use]
    pub fn under(self, policy: &'static str) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// Mounts it where it can be read, and nothing else be done with it.
    pub fn at(self, path: &str) -> Resource {
        only_get(
            path,
            web::route().to(move |request: HttpRequest| std::future::ready(self.answer(&request))),
        )
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let known = match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&self.etag)),
            Err(_) => false,
        };
        let mut response =
            HttpResponse::build(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
        response.insert_header((header::VARY, "accept-encoding"));
        response
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .insert_header((header::ETAG, self.etag.to_string()));
        if let Some(policy) = self.policy {
            response.insert_header((header::CONTENT_SECURITY_POLICY, policy));
        }
        if known {
            return response.finish();
        }
        response.content_type(self.media_type);
        response.body(self.body.clone())
    }
}
