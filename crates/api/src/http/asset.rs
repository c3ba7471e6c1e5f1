//! Content that does not change while the server runs: the OpenAPI document, pages, scripts.
//! Clients with a current copy get 304 (RFC 9110, 13.1.2).

use actix_web::{
    HttpRequest, HttpResponse, Resource,
    http::{
        StatusCode,
        header::{self, EntityTag, Header, IfNoneMatch},
    },
    web::{self, Bytes},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use postern_keystore::digest::sha256;

use super::routes::only_get;

/// A body with its headers.
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
        let hash = URL_SAFE_NO_PAD.encode(sha256(&body));
        // Weak, because the body is sent compressed or uncompressed.
        Self { media_type, body, etag: EntityTag::new_weak(hash), policy: None }
    }

    /// Replaces the default Content-Security-Policy, which allows nothing.
    #[must_use]
    pub fn with_policy(self, policy: &'static str) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// Mounts the asset as a read-only resource.
    pub fn at(self, path: &str) -> Resource {
        only_get(
            path,
            web::route().to(move |request: HttpRequest| std::future::ready(self.respond(&request))),
        )
    }

    fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let not_modified = match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&self.etag)),
            Err(_) => false,
        };
        let status = if not_modified { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        let mut response = HttpResponse::build(status);
        response.insert_header((header::VARY, "accept-encoding"));
        response
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .insert_header((header::ETAG, self.etag.to_string()));
        if let Some(policy) = self.policy {
            response.insert_header((header::CONTENT_SECURITY_POLICY, policy));
        }
        if not_modified {
            return response.finish();
        }
        response.content_type(self.media_type);
        response.body(self.body.clone())
    }
}
