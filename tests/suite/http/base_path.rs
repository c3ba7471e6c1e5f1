//! `server.public_url` with a path, behind a reverse proxy that removes the path or keeps it.

use std::net::TcpListener;

use actix_web::{
    HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::StatusCode,
    rt,
    web::{self, Bytes, Data},
};
use postern_tests::{App, Backend, Response, on_both};
use serde_json::json;

on_both![links_work_if_the_proxy_removes_the_path, links_work_if_the_proxy_keeps_the_path];

const PATH: &str = "/postern";

/// A server with a path in its public URL, behind a proxy. Its clients use the proxy.
struct Proxied {
    app: App,
    proxy: ServerHandle,
    /// Scheme, host and port of the proxy.
    origin: String,
}

#[derive(Clone)]
struct Upstream {
    address: String,
    removes_path: bool,
    client: reqwest::Client,
}

impl Proxied {
    async fn start(backend: Backend, removes_path: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let origin = format!("http://{}", listener.local_addr().expect("the socket is bound"));
        let public_url = format!("{origin}{PATH}");
        let mut app = App::start(backend, |config| {
            public_url.clone_into(&mut config.server.public_url);
        })
        .await;
        let client = without_redirects();
        let upstream = Upstream { address: app.address.clone(), removes_path, client };
        let server = HttpServer::new(move || {
            let route = web::to(forward);
            actix_web::App::new().app_data(Data::new(upstream.clone())).default_service(route)
        });
        let server = server.workers(1).disable_signals().listen(listener).expect("listens").run();
        let proxy = server.handle();
        rt::spawn(server);
        app.address = public_url;
        Self { app, proxy, origin }
    }

    /// Sends a GET to a link in a response, as a client resolves it.
    async fn follow(&self, link: &str, token: Option<&String>) -> Response {
        assert!(link.starts_with(&format!("{PATH}/")), "the link has the path: {link}");
        let request = self.app.client.get(format!("{}{link}", self.origin));
        let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        Response::of(request.send().await).await
    }

    async fn finish(self) {
        self.app.finish().await;
        self.proxy.stop(false).await;
    }
}

fn without_redirects() -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.build().expect("an HTTP client")
}

/// Forwards a request below the path to the server.
async fn forward(request: HttpRequest, body: Bytes, upstream: Data<Upstream>) -> HttpResponse {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let rest = match target.strip_prefix(PATH) {
        Some(rest) if upstream.removes_path => rest,
        Some(_) => target,
        None if target.starts_with("/.well-known/") => target,
        None => return HttpResponse::NotFound().finish(),
    };
    let method = request.method().as_str().parse().expect("an HTTP method");
    let mut forwarded = upstream.client.request(method, format!("{}{rest}", upstream.address));
    for (name, value) in request.headers().iter().filter(|(name, _)| *name != "host") {
        forwarded = forwarded.header(name.as_str(), value.as_bytes());
    }
    let response = forwarded.body(body).send().await.expect("the server responds");
    let status = StatusCode::from_u16(response.status().as_u16()).expect("a status");
    let mut reply = HttpResponse::build(status);
    for (name, value) in response.headers() {
        if !["connection", "content-length", "transfer-encoding"].contains(&name.as_str()) {
            reply.append_header((name.as_str(), value.as_bytes()));
        }
    }
    reply.body(response.bytes().await.expect("the body is complete"))
}

async fn links_work_if_the_proxy_removes_the_path(t: &App) {
    let server = Proxied::start(t.backend, true).await;
    assert_links_work(&server).await;
    server.finish().await;
}

async fn links_work_if_the_proxy_keeps_the_path(t: &App) {
    let server = Proxied::start(t.backend, false).await;
    assert_links_work(&server).await;
    server.finish().await;
}

async fn assert_links_work(server: &Proxied) {
    let app = &server.app;
    // Location of a new resource, and Link of a list.
    let support = app.sign_in("eng@postern.example").await;
    let owner = app.sign_in("owner@acme.example").await;
    let created =
        owner.post("/v1/orgs", json!({ "name": "Umbrella", "slug": "umbrella" })).await.expect(201);
    let org = server.follow(&created.header("location"), owner.token.as_ref()).await.expect(200);
    assert_eq!(org.text("/slug"), "umbrella", "Location leads to the org");
    let page = support.get("/v1/admin/audit-events?limit=1").await.expect(200);
    let link = page.header("link");
    let next = link.split_once('<').and_then(|(_, rest)| rest.split_once('>')).expect("a link").0;
    let second = server.follow(next, support.token.as_ref()).await.expect(200);
    assert_ne!(second.json["data"], page.json["data"], "Link leads to the next page");
    // The type of a problem leads to its page.
    let problem = owner.get("/v1/orgs/nowhere").await;
    assert_eq!(problem.status, 404, "the org does not exist: {}", problem.body);
    let page = server.follow(&problem.text("/type"), None).await.expect(200);
    assert_eq!(page.text("/code"), "not_found", "the type leads to the problem page");
    assert_issuer(server).await;
    assert_docs(server).await;
}

/// The metadata is where clients look for it, at the issuer's host (RFC 8414, 3.1).
async fn assert_issuer(server: &Proxied) {
    let url = format!("{}/.well-known/oauth-authorization-server{PATH}", server.origin);
    let metadata = Response::of(server.app.client.get(url).send().await).await.expect(200);
    let issuer = format!("{}{PATH}", server.origin);
    assert_eq!(metadata.text("/issuer"), issuer, "the issuer has the path");
    for link in ["/jwks_uri", "/service_documentation"] {
        let url = metadata.text(link);
        assert!(url.starts_with(&format!("{issuer}/")), "{link} has the path: {url}");
        let response = Response::of(server.app.client.get(url).send().await).await;
        assert_eq!(response.status, 200, "{link} leads to a page");
    }
}

/// The documentation page and each of its files.
async fn assert_docs(server: &Proxied) {
    let address = &server.app.address;
    let moved = without_redirects().get(format!("{address}/docs")).send().await;
    let moved = Response::of(moved).await;
    assert_eq!(moved.header("location"), format!("{PATH}/docs/"), "the redirect has the path");
    let page = server.follow(&moved.header("location"), None).await;
    let files: Vec<&str> = page
        .body
        .split(['"', '\''])
        .filter_map(|text| text.strip_prefix("./"))
        .filter(|file| file.contains('.'))
        .collect();
    assert!(files.len() >= 4, "the page has files: {files:?}");
    for file in files {
        let response = server.follow(&format!("{PATH}/docs/{file}"), None).await;
        assert_eq!(response.status, 200, "{file} is served");
    }
}
