//! The one error policy of the API. Whatever a resolver returns passes here: our errors get their
//! code, refusals that reach the top become `BAD_USER_INPUT`, and everything we did not write the
//! text of is logged with the request's id and replaced by one sentence.

use std::sync::Arc;

use async_graphql::{
    Response, ServerError, SimpleObject, Value, Variables,
    extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextParseQuery, NextRequest, NextSubscribe,
        NextValidation,
    },
    parser::types::ExecutableDocument,
};
use futures_util::stream::{BoxStream, StreamExt};

use crate::error::{Code, Error, ErrorCode, Refusal, Result};

/// The id of a request, given to every error and log line of it.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// A failure a client is expected to meet and can act on.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// What sort of failure it is; the list only ever grows.
    pub code: ErrorCode,
    /// A sentence for people: what is wrong, and what to do about it.
    pub message: String,
    /// The field of `input` that is to blame, as a path; absent if none is.
    pub field: Option<Vec<String>>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// How long to wait before that, in seconds.
    pub retry_after_seconds: Option<u32>,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: refusal.code,
            message: refusal.message,
            field: refusal.field,
            retryable: refusal.retryable,
            retry_after_seconds: refusal.retry_after,
        }
    }
}

/// The answer of a mutation: what its verb returned, or the payload made of what a client can act
/// on. Everything else goes on as an error.
pub fn settle<P>(result: Result<P>, refused: impl FnOnce(Vec<UserError>) -> P) -> Result<P> {
    match result {
        Err(Error::Refused(refusals)) => {
            Ok(refused(refusals.into_iter().map(UserError::from).collect()))
        }
        Err(Error::Provider(error)) => {
            tracing::warn!(provider.code = %error.code, %error, "the provider refused a call");
            Ok(refused(vec![Refusal::from_provider(&error).into()]))
        }
        other => other,
    }
}

/// Installs the policy.
#[derive(Debug)]
pub struct ErrorPolicy;

impl ExtensionFactory for ErrorPolicy {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(ErrorPolicyRun)
    }
}

struct ErrorPolicyRun;

#[async_trait::async_trait]
impl Extension for ErrorPolicyRun {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        let mut response = next.run(ctx).await;
        settle_errors(ctx, &mut response);
        response
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        let id = request_id(ctx);
        next.run(ctx, stream)
            .map(move |mut response| {
                response
                    .errors
                    .iter_mut()
                    .for_each(|error| settle_error(error, id.as_ref()));
                response
            })
            .boxed()
    }

    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> async_graphql::ServerResult<ExecutableDocument> {
        next.run(ctx, query, variables).await.map_err(|mut error| {
            error.message = one_line(&error.message);
            coded(error, Code::ParseFailed)
        })
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<async_graphql::ValidationResult, Vec<ServerError>> {
        let code = |error| coded(error, Code::ValidationFailed);
        let checked = next.run(ctx).await;
        checked.map_err(|errors| errors.into_iter().map(code).collect())
    }
}

fn request_id(ctx: &ExtensionContext<'_>) -> Option<RequestId> {
    ctx.data_opt::<RequestId>().cloned()
}

fn settle_errors(ctx: &ExtensionContext<'_>, response: &mut Response) {
    if !response.errors.is_empty() {
        let id = request_id(ctx);
        response
            .errors
            .iter_mut()
            .for_each(|error| settle_error(error, id.as_ref()));
    }
}

/// Gives an error its code and its public text, and logs what is not public.
fn settle_error(error: &mut ServerError, id: Option<&RequestId>) {
    let ours = error.source::<Error>().cloned();
    let coded = error
        .extensions
        .as_ref()
        .is_some_and(|extensions| extensions.get("code").is_some());
    if !coded {
        let code = match (&ours, &error.source) {
            (Some(ours), _) => code_of(ours),
            // Without a cause the text is the library's own, about the request.
            (None, None) => Code::BadUserInput,
            (None, Some(_)) => Code::Internal,
        };
        if code == Code::Internal {
            let request = id.map_or("-", |id| &id.0);
            let cause = ours
                .as_ref()
                .map_or_else(|| error.message.clone(), Error::chain);
            tracing::error!(request.id = request, error = cause, "a request failed");
            "Something went wrong on the server.".clone_into(&mut error.message);
        }
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("code", code.name());
    }
}

/// The code of an error in `extensions.code`.
pub fn code_of(error: &Error) -> Code {
    match error {
        Error::Unauthenticated => Code::Unauthenticated,
        Error::Forbidden => Code::Forbidden,
        Error::BadInput(_) | Error::Refused(_) => Code::BadUserInput,
        Error::NotFound(_) => Code::NotFound,
        Error::CursorExpired => Code::CursorExpired,
        Error::Unavailable(_) => Code::Unavailable,
        Error::Provider(error) if error.class.is_transient() => Code::Unavailable,
        Error::Provider(_) | Error::Undelivered { .. } | Error::LeaseLost | Error::Internal(_) => {
            Code::Internal
        }
    }
}

/// Gives an error a code, unless who made it did.
fn coded(mut error: ServerError, code: Code) -> ServerError {
    let extensions = error.extensions.get_or_insert_default();
    if extensions.get("code").is_none() {
        extensions.set("code", Value::from(code.name()));
    }
    error
}

/// The parser draws a picture of several lines; clients show one.
pub fn one_line(message: &str) -> String {
    let last = message
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix("= "));
    last.map_or_else(
        || message.lines().next().unwrap_or_default().to_owned(),
        |why| format!("Syntax error: {why}"),
    )
}
