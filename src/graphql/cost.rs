//! What an operation costs, and the most it may. A field costs 1 and what is below it; a list costs
//! its rows as often as it may hold one, so it is known before anything is read. The number that is
//! told is the number that is limited.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_graphql::{
    ErrorExtensionValues, Response, ServerError, ValidationResult, Value,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation},
    value,
};

use crate::error::Code;

/// Installs the limit.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// The most an operation may cost.
    pub limit: usize,
}

impl ExtensionFactory for Cost {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(CostRun {
            limit: self.limit,
            requested: AtomicUsize::default(),
        })
    }
}

/// One operation, from its check to its last answer.
struct CostRun {
    limit: usize,
    requested: AtomicUsize,
}

impl CostRun {
    fn told(&self, requested: usize) -> Value {
        value!({"requested": requested, "limit": self.limit})
    }

    fn refusal(&self, requested: usize) -> ServerError {
        let limit = self.limit;
        let why = format!(
            "This operation costs {requested}, and {limit} is the most: ask for fewer fields, or for \
             fewer rows with `first`."
        );
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", Code::QueryTooComplex.name());
        extensions.set("cost", self.told(requested));
        let mut error = ServerError::new(why, None);
        error.extensions = Some(extensions);
        error
    }
}

#[async_trait::async_trait]
impl Extension for CostRun {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let checked = next.run(ctx).await?;
        if checked.complexity > self.limit {
            return Err(vec![self.refusal(checked.complexity)]);
        }
        self.requested.store(checked.complexity, Ordering::Relaxed);
        Ok(checked)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let response = next.run(ctx, operation_name).await;
        response.extension("cost", self.told(self.requested.load(Ordering::Relaxed)))
    }
}
