//! From request to response, the same way for every operation: read the body, authorize the call,
//! extract the handler's arguments, run the handler, and record a denial.
//!
//! Each request runs in its own task. actix-web drops a handler when the client resets the
//! connection; the task continues, so that a unit of work that has begun runs to its end.

use std::{cell::OnceCell, rc::Rc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    body::{self, BodySize, BoxBody, MessageBody},
    http::{Method, StatusCode},
    rt,
    web::{self, Bytes, Payload},
};
use postern_domain::{operation::Operation, scope::ScopeKind};
use postern_persistence::limit_waits;
use tracing::{Instrument, Span};
use utoipa::openapi::path::Parameter;

use super::{
    authorization::EnterScope,
    body as request_body,
    call::{Authorized, Call},
    code::Code,
    deprecation,
    input::{FromInput, Input},
    problem::Problem,
    query::reject_unknown,
    reply::Respond,
    request_info::RequestInfo,
};
use crate::{operations::Op, state::State};

/// A handler: an async function that takes its call and up to four extracted arguments.
pub trait Handler<O: Op, Args>: Copy + 'static
where
    O::Scope: EnterScope,
{
    type Given: Respond;
    const TAKES_BODY: bool;
    const PAGES: bool;

    /// Parameters of its arguments.
    fn parameters() -> Vec<Parameter>;

    /// Problems that the extraction of its arguments can return.
    fn problems() -> Vec<Code>;

    /// Extracts its arguments, and returns the first problem.
    fn check(input: &Input) -> Result<(), Problem>;

    fn run(
        self,
        call: Call<O>,
        input: &Input,
    ) -> impl Future<Output = Result<Self::Given, Problem>>;
}

macro_rules! handler {
    ($($argument:ident)*) => {
        impl<O, F, Fut, T, $($argument),*> Handler<O, ($($argument,)*)> for F
        where
            O: Op,
            O::Scope: EnterScope,
            F: Fn(Call<O> $(, $argument)*) -> Fut + Copy + 'static,
            Fut: Future<Output = Result<T, Problem>>,
            T: Respond,
            $($argument: FromInput,)*
        {
            type Given = T;
            const TAKES_BODY: bool = false $(|| $argument::TAKES_BODY)*;
            const PAGES: bool = false $(|| $argument::PAGES)*;

            fn parameters() -> Vec<Parameter> {
                let arguments: &[fn() -> Vec<Parameter>] = &[$($argument::parameters),*];
                arguments.iter().flat_map(|parameters| parameters()).collect()
            }

            fn problems() -> Vec<Code> {
                let arguments: &[&[Code]] = &[$($argument::PROBLEMS),*];
                arguments.iter().copied().flatten().copied().collect()
            }

            fn check(input: &Input) -> Result<(), Problem> {
                // Unused by a handler without arguments.
                let _ = input;
                $($argument::from_input(input)?;)*
                Ok(())
            }

            async fn run(self, call: Call<O>, input: &Input) -> Result<T, Problem> {
                // Unused by a handler without arguments.
                let _ = input;
                self(call $(, $argument::from_input(input)?)*).await
            }
        }
    };
}

handler!();
handler!(A);
handler!(A B);
handler!(A B C);
handler!(A B C D);

/// Time that a request waits for the database in total. With the time to find out the outcome of a
/// commit, it is answered within 15 s.
const MAX_DATABASE_WAIT: Duration = Duration::from_secs(11);

/// Entry point that actix-web calls for each request of an operation.
pub async fn serve<O, Args, H>(
    handler: H,
    query: Rc<[String]>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse
where
    O: Op,
    O::Scope: EnterScope,
    H: Handler<O, Args>,
    Args: 'static,
{
    let request_info = RequestInfo::of(&request);
    let head = request.method() == Method::HEAD;
    // Boxed before spawning: the future is large, and each move would copy it.
    let response = Box::pin(respond(handler, query, request, payload));
    let response = limit_waits(MAX_DATABASE_WAIT, response).instrument(Span::current());
    let result = rt::spawn(response).await;
    let mut response = match result {
        // A stream without a reader would occupy the connection until it ends.
        Ok(Ok(response)) if head && response.body().size() == BodySize::Stream => {
            response.map_body(|_, _| BoxBody::new(body::None::new()))
        }
        Ok(Ok(response)) => response,
        Ok(Err(problem)) => problem.respond(&request_info),
        Err(error) => {
            tracing::error!(%error, operation = O::ROW.id, "handler panicked");
            Problem::new(Code::Internal).respond(&request_info)
        }
    };
    if let Some(deprecated) = &O::ROW.deprecated {
        deprecation::announce(response.headers_mut(), deprecated);
    }
    response
}

async fn respond<O, Args, H>(
    handler: H,
    query: Rc<[String]>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem>
where
    O: Op,
    O::Scope: EnterScope,
    H: Handler<O, Args>,
{
    let state = request
        .app_data::<web::Data<State>>()
        .cloned()
        .expect("the app has the state")
        .into_inner();
    // The body is read before a transaction opens, so that a slow client holds none. A failure to
    // read it is returned after authorization, so that a request under impersonation is recorded
    // in any case.
    let read = if H::TAKES_BODY {
        request_body::read(&request, payload, &state.server).await
    } else {
        Ok(Bytes::new())
    };
    let (body, body_problem) =
        read.map_or_else(|problem| (Bytes::new(), Some(problem)), |body| (body, None));
    let input = Rc::new(Input { request, body, token_checked_at: OnceCell::new() });
    let call = match Call::<O>::authorize(state, Rc::clone(&input)).await? {
        Authorized::Call(call) => call,
        Authorized::Replay(reply) => return Ok(reply.respond(true)),
    };
    if let Some(problem) = body_problem {
        return Err(problem);
    }
    let denial = call.denial();
    reject_unknown(input.request.query_string(), &query)?;
    match answer(handler, call, &input).await {
        Ok(response) => Ok(response),
        Err(problem) => {
            if let Some(denial) = denial.filter(|_| is_denial(O::ROW, &problem)) {
                denial.record(problem.code()).await?;
            }
            Err(problem)
        }
    }
}

/// Response of the handler, or to HEAD of an audited read.
async fn answer<O, Args, H>(
    handler: H,
    call: Call<O>,
    input: &Input,
) -> Result<HttpResponse, Problem>
where
    O: Op,
    O::Scope: EnterScope,
    H: Handler<O, Args>,
{
    if is_audited_head(O::ROW, &input.request) {
        drop(call);
        return H::check(input).map(|()| without_content::<H::Given>(input));
    }
    Ok(handler.run(call, input).await?.respond(false))
}

/// Whether a request is HEAD of an audited read. Its handler does not run: it reads nothing, so
/// there is nothing to record.
fn is_audited_head(operation: &Operation, request: &HttpRequest) -> bool {
    request.method() == Method::HEAD && !operation.records.actions().is_empty()
}

/// Response to HEAD without the headers that GET derives from the content, such as its length.
fn without_content<T: Respond>(input: &Input) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(media_type) = T::media_type(input) {
        response.content_type(media_type);
    }
    response.body(body::None::new())
}

/// Whether to record the problem as a denial. Every 403 is one, except a wrong password, which is
/// recorded as a failed sign-in. A 404 is one too: the ID may belong to another org, and the
/// response does not say. Staff have access to all orgs, so their 404s are not recorded.
fn is_denial(operation: &Operation, problem: &Problem) -> bool {
    match problem.code() {
        Code::WrongPassword => false,
        Code::NotFound => operation.scope != ScopeKind::Staff && problem.is_denial(),
        code => code.status() == StatusCode::FORBIDDEN,
    }
}
