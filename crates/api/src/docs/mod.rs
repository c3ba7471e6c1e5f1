//! API documentation: Swagger UI with Postern's own sign-in form, and guides for integrators. All
//! files come from this server, and a Content-Security-Policy allows no other sources.

mod pages;
mod prefill;

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};
use utoipa_swagger_ui::{Config, serve};

use crate::http::{Asset, HTML, PAGE_POLICY, Routes, only_get};

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

macro_rules! own_files {
    ($($name:literal $media_type:literal),+ $(,)?) => {
        [$(($name, concat!($media_type, "; charset=utf-8"), include_str!($name))),+]
    };
}

/// Text files of the page: names, media types, contents.
const OWN_FILES: [(&str, &str, &str); 12] = own_files![
    "index.html" "text/html",
    "operator.css" "text/css",
    "pages.css" "text/css",
    "bar.js" "text/javascript",
    "contract.js" "text/javascript",
    "curl.js" "text/javascript",
    "identity.js" "text/javascript",
    "operator.js" "text/javascript",
    "plugin.js" "text/javascript",
    "requests.js" "text/javascript",
    "server.js" "text/javascript",
    "session.js" "text/javascript",
];

impl Docs {
    pub fn new(routes: &Routes) -> Self {
        let config = Config::from("/openapi.json").into();
        let own = OWN_FILES.into_iter().map(|(name, media_type, text)| {
            let name = if name == "index.html" { "" } else { name };
            (name, Asset::new(media_type, text))
        });
        let generated =
            [("prefill.json", Asset::new("application/json", prefill::bodies(routes).to_string()))];
        let swagger_ui = SWAGGER_UI_FILES.into_iter().map(|(name, media_type)| {
            let file = serve(name, Arc::clone(&config)).ok().flatten().expect("Swagger UI has it");
            (name, Asset::new(media_type, file.bytes.into_owned()))
        });
        let pages = pages::all()
            .map(|(name, page)| (name, Asset::new(HTML, page).with_policy(PAGE_POLICY)));
        let page_files = own.chain(generated).chain(swagger_ui);
        let page_files = page_files.map(|(name, part)| (name, part.with_policy(POLICY)));
        Self(page_files.chain(pages).map(|(name, part)| (format!("/docs/{name}"), part)).collect())
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
