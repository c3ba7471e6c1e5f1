//! The contract to read and to try out: Swagger UI with a sign-in of our own, from this server alone and under a policy that lets it do nothing else.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};
use utoipa_swagger_ui::{Config, serve};

use crate::http::{Asset, only_get};

/// Scripts and styles of this server's own, and nothing in line (CSP level 3). Swagger UI has its icons as `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What of Swagger UI's own the page asks for.
const TAKEN: [(&str, &str); 3] = [
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
];

/// The page and all that belongs to it.
#[derive(Clone)]
pub struct Docs(Vec<(String, Asset)>);

impl Docs {
    pub fn new() -> Self {
        let config = Config::from("/openapi.json").into();
        let own = [
            ("", "text/html; charset=utf-8", include_str!("index.html")),
            ("operator.js", "text/javascript; charset=utf-8", include_str!("operator.js")),
            ("operator.css", "text/css; charset=utf-8", include_str!("operator.css")),
            (
                "changes.md",
                "text/markdown; charset=utf-8",
                include_str!("../../../../openapi/CHANGELOG.md"),
            ),
        ];
        let own =
            own.into_iter().map(|(name, media_type, text)| (name, Asset::new(media_type, text)));
        let taken = TAKEN.into_iter().map(|(name, media_type)| {
            let file = serve(name, Arc::clone(&config)).ok().flatten().expect("Swagger UI has it");
            (name, Asset::new(media_type, file.bytes.into_owned()))
        });
        Self(
            own.chain(taken)
                .map(|(name, part)| (format!("/docs/{name}"), part.under(POLICY)))
                .collect(),
        )
    }

    pub fn configure(&self, config: &mut ServiceConfig) {
        config.service(only_get("/docs", web::route().to(moved)));
        for (path, part) in &self.0 {
            config.service(part.clone().at(path));
        }
    }
}

async fn moved() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}
