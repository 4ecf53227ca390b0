//! Fields in the order they were asked for. The library answers with fields in the order in which
//! they were done, so the same question gives another text each time; people who read answers and
//! clients that compare them expect the order of the document.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned, Value,
    parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};

use super::empty;

/// The order of the fields of one selection, with that of the fields below each.
#[derive(Debug, Default)]
pub(super) struct Order(HashMap<Name, (usize, Order)>);

impl Order {
    /// The order an operation asks for. The document was weighed, so its fragments end.
    pub(super) fn of(
        document: &ExecutableDocument,
        operation: &Positioned<OperationDefinition>,
    ) -> Self {
        let mut order = Self::default();
        order.read(document, &operation.node.selection_set.node);
        order
    }

    fn read(&mut self, document: &ExecutableDocument, selections: &SelectionSet) {
        for selection in &selections.items {
            match &selection.node {
                Selection::Field(field) => {
                    let next = self.0.len();
                    let key = field.node.response_key().node.clone();
                    let (_, below) = self.0.entry(key).or_insert_with(|| (next, Self::default()));
                    below.read(document, &field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    self.read(document, &fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node)
                    {
                        self.read(document, &fragment.node.selection_set.node);
                    }
                }
            }
        }
    }

    /// Brings an answer into this order, without what only we asked for.
    pub(super) fn apply(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.shift_remove(empty::KEY);
                let place = |name: &Name| self.0.get(name).map(|(place, _)| *place);
                fields.sort_by(|a, _, b, _| place(a).cmp(&place(b)));
                for (name, value) in fields {
                    if let Some((_, below)) = self.0.get(name) {
                        below.apply(value);
                    }
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.apply(item)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{parser::parse_query, value};

    use super::*;

    #[test]
    fn an_answer_has_the_order_of_its_document() {
        let document = parse_query(
            "{ b: x a { two ...F one } ... on Query { c } } fragment F on A { three two }",
        )
        .unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let mut answer = value!({"c": 1, "a": [{"one": 1, "two": 2, "three": 3}, null], "b": 2});
        Order::of(&document, operation).apply(&mut answer);
        let text = r#"{"b":2,"a":[{"two":2,"three":3,"one":1},null],"c":1}"#;
        assert_eq!(serde_json::to_string(&answer).unwrap(), text);
    }
}
