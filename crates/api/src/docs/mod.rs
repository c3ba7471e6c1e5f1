//! API documentation page: Swagger UI with Postern's own sign-in form. All files come from this
//! server, and a Content-Security-Policy allows no other sources.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};
use utoipa_swagger_ui::{Config, serve};

use crate::http::{Asset, only_get};

/// Scripts and styles of this server only, none inline (CSP level 3). Swagger UI's icons are
/// `data:` URLs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; font-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Files of Swagger UI that the page loads.
const SWAGGER_UI_FILES: [(&str, &str); 3] = [
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
];

/// The page and its files.
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
        let swagger_ui = SWAGGER_UI_FILES.into_iter().map(|(name, media_type)| {
            let file = serve(name, Arc::clone(&config)).ok().flatten().expect("Swagger UI has it");
            (name, Asset::new(media_type, file.bytes.into_owned()))
        });
        Self(
            own.chain(swagger_ui)
                .map(|(name, part)| (format!("/docs/{name}"), part.with_policy(POLICY)))
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
