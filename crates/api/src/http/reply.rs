//! Responses of handlers.

use std::marker::PhantomData;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{self, ContentEncoding, HeaderName},
    },
};
use serde::{Deserialize, Serialize};

use super::{input::Input, problem::Problem};

/// Result of a handler: a response, or a problem.
pub type HandlerResult<T> = Result<Reply<T>, Problem>;

/// Conversion to an HTTP response. With `replayed` it has `Idempotency-Replayed`.
pub trait Respond {
    /// Media type of the response to a request, if it is known before the handler runs: for HEAD
    /// of an audited read, which does not run the handler.
    #[must_use]
    fn media_type(_input: &Input) -> Option<&'static str> {
        None
    }

    fn respond(self, replayed: bool) -> HttpResponse;
}

/// A response with a body of type `T`, serialized to JSON. It can be stored and replayed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reply<T> {
    status: u16,
    body: Option<String>,
    etag: Option<String>,
    location: Option<String>,
    cache: Option<String>,
    #[serde(default)]
    links: Vec<String>,
    #[serde(skip)]
    of: PhantomData<fn() -> T>,
}

/// 200 with a body.
pub fn ok<T: Serialize>(body: T) -> Reply<T> {
    Reply::new(StatusCode::OK, Some(&body))
}

/// 201 with a body and a `Location`.
pub fn created<T: Serialize>(body: T, location: impl Into<String>) -> Reply<T> {
    Reply { location: Some(location.into()), ..Reply::new(StatusCode::CREATED, Some(&body)) }
}

/// 204.
#[must_use]
pub fn no_content() -> Reply<()> {
    Reply::<()>::new(StatusCode::NO_CONTENT, None)
}

impl<T: Serialize> Reply<T> {
    fn new(status: StatusCode, body: Option<&T>) -> Self {
        let body =
            body.map(|body| serde_json::to_string(body).expect("response types serialize to JSON"));
        Self {
            status: status.as_u16(),
            body,
            etag: None,
            location: None,
            cache: None,
            links: Vec::new(),
            of: PhantomData,
        }
    }
}

impl<T> Reply<T> {
    /// Sets a strong `ETag` (RFC 9110, 8.8.3).
    #[must_use]
    pub fn etag(mut self, version: i64) -> Self {
        self.etag = Some(format!("\"{version}\""));
        self
    }

    /// Sets `Link` (RFC 8288).
    #[must_use]
    pub fn links(self, links: Vec<String>) -> Self {
        Self { links, ..self }
    }

    /// Lets any cache store the response. The default is `no-store`.
    #[must_use]
    pub fn public_for(mut self, seconds: u32) -> Self {
        self.cache = Some(format!("public, max-age={seconds}"));
        self
    }
}

impl<T> Respond for Reply<T> {
    fn media_type(_: &Input) -> Option<&'static str> {
        Some("application/json")
    }

    fn respond(self, replayed: bool) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).expect("created from a status code");
        let mut response = HttpResponse::build(status);
        let tagged = self.etag.is_some();
        let headers = [
            (header::ETAG, self.etag),
            (header::LOCATION, self.location),
            (header::CACHE_CONTROL, self.cache),
        ];
        for (name, value) in headers {
            if let Some(value) = value {
                response.insert_header((name, value));
            }
        }
        if tagged {
            // A strong tag identifies exact bytes; compression changes them (RFC 9110, 8.8.3.3).
            response.insert_header(ContentEncoding::Identity);
        }
        if !self.links.is_empty() {
            response.insert_header((header::LINK, self.links.join(", ")));
        }
        if replayed {
            response.insert_header((HeaderName::from_static("idempotency-replayed"), "true"));
        }
        match self.body {
            Some(body) => response.content_type("application/json").body(body),
            None => response.finish(),
        }
    }
}

// Schemas of response headers; comments would become descriptions of the schemas.

// `ETag`, as set by `Reply::etag`.
#[derive(utoipa::ToSchema)]
#[schema(max_length = 64)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct ETag(String);

// `Cache-Control`, as set by `Reply::public_for`.
#[derive(utoipa::ToSchema)]
#[schema(max_length = 64)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct CacheControl(String);

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct Listed<T> {
    /// The rows, newest first.
    pub data: Vec<T>,
    /// Value of `cursor` for the next page; null on the last page.
    pub next_cursor: Option<String>,
    /// Value of `cursor` for the previous page; null on the first page.
    pub prev_cursor: Option<String>,
}

// Written by hand: a derive would copy the row's schema into each list schema instead of
// referring to it.
impl<T: utoipa::ToSchema> utoipa::PartialSchema for Listed<T> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Ref, Type, schema::SchemaType};
        let cursor = |description: &str| {
            ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
                .max_length(Some(200))
                .description(Some(description))
                .examples([serde_json::Value::Null])
        };
        let next = cursor("Value of `cursor` for the next page; null on the last page.");
        let prev = cursor("Value of `cursor` for the previous page; null on the first page.");
        ObjectBuilder::new()
            .description(Some("A page of a list."))
            .property(
                "data",
                ArrayBuilder::new()
                    .items(Ref::from_schema_name(T::name()))
                    .max_items(Some(100))
                    .description(Some("The rows, newest first.")),
            )
            .required("data")
            .property("next_cursor", next)
            .required("next_cursor")
            .property("prev_cursor", prev)
            .required("prev_cursor")
            .into()
    }
}

impl<T: utoipa::ToSchema> utoipa::ToSchema for Listed<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("{}Page", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}
