//! Content that does not change while the server runs: the OpenAPI document, pages, scripts.
//! Clients with a current copy get 304 (RFC 9110, 13.1.2).

use actix_web::{
    HttpRequest, HttpResponse, Resource,
    http::{
        StatusCode,
        header::{self, EntityTag, Header},
    },
    web::{self, Bytes},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use postern_keystore::digest::sha256;
use utoipa::openapi::path::Parameter;

use super::{
    code::Code,
    input::{FromInput, Input},
    path,
    problem::Problem,
    reply::Respond,
    request_headers,
    routes::only_get,
};

/// A body with its headers.
#[derive(Clone)]
pub struct Asset {
    media_type: &'static str,
    body: Bytes,
    etag: EntityTag,
    policy: Option<&'static str>,
    cache: &'static str,
}

impl Asset {
    pub fn new(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let hash = URL_SAFE_NO_PAD.encode(sha256(&body));
        // Weak, because the body is sent compressed or uncompressed.
        Self { media_type, body, etag: EntityTag::new_weak(hash), policy: None, cache: "no-cache" }
    }

    /// Replaces the default Content-Security-Policy, which allows nothing.
    #[must_use]
    pub fn with_policy(self, policy: &'static str) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// Keeps the asset out of shared caches.
    #[must_use]
    pub fn private(self) -> Self {
        Self { cache: "private, no-cache", ..self }
    }

    /// Mounts the asset as a read-only resource.
    pub fn at(self, path: &str) -> Resource {
        only_get(
            path,
            web::route().to(move |request: HttpRequest| std::future::ready(self.respond(&request))),
        )
    }

    fn respond(&self, request: &HttpRequest) -> HttpResponse {
        self.respond_to(&IfNoneMatch::of(request))
    }

    fn respond_to(&self, known: &IfNoneMatch) -> HttpResponse {
        let not_modified = known.matches(&self.etag);
        let status = if not_modified { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        let mut response = HttpResponse::build(status);
        response.insert_header((header::VARY, "accept-encoding"));
        response
            .insert_header((header::CACHE_CONTROL, self.cache))
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

/// Entity tags of the copies that a client has.
#[derive(Debug)]
pub struct IfNoneMatch(Option<header::IfNoneMatch>);

impl IfNoneMatch {
    const MAX_LENGTH: usize = 1000;

    /// Reads the header. A malformed one matches nothing.
    fn of(request: &HttpRequest) -> Self {
        Self(header::IfNoneMatch::parse(request).ok())
    }

    fn matches(&self, etag: &EntityTag) -> bool {
        match &self.0 {
            Some(header::IfNoneMatch::Any) => true,
            Some(header::IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(etag)),
            None => false,
        }
    }
}

impl FromInput for IfNoneMatch {
    const PROBLEMS: &'static [Code] = &[Code::InvalidHeader];

    fn parameters() -> Vec<Parameter> {
        let description = "`ETag` of your copy: if it is current, the response is 304.";
        let schema = path::text(Self::MAX_LENGTH, None, "W/\"Zm9v\"");
        vec![request_headers::parameter("If-None-Match", description, schema)]
    }

    fn from_input(input: &Input) -> Result<Self, Problem> {
        let value = input.request.headers().get(header::IF_NONE_MATCH);
        if value.is_some_and(|value| value.len() > Self::MAX_LENGTH) {
            let limit = Self::MAX_LENGTH;
            return Err(Problem::new(Code::InvalidHeader)
                .detail(format!("If-None-Match: at most {limit} characters")));
        }
        Ok(Self::of(&input.request))
    }
}

/// An asset as the response of an operation.
pub struct AssetReply(HttpResponse);

impl AssetReply {
    pub fn new(asset: &Asset, known: &IfNoneMatch) -> Self {
        Self(asset.respond_to(known))
    }
}

impl Respond for AssetReply {
    fn respond(self, _: bool) -> HttpResponse {
        self.0
    }
}
