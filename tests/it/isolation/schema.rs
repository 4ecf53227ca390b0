//! Every place of the schema that takes an id, with a document that asks there and nowhere else.

use std::collections::{BTreeSet, HashMap};

use async_graphql::Positioned;
use async_graphql::parser::{
    parse_schema,
    types::{
        BaseType, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind,
        TypeSystemDefinition,
    },
};
use serde_json::{Map, Value, json};

/// Stands for the id in the variables of a place.
const HERE: &str = "@ID";

/// How deep an answer is asked for.
const DEPTH: usize = 3;

/// What the description of a mutation ends with that others are refused.
const ADMINISTRATORS: &str = "For administrators.";

/// A place that takes an id.
pub(super) struct Place {
    /// Type, field, and the way to the id.
    pub(super) name: String,
    /// `query`, `mutation` or `subscription`.
    pub(super) root: &'static str,
    pub(super) document: String,
    variables: Value,
    /// Whether only administrators get an answer.
    pub(super) for_administrators: bool,
}

/// A field that only administrators get an answer at.
pub(crate) struct Closed {
    pub(crate) document: String,
    pub(crate) variables: Value,
}

/// The ways into the schema: the operation, the type it begins at, and the field above that type.
const ROOTS: [(&str, &str, Option<&str>); 4] = [
    ("query", "Query", None),
    ("mutation", "Mutation", None),
    ("subscription", "Subscription", None),
    ("query", "Admin", Some("admin")),
];

impl Place {
    /// The variables with an id in its place.
    pub(super) fn with(&self, id: &str) -> Value {
        let text = self.variables.to_string();
        let id = Value::from(id).to_string();
        serde_json::from_str(&text.replace(&format!("\"{HERE}\""), &id)).unwrap()
    }
}

/// The types of a schema by their names.
pub(crate) struct Types(HashMap<String, TypeKind>);

impl Types {
    pub(crate) fn read(sdl: &str) -> Self {
        let definitions = parse_schema(sdl).unwrap().definitions;
        let types = definitions.into_iter().filter_map(|one| match one {
            TypeSystemDefinition::Type(one) => {
                let TypeDefinition { name, kind, .. } = one.node;
                Some((name.node.to_string(), kind))
            }
            _ => None,
        });
        Self(types.collect())
    }

