//! Null where the language wants it. The library leaves a field that failed out of its object and
//! never lets a failure rise, so a client that was promised a value finds neither it nor a null.
//! Here a field that failed is null; where null is not allowed, what holds it is null instead, and so
//! on up to the whole answer. Refused: patching answers afterwards, when the types are forgotten.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::{
    PathSegment, QueryPathNode, QueryPathSegment, Response, ServerError, ServerResult, Value,
    extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo,
    },
};

/// Installs the rule.
#[derive(Debug)]
pub struct Nulls;

impl ExtensionFactory for Nulls {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Run::default())
    }
}

/// One answer on its way.
#[derive(Default)]
struct Run(Mutex<Failures>);

#[derive(Default)]
struct Failures {
    errors: Vec<ServerError>,
    /// Places that must be null because something they hold must not be and is.
    holes: Vec<Vec<PathSegment>>,
}

impl Run {
    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Extension for Run {
    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let node = info.path_node;
        if matches!(node.segment, QueryPathSegment::Index(_)) {
            // The library forgets here whether items may be null; their field knows.
            return next.run(ctx, info).await;
        }
        let kind = info.return_type.to_owned();
        let outcome = next.run(ctx, info).await;
        let mut failures = self.failures();
        let (mut value, mut failed) = match outcome {
            Ok(Some(value)) if value != Value::Null && failures.holes.is_empty() => {
                return Ok(Some(value));
            }
            Ok(value) => (value.unwrap_or_default(), false),
            Err(error) => {
                failures.errors.push(error);
                (Value::Null, true)
            }
        };
        let mut path = path_of(node);
        let own = |hole: &mut Vec<PathSegment>| hole.starts_with(&path);
        for hole in failures.holes.extract_if(.., own) {
            failed = true;
            let inside = hole.get(path.len()..).unwrap_or_default();
            punch(&mut value, &kind, inside);
        }
        if failed && value == Value::Null && kind.ends_with('!') {
            path.pop();
            failures.holes.push(path);
        }
        Ok(Some(value))
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut response = next.run(ctx, operation_name).await;
        let failures = std::mem::take(&mut *self.failures());
        response.errors.extend(failures.errors);
        if failures.holes.iter().any(Vec::is_empty) {
            response.data = Value::Null;
        }
        response
    }
}

/// Makes a place in lists within each other null, and the lists round it that may not hold one.
fn punch(value: &mut Value, kind: &str, inside: &[PathSegment]) {
    let kind = kind.strip_suffix('!').unwrap_or(kind);
    let item = kind
        .strip_prefix('[')
        .and_then(|kind| kind.strip_suffix(']'));
    let whole = match (&mut *value, inside.split_first(), item) {
        (Value::List(items), Some((PathSegment::Index(index), inside)), Some(kind)) => {
            items.get_mut(*index).is_none_or(|item| {
                punch(item, kind, inside);
                *item == Value::Null && kind.ends_with('!')
            })
        }
        _ => true,
    };
    if whole {
        *value = Value::Null;
    }
}

