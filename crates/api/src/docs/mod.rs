//! The contract to read and to try out: Swagger UI with a sign-in of our own, from this server alone and under a policy that lets it do nothing else.

use std::future::ready;

use actix_web::{HttpResponse, http::header, web};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::http::only_get;

/// Scripts and styles of this server's own, and nothing in line (CSP level 3). Swagger UI has its icons as `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Mounts the page before Swagger UI's own of the same name.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(only_get("/docs", web::route().to(moved)))
        .service(only_get("/docs/", web::route().to(|| ready(part("text/html; charset=utf-8", include_str!("index.html"))))))
        .service(only_get(
            "/docs/operator.js",
            web::route().to(|| ready(part("text/javascript; charset=utf-8", include_str!("operator.js")))),
        ))
        .service(only_get("/docs/operator.css", web::route().to(|| ready(part("text/css; charset=utf-8", include_str!("operator.css"))))))
        .service(SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json")));
}

async fn moved() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

fn part(media_type: &'static str, text: &'static str) -> HttpResponse {
    let policy = (header::CONTENT_SECURITY_POLICY, POLICY);
    HttpResponse::Ok().insert_header(policy).insert_header((header::CACHE_CONTROL, "no-cache")).content_type(media_type).body(text)
}
