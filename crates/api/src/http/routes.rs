//! Mounting. A feature adds its handlers; method and path come from the annotation of each, everything else from its
//! row in the table. One registration serves both the app and the document, so neither can know what the other does not.

use std::{collections::BTreeMap, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, Route,
    http::Method,
    web::{self, Payload, ServiceConfig},
};
use postern_domain::operation::Operation;
use utoipa::openapi::{HttpMethod, RefOr, Schema, path};

use super::{
    Facts,
    admission::Entry,
    endpoint::{self, Handler},
    problem::{Code, Problem},
};
use crate::operations::Op;

/// An operation that has been mounted.
pub struct Mounted {
    pub row: &'static Operation,
    pub path: String,
    pub method: HttpMethod,
    pub document: path::Operation,
    /// The body schemas it refers to, by name.
    pub schemas: Vec<(String, RefOr<Schema>)>,
    pub takes_body: bool,
    route: Arc<dyn Fn() -> Route + Send + Sync>,
}

/// All that is mounted.
#[derive(Default)]
pub struct Routes(Vec<Mounted>);

impl Routes {
    /// Mounts a handler where its annotation says.
    pub fn add<O, Args, H>(&mut self, handler: H) -> &mut Self
    where
        O: Op + utoipa::Path + utoipa::__dev::SchemaReferences + for<'t> utoipa::__dev::Tags<'t>,
        O::Scope: Entry,
        H: Handler<O, Args> + Send + Sync,
        Args: 'static,
    {
        let method = O::methods().into_iter().next().expect("an annotation names a method");
        let route_method = actix_method(&method);
        // Tags and schemas come through the same doors that utoipa's own bindings collect them through.
        let (mut schemas, mut document) = (Vec::new(), O::operation());
        <O as utoipa::__dev::SchemaReferences>::schemas(&mut schemas);
        document.tags = Some(<O as utoipa::__dev::Tags>::tags().into_iter().map(str::to_owned).collect());
        self.0.push(Mounted {
            row: O::ROW,
            path: O::path(),
            method,
            document,
            schemas,
            takes_body: H::TAKES_BODY,
            route: Arc::new(move || {
                web::method(route_method.clone())
                    .to(move |request: HttpRequest, payload: Payload| endpoint::serve::<O, Args, H>(handler, request, payload))
            }),
        });
        self
    }

    pub fn mounted(&self) -> &[Mounted] {
        &self.0
    }

    /// Mounts everything in an app.
    pub fn configure(&self, config: &mut ServiceConfig) {
        let mut resources: BTreeMap<&str, Vec<&Mounted>> = BTreeMap::new();
        for mounted in &self.0 {
            resources.entry(&mounted.path).or_default().push(mounted);
        }
        for (path, mounted) in resources {
            let allow = mounted.iter().map(|one| actix_method(&one.method).to_string()).collect::<Vec<_>>().join(", ");
            // The number of a tile has slashes in it (C2SP tlog-tiles), which OpenAPI has no parameter for.
            let pattern = path.replace("{tile}", "{tile:.+}");
            let resource = mounted.iter().fold(web::resource(pattern), |resource, one| resource.route((one.route)()));
            config.service(resource.default_service(web::to(move |request| method_not_allowed(request, allow.clone()))));
        }
    }
}

/// What answers where nothing is mounted.
pub async fn not_found(request: HttpRequest) -> HttpResponse {
    Problem::not_found().respond(&Facts::of(&request))
}

/// What answers where something is mounted, but not for this method.
pub async fn method_not_allowed(request: HttpRequest, allow: String) -> HttpResponse {
    Problem::new(Code::MethodNotAllowed).allow(allow).respond(&Facts::of(&request))
}

fn actix_method(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}
