//! Objects that come out empty. The library says null for an object none of whose fields were asked
//! for in the end: all skipped, or all in fragments on other types. To a client null is another
//! answer: that there is nothing. So where an object might come out empty it is asked for its type's
//! name too, under a key that is taken out of the answer again. That costs what a field costs.

use async_graphql::{
    Name, Positioned,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition,
        OperationType, Selection, SelectionSet,
    },
};

/// The key. Names that begin so are the language's own, so that it stands in no client's way.
pub(super) const KEY: &str = "__present";

/// Makes sure that every object of the answer has a field.
pub(super) fn fill(document: &mut ExecutableDocument) {
    match &mut document.operations {
        DocumentOperations::Single(operation) => root(&mut operation.node),
        DocumentOperations::Multiple(operations) => operations
            .values_mut()
            .for_each(|operation| root(&mut operation.node)),
    }
    for fragment in document.fragments.values_mut() {
        below(&mut fragment.node.selection_set.node);
    }
}

fn root(operation: &mut OperationDefinition) {
    let set = &mut operation.selection_set;
    if operation.ty == OperationType::Subscription {
        // Its root is no object: each event has the one field that was asked for.
        below(&mut set.node);
    } else {
        object(set);
    }
}

/// Fills the selection of one object, and those of the objects in it.
fn object(set: &mut Positioned<SelectionSet>) {
    below(&mut set.node);
    if !set.node.items.is_empty() && !is_sure(&set.node) {
        let field = Field {
            alias: Some(Positioned::new(Name::new(KEY), set.pos)),
            name: Positioned::new(Name::new("__typename"), set.pos),
            arguments: Vec::new(),
            directives: Vec::new(),
            selection_set: Positioned::new(SelectionSet::default(), set.pos),
        };
        let field = Selection::Field(Positioned::new(field, set.pos));
        set.node.items.push(Positioned::new(field, set.pos));
    }
}

fn below(set: &mut SelectionSet) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => object(&mut field.node.selection_set),
            Selection::InlineFragment(inline) => below(&mut inline.node.selection_set.node),
            // Each fragment is filled once, where it is defined.
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Whether a selection yields a field whatever the variables are and the object's type is.
fn is_sure(set: &SelectionSet) -> bool {
    set.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => is_always(&field.node.directives),
        Selection::InlineFragment(inline) => {
            inline.node.type_condition.is_none()
                && is_always(&inline.node.directives)
                && is_sure(&inline.node.selection_set.node)
        }
        Selection::FragmentSpread(_) => false,
    })
}

fn is_always(directives: &[Positioned<Directive>]) -> bool {
    let conditional = |name: &str| matches!(name, "skip" | "include");
    !directives
        .iter()
        .any(|directive| conditional(&directive.node.name.node))
}
