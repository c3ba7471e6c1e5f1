use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{Answer, Call, Code, Download, ForPerson, Negotiated, Problem, ok},
    operations::op::{self, ReadHealth, ReadProblem, ReadReadiness},
};

/// That the server lives.
#[derive(Serialize, ToSchema)]
pub struct HealthView {
    /// Always `alive`.
    #[schema(value_type = String, example = "alive")]
    status: &'static str,
    /// The version of the server.
    #[schema(value_type = String, example = "0.1.0")]
    version: &'static str,
}

/// Is the process alive?
///
/// Answers without asking the database: a process that cannot reach it should be taken out of service, not killed.
#[utoipa::path(get, path = "/healthz", tag = "running", impl_for = ReadHealth, responses(
    (status = 200, description = "It is.", body = HealthView)
))]
pub async fn read_health(_call: Call<op::ReadHealth>) -> Answer<HealthView> {
    Ok(ok(HealthView { status: "alive", version: env!("CARGO_PKG_VERSION") }))
}

/// That the server is ready.
#[derive(Serialize, ToSchema)]
pub struct ReadinessView {
    /// Always `ready`; what is missing is a problem.
    #[schema(value_type = String, example = "ready")]
    status: &'static str,
}

/// May it be sent requests?
///
/// Only while the database answers, and the walls that it keeps between tenants and around the record stand as `postern doctor` wants them.
#[utoipa::path(get, path = "/readyz", tag = "running", impl_for = ReadReadiness, responses(
    (status = 200, description = "It may.", body = ReadinessView),
    (status = 503, description = "`unavailable`: the database does not answer or is not as it has to be, or the server is about to stop.")
))]
pub async fn read_readiness(call: Call<op::ReadReadiness>) -> Answer<ReadinessView> {
    if call.state().is_stopping() {
        return Err(Problem::new(Code::Unavailable).detail("the server is about to stop"));
    }
    let faults = call.state().standing.faults(&call.state().store).await?;
    if !faults.is_empty() {
        let checks = faults.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Problem::new(Code::Unavailable).detail(format!(
            "the database is not as it has to be ({checks}); `postern doctor` tells more"
        )));
    }
    Ok(ok(ReadinessView { status: "ready" }))
}

/// A kind of problem, explained.
#[derive(Serialize, ToSchema)]
pub struct ProblemPage {
    /// The kind of problem as a stable word.
    #[schema(value_type = String, example = "not_found")]
    code: &'static str,
    /// The status that it comes with.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    status: u16,
    /// What it is, in a line.
    #[schema(value_type = String, example = "There is no such thing here")]
    title: &'static str,
    /// What to do about it.
    #[schema(value_type = String, example = "Check the address.")]
    remedy: &'static str,
}

impl ProblemPage {
    /// Nothing in it comes from a request.
    fn html(&self) -> String {
        let Self { code, status, title, remedy } = self;
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{code}</title>\n<h1>{title}</h1>\n<p>{remedy}</p>\n\
             <p>Status {status}, code <code>{code}</code>.</p>\n</html>\n"
        )
    }
}

/// What does a problem mean?
///
/// The page that the `type` of a problem leads to: for a browser as HTML.
#[utoipa::path(get, path = "/problems/{code}", tag = "running", impl_for = ReadProblem, responses(
    (status = 200, description = "The explanation.", content((ProblemPage = "application/json"), (String = "text/html")),
        headers(("Cache-Control" = String, description = "For how long the answer may be kept."))),
    (status = 404, description = "`not_found`: there is no problem of that code.")
))]
pub async fn read_problem(
    call: Call<op::ReadProblem>,
    for_person: ForPerson,
) -> Result<Negotiated<ProblemPage>, Problem> {
    let code = Code::ALL
        .iter()
        .find(|code| code.name() == call.path("code"))
        .ok_or_else(Problem::not_found)?;
    let page = ProblemPage {
        code: code.name(),
        status: code.status().as_u16(),
        title: code.title(),
        remedy: code.remedy(),
    };
    Ok(if for_person.0 {
        Negotiated::Other(Download::html(page.html()))
    } else {
        Negotiated::Json(ok(page).public_for(3600))
    })
}