    /// All places that take an id, as far as there is a document for them.
    pub(super) fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for (root, from, above) in ROOTS {
            for field in self.fields(from) {
                for (way, argument, value) in self.ids_of(&field.node) {
                    let (document, variables) =
                        self.ask((root, above), &field.node, Some((argument, &value)));
                    places.push(Place {
                        name: format!("{from}.{}({way})", field.node.name.node),
                        root,
                        document,
                        variables,
                        for_administrators: above.is_some() || is_closed(&field.node),
                    });
                }
            }
        }
        places
    }

    /// The name of every place that takes an id, wherever in the schema it is.
    pub(super) fn all(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for from in self.0.keys() {
            for field in self.fields(from) {
                for (way, ..) in self.ids_of(&field.node) {
                    names.insert(format!("{from}.{}({way})", field.node.name.node));
                }
            }
        }
        names
    }

    /// The fields of the inputs that take an id and that no field takes as an argument.
    pub(super) fn unused(&self) -> BTreeSet<String> {
        let mut unused: BTreeSet<String> = self.0.keys().cloned().collect();
        unused.retain(|name| !self.inputs(name).is_empty());
        let fields = self.0.keys().flat_map(|name| self.fields(name));
        let arguments = fields.flat_map(|field| &field.node.arguments);
        let mut open: Vec<&str> = arguments.map(|one| base(&one.node.ty.node)).collect();
        while let Some(name) = open.pop() {
            if unused.remove(name) {
                open.extend(self.inputs(name).iter().map(|one| base(&one.node.ty.node)));
            }
        }
        unused
    }

    /// Everything that is for administrators alone.
    pub(crate) fn closed(&self) -> Vec<Closed> {
        let mut closed = Vec::new();
        for (root, from, above) in ROOTS {
            for field in self.fields(from) {
                if above.is_some() || is_closed(&field.node) {
                    let (document, variables) = self.ask((root, above), &field.node, None);
                    closed.push(Closed {
                        document,
                        variables,
                    });
                }
            }
        }
        closed
    }

    /// The lists that anybody can ask for without saying more: a document that goes on behind a cursor.
    pub(super) fn lists(&self) -> Vec<(String, String)> {
        let fields = self.fields("Query").iter().map(|field| &field.node);
        let lists = fields.filter(|field| {
            let mut names = field
                .arguments
                .iter()
                .map(|one| one.node.name.node.as_str());
            names.any(|name| name == "after")
                && field.arguments.iter().all(|one| one.node.ty.node.nullable)
        });
        lists
            .map(|field| {
                let name = field.name.node.to_string();
                let asked = "{ edges { cursor } }";
                let document =
                    format!("query($after: String) {{ {name}(first: 1, after: $after) {asked} }}");
                (name, document)
            })
            .collect()
    }

    /// Whatever a field takes that holds an id: the way there, the argument, and its value.
    fn ids_of<'a>(&self, field: &'a FieldDefinition) -> Vec<(String, &'a str, Value)> {
        let arguments = field.arguments.iter().map(|argument| &argument.node);
        arguments
            .flat_map(|argument| {
                let name = argument.name.node.as_str();
                let ids = self.ids(&argument.ty.node).into_iter();
                ids.map(move |(path, value)| (format!("{name}{path}"), name, value))
            })
            .collect()
    }

    /// Whatever holds an id in a type: the way there, and a value with nothing else than it needs.
    fn ids(&self, ty: &Type) -> Vec<(String, Value)> {
        match &ty.base {
            BaseType::List(of) => {
                let inner = self.ids(of).into_iter();
                inner.map(|(path, value)| (path, json!([value]))).collect()
            }
            BaseType::Named(name) if name == "ID" => vec![(String::new(), json!(HERE))],
            BaseType::Named(name) => {
                let mut found = Vec::new();
                for field in self.inputs(name) {
                    let word = field.node.name.node.as_str();
                    for (path, value) in self.ids(&field.node.ty.node) {
                        let mut object = self.needed(name);
                        object.insert(word.to_owned(), value);
                        found.push((format!(".{word}{path}"), Value::Object(object)));
                    }
                }
                found
            }
        }
    }

    /// What an input object cannot do without.
    fn needed(&self, name: &str) -> Map<String, Value> {
        let fields = self.inputs(name).iter();
        let needed = fields.filter(|field| !field.node.ty.node.nullable);
        needed
            .map(|field| {
                let value = self.sample(&field.node.ty.node);
                (field.node.name.node.to_string(), value)
            })
            .collect()
    }

    /// A value of a type.
    fn sample(&self, ty: &Type) -> Value {
        match &ty.base {
            BaseType::List(_) => json!([]),
            BaseType::Named(name) => match (name.as_str(), self.0.get(name.as_str())) {
                ("Int", _) => json!(1),
                ("Boolean", _) => json!(true),
                ("Date", _) => json!("2026-01-01"),
                ("CurrencyCode", _) => json!("USD"),
                (_, Some(TypeKind::Enum(values))) => {
                    json!(values.values[0].node.value.node.as_str())
                }
                (_, Some(TypeKind::InputObject(_))) => Value::Object(self.needed(name)),
                _ => json!("x"),
            },
        }
    }

    /// A document for a field with what it cannot do without, and one value more.
    fn ask(
        &self,
        (root, above): (&str, Option<&str>),
        field: &FieldDefinition,
        wanted: Option<(&str, &Value)>,
    ) -> (String, Value) {
        let is_wanted = |name: &str| wanted.filter(|(wanted, _)| *wanted == name);
        let (mut definitions, mut arguments) = (Vec::new(), Vec::new());
        let mut variables = Map::new();
        for one in &field.arguments {
            let (name, ty) = (one.node.name.node.as_str(), &one.node.ty.node);
            let value = match is_wanted(name) {
                Some((_, value)) => value.clone(),
                None if ty.nullable => continue,
                None => self.sample(ty),
            };
            definitions.push(format!("${name}: {ty}"));
            arguments.push(format!("{name}: ${name}"));
            variables.insert(name.to_owned(), value);
        }
        let around = |texts: Vec<String>| match texts.join(", ") {
            text if text.is_empty() => text,
            text => format!("({text})"),
        };
        let name = &field.name.node;
        let selection = self.selection(&field.ty.node, DEPTH);
        let ask = format!("{name}{}{selection}", around(arguments));
        let ask = above.map_or(ask.clone(), |above| format!("{above} {{ {ask} }}"));
        let document = format!("{root}{} {{ {ask} }}", around(definitions));
        (document, Value::Object(variables))
    }

    /// Everything that can be asked of a type without arguments, so far down.
    fn selection(&self, ty: &Type, depth: usize) -> String {
        let name = match &ty.base {
            BaseType::List(of) => return self.selection(of, depth),
            BaseType::Named(name) => name.as_str(),
        };
        match self.0.get(name) {
            Some(TypeKind::Object(_) | TypeKind::Interface(_)) => {
                let fields = self.fields(name).iter().map(|field| &field.node);
                let plain = fields.filter(|field| field.arguments.is_empty());
                let asked = plain.filter(|field| depth > 0 || self.is_leaf(&field.ty.node));
                let texts = asked.map(|field| {
                    format!(
                        "{}{}",
                        field.name.node,
                        self.selection(&field.ty.node, depth - usize::from(depth > 0))
                    )
                });
                let texts: Vec<String> = texts.collect();
                format!(" {{ __typename {} }}", texts.join(" "))
            }
            Some(TypeKind::Union(_)) => " { __typename }".to_owned(),
            _ => String::new(),
        }
    }

    fn is_leaf(&self, ty: &Type) -> bool {
        match &ty.base {
            BaseType::List(of) => self.is_leaf(of),
            BaseType::Named(name) => !matches!(
                self.0.get(name.as_str()),
                Some(TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_))
            ),
        }
    }

    fn fields(&self, name: &str) -> &[Positioned<FieldDefinition>] {
        match self.0.get(name) {
            Some(TypeKind::Object(object)) => &object.fields,
            Some(TypeKind::Interface(interface)) => &interface.fields,
            _ => &[],
        }
    }

    fn inputs(&self, name: &str) -> &[Positioned<InputValueDefinition>] {
        match self.0.get(name) {
            Some(TypeKind::InputObject(object)) => &object.fields,
            _ => &[],
        }
    }
}

/// Whether a field says of itself that only administrators get an answer.
fn is_closed(field: &FieldDefinition) -> bool {
    let description = field.description.as_ref();
    description.is_some_and(|text| text.node.trim_end().ends_with(ADMINISTRATORS))
}

fn base(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(of) => base(of),
    }
}
