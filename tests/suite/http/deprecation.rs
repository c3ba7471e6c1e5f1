//! Deprecated operations: headers (RFC 9745, RFC 8594) and the OpenAPI document.

use std::sync::Arc;

use actix_web::{middleware::from_fn, test as actix, web::Data};
use postern_api::{
    http::{self, Call, Routes, document, ok},
    operations::Op,
};
use postern_domain::{
    operation::{Deprecation, Impersonated, Operation, Records},
    scope::{self, ScopeKind},
};
use postern_tests::{App, tests_on};

tests_on! { sqlite, Sqlite: responses_announce_the_deprecation }

/// A deprecated operation for the test: the contract has none.
struct ReadOld;

impl Op for ReadOld {
    type Scope = scope::Public;
    const ROW: &'static Operation = &Operation {
        id: "read_old",
        scope: ScopeKind::Public,
        needs: None,
        records: Records::Nothing,
        impersonated: Impersonated::Allowed,
        demands: &[],
        deprecated: Some(Deprecation::new((2026, 12, 1), (2027, 6, 1), "read_health")),
    };
}

/// Read the deprecated value.
///
/// Returns a fixed text.
#[utoipa::path(
    get,
    path = "/v1/old",
    tag = "system",
    impl_for = ReadOld,
    responses((status = 200, description = "The text.", body = String))
)]
async fn read_old(_call: Call<ReadOld>) -> http::HandlerResult<String> {
    Ok(ok("yes".to_owned()))
}

async fn responses_announce_the_deprecation(t: &App) {
    let mut routes = Routes::default();
    routes.add(read_old);
    let app = actix_web::App::new()
        .app_data(Data::from(Arc::clone(&t.state)))
        .configure(|config| routes.configure(config));
    let app = actix::init_service(app.wrap(from_fn(http::request_info_middleware))).await;
    for (path, status) in [("/v1/old", 200), ("/v1/old?unknown=1", 400)] {
        let response =
            actix::call_service(&app, actix::TestRequest::get().uri(path).to_request()).await;
        assert_eq!(response.status(), status, "status of {path}");
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .expect("the header is present")
                .to_str()
                .expect("the header is text")
                .to_owned()
        };
        // Expected value computed with `date --utc --date 2026-12-01 +%s`.
        assert_eq!(header("deprecation"), "@1796083200", "date of deprecation (RFC 9745)");
        assert_eq!(header("sunset"), "Tue, 01 Jun 2027 00:00:00 GMT", "date of removal (RFC 8594)");
        assert!(
            header("link").contains("rel=\"deprecation\""),
            "the Link header has the relation `deprecation`"
        );
    }
    assert!(
        !t.anonymous().get("/healthz").await.has_header("deprecation"),
        "other operations do not send Deprecation"
    );
}

#[test]
fn document_states_the_deprecation() {
    let mut routes = Routes::default();
    routes.add(read_old);
    let document = document::golden(&routes);
    let operation = &document["paths"]["/v1/old"]["get"];
    assert_eq!(operation["deprecated"], true, "the operation is marked as deprecated");
    let description = operation["description"].as_str().expect("the operation is described");
    assert!(
        description.contains("may be removed from 2027-06-01. Use `read_health` instead."),
        "the description names the removal date and the replacement: {description}"
    );
    assert!(
        operation["responses"]["400"]["headers"]["Sunset"].is_object(),
        "problem responses list the header"
    );
    for header in ["Deprecation", "Sunset"] {
        assert!(
            operation["responses"]["200"]["headers"][header].is_object()
                && document["components"]["headers"][header].is_object(),
            "the document describes the header {header}"
        );
    }
}
