//! How much a document asks for, known before anything walks it. Each fragment is weighed once: one
//! that spreads the next twice, thirty times over, is a kilobyte of text and a thousand million
//! selections, and the library's own checks would visit every one of them.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned,
    parser::types::{
        Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
        SelectionSet,
    },
};

use super::{
    fault::Fault,
    limits::{CREDENTIAL_FIELDS, INTROSPECTION_FIELDS, INTROSPECTION_LISTS, Limits, OPEN_FIELDS},
    values,
};

/// Levels of selections and fragments within each other; the library's own wall stands at 32.
const NESTING: usize = 30;

/// What a selection amounts to with all its fragments spread out.
#[derive(Clone, Copy, Default)]
struct Weight {
    selections: usize,
    depth: usize,
    nesting: usize,
    /// Fields of the selection's own level, and which of them matter to the door.
    fields: usize,
    credentials: usize,
    open: usize,
    /// Whole schemas asked for, and how many lists of one lie within each other.
    schemas: usize,
    lists: usize,
}

/// Refuses a document that asks for too much. Says whether the operation that runs works without a
/// token.
pub(super) fn weigh(
    document: &ExecutableDocument,
    chosen: &Positioned<OperationDefinition>,
    limits: &Limits,
) -> Result<bool, Fault> {
    let mut scale = Scale {
        document,
        limits,
        known: HashMap::new(),
        open_fragments: 0,
        aliases: 0,
        directives: 0,
    };
    for name in document.fragments.keys() {
        scale.fragment(name)?;
    }
    let (mut all, mut weight) = (Weight::default(), Weight::default());
    for (_, operation) in document.operations.iter() {
        scale.directives(&operation.node.directives)?;
        values::of_definitions(&operation.node, limits)?;
        let this = scale.selection_set(&operation.node.selection_set)?;
        all.add(this);
        scale.limit(all)?;
        if std::ptr::eq(operation, chosen) {
            weight = this;
        }
    }
    let at = Some(chosen.pos);
    if weight.fields > limits.root_fields {
        let most = limits.root_fields;
        let why = format!("An operation selects at most {most} fields at its top.");
        return Err(Fault::too_complex(why).at(at));
    }
    if weight.schemas > 1 {
        let why = "An operation asks for the schema at most once.";
        return Err(Fault::too_complex(why).at(at));
    }
    if chosen.node.ty == OperationType::Subscription && !follows_one(&chosen.node, weight) {
        let why = "A subscription selects exactly one field at its top, and no fragment.";
        return Err(Fault::invalid(why).at(at));
    }
    if chosen.node.ty == OperationType::Mutation && weight.credentials > 1 {
        let names = CREDENTIAL_FIELDS.join(", ");
        let why = format!("An operation holds at most one of {names}.");
        return Err(Fault::too_complex(why).at(at));
    }
    Ok(chosen.node.ty == OperationType::Mutation && weight.open == weight.fields)
}

/// Whether a subscription has one source. The library would follow several as if each were alone, and
/// overlooks what a fragment holds.
fn follows_one(operation: &OperationDefinition, weight: Weight) -> bool {
    let mut top = operation.selection_set.node.items.iter();
    weight.fields == 1 && top.all(|selection| matches!(selection.node, Selection::Field(_)))
}

impl Weight {
    /// Puts a neighbour beside.
    fn add(&mut self, other: Self) {
        self.selections = self.selections.saturating_add(other.selections);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting);
        self.fields = self.fields.saturating_add(other.fields);
        self.credentials = self.credentials.saturating_add(other.credentials);
        self.open = self.open.saturating_add(other.open);
        self.schemas = self.schemas.saturating_add(other.schemas);
        self.lists = self.lists.max(other.lists);
    }

    /// What a field with this below it weighs.
    fn under(self, field: &Field) -> Self {
        let name = field.name.node.as_str();
        Self {
            depth: self.depth + 1,
            fields: 1,
            credentials: usize::from(CREDENTIAL_FIELDS.contains(&name)),
            open: usize::from(OPEN_FIELDS.contains(&name)),
            schemas: self.schemas + usize::from(name == "__schema"),
            lists: self.lists + usize::from(INTROSPECTION_LISTS.contains(&name)),
            ..self
        }
    }
}

struct Scale<'a> {
    document: &'a ExecutableDocument,
    limits: &'a Limits,
    /// The fragments weighed so far; without a weight while it is being found.
    known: HashMap<&'a str, Option<Weight>>,
    open_fragments: usize,
    aliases: usize,
    directives: usize,
}

