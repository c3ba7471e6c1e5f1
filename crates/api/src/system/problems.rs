use actix_web::web;
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

use super::problem_page;
use crate::{
    http::{
        CacheControl, Call, Code, Download, Key, Negotiated, PathKey, PrefersHtml, Problem,
        ProblemOperations, ok, path,
    },
    operations::op::{self, ListProblems, ReadProblem},
};

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
    /// Situation in which the problem occurs.
    #[schema(value_type = String, example = "The address does not exist.", max_length = 500)]
    cause: &'static str,
    /// Action that resolves the problem.
    #[schema(value_type = String, example = "Check the address.", max_length = 500)]
    remedy: &'static str,
}

impl From<Code> for ProblemPage {
    fn from(code: Code) -> Self {
        Self {
            code: code.name(),
            status: code.status().as_u16(),
            title: code.title(),
            cause: code.cause(),
            remedy: code.remedy(),
        }
    }
}

/// All problem codes.
#[derive(Serialize, ToSchema)]
pub struct ProblemsView {
    /// Descriptions of all problem codes, by status.
    data: Vec<ProblemPage>,
}

/// List problem codes.
///
/// Returns the descriptions of all problem codes, by status. Returns HTML if `Accept` prefers it.
#[utoipa::path(
    get, path = "/problems", tag = "system", impl_for = ListProblems, responses(
    (status = 200, description = "The descriptions.",
        content((ProblemsView = "application/json"), (String = "text/html")),
        headers(("Cache-Control" = inline(CacheControl),
            description = "Cache lifetime of the response.")))
))]
pub async fn list_problems(
    _call: Call<op::ListProblems>,
    prefers_html: PrefersHtml,
) -> Result<Negotiated<ProblemsView>, Problem> {
    Ok(if prefers_html.0 {
        Negotiated::Other(Download::html(problem_page::index()))
    } else {
        let data = Code::ALL.iter().copied().map(ProblemPage::from).collect();
        Negotiated::Json(ok(ProblemsView { data }).public_for(3600))
    })
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
    operations: web::Data<ProblemOperations>,
) -> Result<Negotiated<ProblemPage>, Problem> {
    Ok(if prefers_html.0 {
        Negotiated::Other(Download::html(problem_page::of(code, &operations)))
    } else {
        Negotiated::Json(ok(ProblemPage::from(code)).public_for(3600))
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
