//! Mounting of handlers. Method and path come from the annotation of a handler, everything else
//! from its row in the operations table. One registration serves both the app and the OpenAPI
//! document, so the two cannot differ.

use std::{collections::BTreeMap, future::ready, rc::Rc, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, Resource, Route, guard,
    http::{Method, header},
    web::{self, Payload, ServiceConfig},
};
use postern_domain::operation::Operation;
use utoipa::openapi::{
    HttpMethod, RefOr, Schema,
    path::{self, Parameter, ParameterIn},
};

use super::{
    authorization::EnterScope,
    code::Code,
    documented::{Documented, documented},
    endpoint::{self, Handler},
    problem::Problem,
    request_info::RequestInfo,
};
use crate::operations::Op;

/// A mounted operation.
pub struct Mounted {
    pub row: &'static Operation,
    pub path: String,
    pub method: HttpMethod,
    pub document: path::Operation,
    /// Schemas that it refers to, by name.
    pub schemas: Vec<(String, RefOr<Schema>)>,
    pub takes_body: bool,
    /// Whether it returns pages of a list.
    pub pages: bool,
    /// Problems that the extraction of its arguments can return.
    pub problems: Vec<Code>,
    route: Arc<dyn Fn(Method) -> Route + Send + Sync>,
}

/// All mounted operations.
#[derive(Default)]
pub struct Routes(Vec<Mounted>);

impl Routes {
    /// Mounts a handler at the method and path of its annotation.
    pub fn add<O, Args, H>(&mut self, handler: H) -> &mut Self
    where
        O: Op + Documented,
        O::Scope: EnterScope,
        H: Handler<O, Args> + Send + Sync,
        Args: 'static,
    {
        let method = O::methods().into_iter().next().expect("an annotation names a method");
        let (mut document, schemas) = documented::<O>();
        let parameters: Vec<Parameter> =
            O::Scope::parameters().into_iter().chain(H::parameters()).collect();
        let query: Vec<String> = parameters
            .iter()
            .filter(|parameter| matches!(parameter.parameter_in, ParameterIn::Query))
            .map(|parameter| parameter.name.clone())
            .collect();
        document.parameters = Some(parameters.into_iter().map(RefOr::T).collect());
        self.0.push(Mounted {
            row: O::ROW,
            path: O::path(),
            method,
            document,
            schemas,
            takes_body: H::TAKES_BODY,
            pages: H::PAGES,
            problems: H::problems(),
            route: Arc::new(move |method| {
                let query: Rc<[String]> = query.as_slice().into();
                web::method(method).to(move |request: HttpRequest, payload: Payload| {
                    endpoint::serve::<O, Args, H>(handler, Rc::clone(&query), request, payload)
                })
            }),
        });
        self
    }

    pub fn mounted(&self) -> &[Mounted] {
        &self.0
    }

    /// Mounts all operations in an app.
    pub fn configure(&self, config: &mut ServiceConfig) {
        let mut resources: BTreeMap<&str, Vec<&Mounted>> = BTreeMap::new();
        for mounted in &self.0 {
            resources.entry(&mounted.path).or_default().push(mounted);
        }
        for (path, mounted) in resources {
            let allow = allow(mounted.iter().map(|operation| actix_method(&operation.method)));
            // A tile path contains slashes (C2SP tlog-tiles); OpenAPI has no such parameter.
            let pattern = path.replace("{tile}", "{tile:.+}");
            let resource = mounted.iter().fold(web::resource(pattern), |resource, operation| {
                let Mounted { method, route, .. } = operation;
                // Each GET also serves HEAD (RFC 9110, 9.3.2).
                let head = matches!(method, HttpMethod::Get).then(|| route(Method::HEAD));
                head.into_iter().fold(resource.route(route(actix_method(method))), Resource::route)
            });
            config.service(resource.default_service(web::to(move |request: HttpRequest| {
                ready(method_not_allowed(&request, allow.clone()))
            })));
        }
    }
}

/// Handler for unknown paths.
pub async fn not_found(request: HttpRequest) -> HttpResponse {
    Problem::not_found().respond(&RequestInfo::of(&request))
}

/// Value of `Allow`: the methods of a path, HEAD and OPTIONS included.
pub fn allow(methods: impl Iterator<Item = Method>) -> String {
    let mut all: Vec<Method> = methods
        .flat_map(|method| [(method == Method::GET).then_some(Method::HEAD), Some(method)])
        .flatten()
        .collect();
    all.push(Method::OPTIONS);
    all.sort_by_key(|method| method.as_str().to_owned());
    all.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
}

/// Mounts a read-only resource that is not an operation.
pub fn only_get(path: &str, route: Route) -> Resource {
    let allow = allow(std::iter::once(Method::GET));
    let route = route.guard(guard::Any(guard::Get()).or(guard::Head()));
    web::resource(path).route(route).default_service(web::to(move |request: HttpRequest| {
        ready(method_not_allowed(&request, allow.clone()))
    }))
}

/// Response for a method that a path does not support: 204 with `Allow` for OPTIONS, otherwise 405.
fn method_not_allowed(request: &HttpRequest, allow: String) -> HttpResponse {
    if request.method() == Method::OPTIONS {
        return HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish();
    }
    Problem::new(Code::MethodNotAllowed).allow(allow).respond(&RequestInfo::of(request))
}

pub(super) fn actix_method(method: &HttpMethod) -> Method {
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