impl<'a> Scale<'a> {
    fn selection_set(&mut self, set: &'a Positioned<SelectionSet>) -> Result<Weight, Fault> {
        if set.node.items.is_empty() {
            return Ok(Weight::default());
        }
        self.repeats(set)?;
        let mut sum = Weight::default();
        for selection in &set.node.items {
            self.directives(selection.node.directives())?;
            let mut weight = match &selection.node {
                Selection::Field(field) => {
                    self.field(&field.node)?;
                    let below = self.selection_set(&field.node.selection_set)?;
                    introspection(&field.node, below)?;
                    below.under(&field.node)
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node)?
                }
                Selection::InlineFragment(inline) => {
                    self.selection_set(&inline.node.selection_set)?
                }
            };
            weight.selections = weight.selections.saturating_add(1);
            sum.add(weight);
        }
        sum.nesting += 1;
        self.limit(sum)?;
        Ok(sum)
    }

    /// The weight of a fragment; none if there is no such fragment, which validation will tell.
    fn fragment(&mut self, name: &'a Name) -> Result<Weight, Fault> {
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Weight::default());
        };
        match self.known.get(name.as_str()) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => {
                let why = format!("Fragment \"{name}\" spreads itself.");
                return Err(Fault::invalid(why).at(Some(fragment.pos)));
            }
            None => {}
        }
        self.known.insert(name, None);
        self.open_fragments += 1;
        if self.open_fragments > NESTING {
            return Err(nested());
        }
        self.directives(&fragment.node.directives)?;
        let weight = self.selection_set(&fragment.node.selection_set)?;
        self.open_fragments -= 1;
        self.known.insert(name, Some(weight));
        Ok(weight)
    }

    fn limit(&self, weight: Weight) -> Result<(), Fault> {
        let most = self.limits;
        if weight.selections > most.fields {
            let why = format!("A document selects at most {} fields.", most.fields);
            return Err(Fault::too_complex(why));
        }
        if weight.depth > most.depth {
            let why = format!("Fields nest at most {} deep.", most.depth);
            return Err(Fault::too_complex(why));
        }
        if weight.nesting > NESTING {
            return Err(nested());
        }
        Ok(())
    }

    fn field(&mut self, field: &Field) -> Result<(), Fault> {
        let name = &field.name.node;
        if !self.limits.introspection && INTROSPECTION_FIELDS.contains(&name.as_str()) {
            let why =
                "Introspection is off on this server: work with the schema file of its release.";
            return Err(Fault::invalid(why).at(Some(field.name.pos)));
        }
        values::of_field(field, self.limits).map_err(|fault| fault.at(Some(field.name.pos)))?;
        self.aliases += usize::from(field.alias.is_some());
        if self.aliases > self.limits.aliases {
            let why = format!("A document holds at most {} aliases.", self.limits.aliases);
            return Err(Fault::too_complex(why).at(Some(field.name.pos)));
        }
        Ok(())
    }

    /// Refuses a place that selects one key, or spreads one fragment, over and over.
    fn repeats(&self, set: &'a Positioned<SelectionSet>) -> Result<(), Fault> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for selection in &set.node.items {
            let key = match &selection.node {
                Selection::Field(field) => field.node.response_key().node.as_str(),
                Selection::FragmentSpread(spread) => spread.node.fragment_name.node.as_str(),
                Selection::InlineFragment(_) => "...",
            };
            let count = counts.entry(key).or_default();
            *count += 1;
            if *count > self.limits.aliases {
                let why = format!("\"{key}\" is selected too often in one place.");
                return Err(Fault::too_complex(why).at(Some(selection.pos)));
            }
        }
        Ok(())
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) -> Result<(), Fault> {
        self.directives += directives.len();
        let most = self.limits;
        if directives.len() > most.directives_on_field || self.directives > most.directives {
            let why = format!(
                "A field carries at most {} directives and a document {}.",
                most.directives_on_field, most.directives
            );
            let at = directives.first().map(|directive| directive.pos);
            return Err(Fault::too_complex(why).at(at));
        }
        let mut directives = directives.iter();
        directives.try_for_each(|directive| values::of_directive(&directive.node, most))
    }
}

/// Refuses to tell the schema in the schema.
fn introspection(field: &Field, below: Weight) -> Result<(), Fault> {
    let name = field.name.node.as_str();
    if INTROSPECTION_FIELDS.contains(&name) && below.lists > 2 {
        let why = "Introspection goes at most two lists deep.";
        return Err(Fault::too_complex(why).at(Some(field.name.pos)));
    }
    Ok(())
}

fn nested() -> Fault {
    Fault::too_complex(format!(
        "Selections and fragments nest at most {NESTING} deep."
    ))
}
