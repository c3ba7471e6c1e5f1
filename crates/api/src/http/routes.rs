//! Mounting. A feature adds its handlers; method and path come from the annotation of each, everything else from its
//! row in the table. One registration serves both the app and the document, so neither can know what the other does not.

use std::{collections::BTreeMap, future::ready, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, Resource, Route, guard,
    http::{Method, header},
    web::{self, Payload, ServiceConfig},
};
use postern_domain::operation::Operation;
use utoipa::openapi::{HttpMethod, RefOr, Schema, path};

use super::{
    RequestInfo,
    admission::Entry,
    code::Code,
    endpoint::{self, Handler},
    problem::Problem,
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
    route: Arc<dyn Fn(Method) -> Route + Send + Sync>,
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
        // Tags and schemas come through the same doors that utoipa's own bindings collect them through.
        let (mut schemas, mut document) = (Vec::new(), O::operation());
        <O as utoipa::__dev::SchemaReferences>::schemas(&mut schemas);
        document.tags =
            Some(<O as utoipa::__dev::Tags>::tags().into_iter().map(str::to_owned).collect());
        self.0.push(Mounted {
            row: O::ROW,
            path: O::path(),
            method,
            document,
            schemas,
            takes_body: H::TAKES_BODY,
            route: Arc::new(move |method| {
                web::method(method).to(move |request: HttpRequest, payload: Payload| {
                    endpoint::serve::<O, Args, H>(handler, request, payload)
                })
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
            let allow = allow(mounted.iter().map(|one| actix_method(&one.method)));
            // The number of a tile has slashes in it (C2SP tlog-tiles), which OpenAPI has no parameter for.
            let pattern = path.replace("{tile}", "{tile:.+}");
            let resource = mounted.iter().fold(web::resource(pattern), |resource, one| {
                // Whatever can be read can be asked for without its body (RFC 9110, 9.3.2).
                let head = matches!(one.method, HttpMethod::Get).then(|| (one.route)(Method::HEAD));
                head.into_iter()
                    .fold(resource.route((one.route)(actix_method(&one.method))), Resource::route)
            });
            config.service(resource.default_service(web::to(move |request: HttpRequest| {
                ready(method_not_allowed(&request, allow.clone()))
            })));
        }
    }
}

/// What answers where nothing is mounted.
pub async fn not_found(request: HttpRequest) -> HttpResponse {
    Problem::not_found().respond(&RequestInfo::of(&request))
}

/// What a path can be asked for, as `Allow` lists it.
pub fn allow(methods: impl Iterator<Item = Method>) -> String {
    let mut all: Vec<Method> = methods
        .flat_map(|method| [(method == Method::GET).then_some(Method::HEAD), Some(method)])
        .flatten()
        .collect();
    all.push(Method::OPTIONS);
    all.sort_by_key(|method| method.as_str().to_owned());
    all.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
}

/// Mounts something that can only be read, and is no operation.
pub fn only_get(path: &str, route: Route) -> Resource {
    let allow = allow(std::iter::once(Method::GET));
    let route = route.guard(guard::Any(guard::Get()).or(guard::Head()));
    web::resource(path).route(route).default_service(web::to(move |request: HttpRequest| {
        ready(method_not_allowed(&request, allow.clone()))
    }))
}

/// What answers where something is mounted, but not for this method. Who only asks what there is, is told.
fn method_not_allowed(request: &HttpRequest, allow: String) -> HttpResponse {
    if request.method() == Method::OPTIONS {
        return HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish();
    }
    Problem::new(Code::MethodNotAllowed).allow(allow).respond(&RequestInfo::of(request))
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
