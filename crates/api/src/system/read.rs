use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

use crate::{
    http::{
        CacheControl, Call, Code, Download, HandlerResult, Key, Negotiated, PathKey, PrefersHtml,
        Problem, ok, path,
    },
    operations::op::{self, ReadHealth, ReadProblem, ReadReadiness},
};

/// Liveness of the server.
#[derive(Serialize, ToSchema)]
pub struct HealthView {
    /// Always `alive`.
    #[schema(value_type = String, example = "alive", max_length = 40)]
    status: &'static str,
    /// Version of the server.
    #[schema(value_type = String, example = "0.1.0", max_length = 40)]
    version: &'static str,
}

/// Liveness probe.
///
/// Does not query the database (`/readyz` does), because restarting the process does not repair a
/// failed database connection.
#[utoipa::path(get, path = "/healthz", tag = "system", impl_for = ReadHealth, responses(
    (status = 200, description = "The process is alive.", body = HealthView)
))]
pub async fn read_health(_call: Call<op::ReadHealth>) -> HandlerResult<HealthView> {
    Ok(ok(HealthView { status: "alive", version: env!("CARGO_PKG_VERSION") }))
}

/// Readiness of the server.
#[derive(Serialize, ToSchema)]
pub struct ReadinessView {
    /// Always `ready`: a server that is not ready responds with a problem.
    #[schema(value_type = String, example = "ready", max_length = 40)]
    status: &'static str,
}

/// Readiness probe.
///
/// 200 when the database responds and row-level security, append-only triggers and migrations pass
/// `postern doctor`'s checks; otherwise 503. Results of the checks are cached: 30 s if all pass,
/// otherwise 5 s.
#[utoipa::path(get, path = "/readyz", tag = "system", impl_for = ReadReadiness, responses(
    (status = 200, description = "The server is ready.", body = ReadinessView),
    (status = 503, description = "`unavailable`: the database does not respond or fails a check, \
        or the server is stopping.")
))]
pub async fn read_readiness(call: Call<op::ReadReadiness>) -> HandlerResult<ReadinessView> {
    if call.state().is_stopping() {
        return Err(Problem::new(Code::Unavailable).detail("the server is stopping"));
    }
    let faults = call.state().readiness.faults(&call.state().store).await?;
    if !faults.is_empty() {
        let checks = faults.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Problem::new(Code::Unavailable).detail(format!(
            "database checks failed: {checks}; run `postern doctor` for details"
        )));
    }
    Ok(ok(ReadinessView { status: "ready" }))
}

/// Description of a problem code.
#[derive(Serialize, ToSchema)]
pub struct ProblemPage {
    /// Stable code of the problem.
    #[schema(value_type = String, example = "not_found", max_length = 40)]
    code: &'static str,
    /// HTTP status of the problem.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    status: u16,
    /// Title of the problem.
    #[schema(value_type = String, example = "Not found", max_length = 100)]
    title: &'static str,
    /// Action that resolves the problem.
    #[schema(value_type = String, example = "Check the address.", max_length = 500)]
    remedy: &'static str,
}

impl ProblemPage {
    /// HTML page. It contains nothing from the request, so nothing needs to be escaped.
    fn html(&self) -> String {
        let Self { code, status, title, remedy } = self;
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <title>{code}</title>\n<h1>{title}</h1>\n<p>{remedy}</p>\n\
             <p>Status {status}, code <code>{code}</code>.</p>\n</html>\n"
        )
    }
}

/// Get the description of a problem code.
///
/// `type` in problem responses links here. Returns HTML if `Accept` prefers it.
#[utoipa::path(
    get, path = "/problems/{code}", tag = "system", impl_for = ReadProblem, responses(
    (status = 200, description = "The description.",
        content((ProblemPage = "application/json"), (String = "text/html")),
        headers(("Cache-Control" = inline(CacheControl),
            description = "Cache lifetime of the response."))),
    (status = 404, description = "`not_found`: unknown problem code.")
))]
pub async fn read_problem(
    _call: Call<op::ReadProblem>,
    Key(code): Key<Code>,
    prefers_html: PrefersHtml,
) -> Result<Negotiated<ProblemPage>, Problem> {
    let page = ProblemPage {
        code: code.name(),
        status: code.status().as_u16(),
        title: code.title(),
        remedy: code.remedy(),
    };
    Ok(if prefers_html.0 {
        Negotiated::Other(Download::html(page.html()))
    } else {
        Negotiated::Json(ok(page).public_for(3600))
    })
}

impl PathKey for Code {
    const NAME: &'static str = "code";
    const DESCRIPTION: &'static str = "Code of the problem.";

    fn schema() -> RefOr<Schema> {
        path::text(64, None, Self::NotFound.name()).into()
    }

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}
