//! From a request to an answer, the same way for every operation: read the body, admit the call, extract what the
//! handler asks for, run it, and record it if it was denied.
//!
//! All of it runs in a task of its own. actix-web drops a handler when the client resets the connection; the task goes
//! on, so that a unit of work that has begun runs to its end.

use std::{cell::OnceCell, rc::Rc};

use actix_web::{
    HttpRequest, HttpResponse,
    body::{self, BodySize, BoxBody, MessageBody},
    http::{Method, StatusCode},
    rt,
    web::{self, Bytes, Payload},
};
use postern_domain::{operation::Operation, scope::ScopeKind};
use tracing::{Instrument, Span};

use super::{
    RequestInfo,
    admission::Entry,
    body as request_body,
    call::{Authorized, Call},
    code::Code,
    deprecation,
    input::{FromInput, Input},
    params,
    problem::Problem,
    reply::Respond,
};
use crate::{operations::Op, state::State};

/// A handler: an async function of its call and up to four things more.
pub trait Handler<O: Op, Args>: Copy + 'static
where
    O::Scope: Entry,
{
    type Given: Respond;
    const TAKES_BODY: bool;
    const QUERY: &'static [&'static [&'static str]];

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
            O::Scope: Entry,
            F: Fn(Call<O> $(, $argument)*) -> Fut + Copy + 'static,
            Fut: Future<Output = Result<T, Problem>>,
            T: Respond,
            $($argument: FromInput,)*
        {
            type Given = T;
            const TAKES_BODY: bool = false $(|| $argument::TAKES_BODY)*;
            const QUERY: &'static [&'static [&'static str]] = &[$($argument::QUERY),*];

            async fn run(self, call: Call<O>, input: &Input) -> Result<T, Problem> {
                // A handler without arguments looks at nothing of it.
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

/// What actix-web calls for each request of an operation.
pub async fn serve<O, Args, H>(handler: H, request: HttpRequest, payload: Payload) -> HttpResponse
where
    O: Op,
    O::Scope: Entry,
    H: Handler<O, Args>,
    Args: 'static,
{
    let request_info = RequestInfo::of(&request);
    let head = request.method() == Method::HEAD;
    // Boxed first: the future is large, and each hand it went through on its way into the task would copy it.
    let done =
        rt::spawn(Box::pin(answer(handler, request, payload)).instrument(Span::current())).await;
    let mut response = match done {
        // A stream that nobody is sent would keep the connection until it ends.
        Ok(Ok(response)) if head && response.body().size() == BodySize::Stream => {
            response.map_body(|_, _| BoxBody::new(body::None::new()))
        }
        Ok(Ok(response)) => response,
        Ok(Err(problem)) => problem.respond(&request_info),
        Err(error) => {
            tracing::error!(%error, operation = O::ROW.id, "a handler panicked");
            Problem::new(Code::Internal).respond(&request_info)
        }
    };
    if let Some(deprecated) = &O::ROW.deprecated {
        deprecation::announce(response.headers_mut(), deprecated);
    }
    response
}

async fn answer<O, Args, H>(
    handler: H,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem>
where
    O: Op,
    O::Scope: Entry,
    H: Handler<O, Args>,
{
    let state = request
        .app_data::<web::Data<State>>()
        .cloned()
        .expect("the state is part of the app")
        .into_inner();
    // Read before the database is troubled, so that nobody holds a transaction while they dawdle; judged after, so that a
    // request under another's name is recorded whatever comes of it.
    let read = if H::TAKES_BODY {
        request_body::read(&request, payload, &state.server).await
    } else {
        Ok(Bytes::new())
    };
    let (body, unread) =
        read.map_or_else(|problem| (Bytes::new(), Some(problem)), |body| (body, None));
    let input = Rc::new(Input { request, body, good_at: OnceCell::new() });
    let call = match Call::<O>::authorize(state, Rc::clone(&input)).await? {
        Authorized::Call(call) => call,
        Authorized::Replay(reply) => return Ok(reply.respond(true)),
    };
    if let Some(problem) = unread {
        return Err(problem);
    }
    let denial = call.denial();
    params::refuse_unknown(input.request.query_string(), H::QUERY)?;
    match handler.run(call, &input).await {
        Ok(reply) => Ok(reply.respond(false)),
        Err(problem) => {
            if let Some(denial) = denial.filter(|_| is_denial(O::ROW, &problem)) {
                denial.record(problem.code()).await?;
            }
            Err(problem)
        }
    }
}

/// Every 403 is somebody known asking for what they may not do; but a wrong password is a failed sign-in, and recorded as one.
/// Who asks for an id that is not theirs is told that it is not there: whether it is anybody's cannot be seen, so that each
/// such request is recorded. Staff see everybody's, and a wrong id of theirs is a slip.
fn is_denial(operation: &Operation, problem: &Problem) -> bool {
    match problem.code() {
        Code::WrongPassword => false,
        Code::NotFound => operation.scope != ScopeKind::Staff && problem.hides(),
        code => code.status() == StatusCode::FORBIDDEN,
    }
}