fn path_of(node: &QueryPathNode<'_>) -> Vec<PathSegment> {
    let mut path: Vec<PathSegment> = std::iter::once(node)
        .chain(node.parents())
        .map(|node| match &node.segment {
            QueryPathSegment::Index(index) => PathSegment::Index(*index),
            QueryPathSegment::Name(name) => PathSegment::Field((*name).to_owned()),
        })
        .collect();
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, Object, Schema, Subscription};
    use futures_util::{Stream, StreamExt, stream};

    use super::*;
    use crate::error::{Error, Result};

    struct Query;
    struct Leaf(i32);
    struct Events;

    #[Object]
    impl Leaf {
        async fn fine(&self) -> i32 {
            self.0
        }

        async fn maybe(&self) -> Result<Option<i32>> {
            Err(Error::Forbidden)
        }

        /// Fails for 2 only.
        async fn must(&self) -> Result<i32> {
            if self.0 == 2 {
                Err(Error::Forbidden)
            } else {
                Ok(self.0)
            }
        }
    }

    #[Object]
    impl Query {
        async fn fine(&self) -> i32 {
            1
        }

        async fn maybe(&self) -> Result<Option<i32>> {
            Err(Error::Forbidden)
        }

        async fn must(&self) -> Result<i32> {
            Err(Error::Forbidden)
        }

        async fn leaf(&self, n: i32) -> Leaf {
            Leaf(n)
        }

        async fn maybe_leaf(&self, n: i32) -> Option<Leaf> {
            Some(Leaf(n))
        }

        async fn leaves(&self) -> Option<Vec<Leaf>> {
            Some(vec![Leaf(1), Leaf(2)])
        }

        async fn grid(&self) -> Vec<Option<Vec<Leaf>>> {
            vec![Some(vec![Leaf(1), Leaf(2)]), Some(vec![Leaf(1)])]
        }

        async fn maybe_leaves(&self) -> Vec<Option<Leaf>> {
            vec![Some(Leaf(1)), Some(Leaf(2)), None]
        }
    }

    #[Subscription]
    impl Events {
        async fn leaves(&self) -> impl Stream<Item = Leaf> + use<> {
            stream::iter([Leaf(2), Leaf(3)])
        }

        async fn failures(&self) -> impl Stream<Item = Result<i32>> + use<> {
            stream::iter([Err(Error::Forbidden), Ok(1)])
        }
    }

    fn schema() -> Schema<Query, EmptyMutation, Events> {
        Schema::build(Query, EmptyMutation, Events)
            .extension(Nulls)
            .finish()
    }

    #[tokio::test]
    async fn a_failure_rises_to_the_nearest_place_that_may_be_null() {
        let table = [
            ("{ fine maybe }", "{fine: 1, maybe: null}", 1),
            ("{ fine must }", "null", 1),
            (
                "{ fine leaf(n: 1) { fine maybe } }",
                "{fine: 1, leaf: {fine: 1, maybe: null}}",
                1,
            ),
            ("{ fine leaf(n: 2) { fine must } }", "null", 1),
            (
                "{ fine a: maybeLeaf(n: 2) { fine must } b: maybeLeaf(n: 1) { must } }",
                "{fine: 1, a: null, b: {must: 1}}",
                1,
            ),
            ("{ leaves { must } fine }", "{leaves: null, fine: 1}", 1),
            (
                "{ maybeLeaves { must } }",
                "{maybeLeaves: [{must: 1}, null, null]}",
                1,
            ),
            (
                "{ maybeLeaf(n: 2) { maybe a: must b: must } }",
                "{maybeLeaf: null}",
                3,
            ),
            (
                "{ __type(name: \"Leaf\") { name ofType { name } } none: __type(name: \"None\") { name } }",
                "{__type: {name: \"Leaf\", ofType: null}, none: null}",
                0,
            ),
        ];
        for (query, data, errors) in table {
            let response = schema().execute(query).await;
            assert_eq!(response.data.to_string(), data, "{query}");
            assert_eq!(response.errors.len(), errors, "{query}");
            assert!(response.errors.iter().all(|error| !error.path.is_empty()));
        }
    }

    #[tokio::test]
    async fn each_event_stands_for_itself() {
        for (query, events) in [
            (
                "subscription { leaves { must } }",
                ["null", "{leaves: {must: 3}}"],
            ),
            ("subscription { failures }", ["null", "{failures: 1}"]),
        ] {
            let stream = schema().execute_stream(query);
            let heard: Vec<Response> = stream.collect().await;
            let data: Vec<String> = heard.iter().map(|event| event.data.to_string()).collect();
            assert_eq!(data, events, "{query}");
            assert_eq!(
                (heard[0].errors.len(), heard[1].errors.len()),
                (1, 0),
                "{query}"
            );
        }
    }
}
