//! Every place of the schema that takes an id, with a document that asks there and nowhere else.

use std::collections::HashMap;

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

/// A place that takes an id.
pub(super) struct Place {
    /// Root, field, and the way to the id.
    pub(super) name: String,
    /// `query`, `mutation` or `subscription`.
    pub(super) root: &'static str,
    pub(super) document: String,
    variables: Value,
    /// Whether it is below `admin`.
    pub(super) for_administrators: bool,
}

impl Place {
    /// The variables with an id in its place.
    pub(super) fn with(&self, id: &str) -> Value {
        let text = self.variables.to_string();
        let id = Value::from(id).to_string();
        serde_json::from_str(&text.replace(&format!("\"{HERE}\""), &id)).unwrap()
    }
}

/// The types of a schema by their names.
pub(super) struct Types(HashMap<String, TypeKind>);

impl Types {
    pub(super) fn read(sdl: &str) -> Self {
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

    /// All places that take an id.
    pub(super) fn places(&self) -> Vec<Place> {
        let roots = [
            ("query", "Query", None),
            ("mutation", "Mutation", None),
            ("subscription", "Subscription", None),
            ("query", "Admin", Some("admin")),
        ];
        let mut places = Vec::new();
        for (root, name, below) in roots {
            for field in self.fields(name) {
                for argument in &field.node.arguments {
                    for (path, value) in self.ids(&argument.node.ty.node) {
                        let argument = argument.node.name.node.as_str();
                        let name = format!("{root} {} {argument}{path}", field.node.name.node);
                        let (head, ask, variables) = self.ask(root, &field.node, argument, &value);
                        let document = match below {
                            None => format!("{head} {{ {ask} }}"),
                            Some(field) => format!("{head} {{ {field} {{ {ask} }} }}"),
                        };
                        places.push(Place {
                            name,
                            root,
                            document,
                            variables,
                            for_administrators: below.is_some(),
                        });
                    }
                }
            }
        }
        places
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

    fn ask(
        &self,
        root: &str,
        field: &FieldDefinition,
        argument: &str,
        value: &Value,
    ) -> (String, String, Value) {
        let given = |one: &&Positioned<InputValueDefinition>| {
            one.node.name.node == argument || !one.node.ty.node.nullable
        };
        let (mut definitions, mut arguments) = (Vec::new(), Vec::new());
        let mut variables = Map::new();
        for one in field.arguments.iter().filter(given) {
            let name = one.node.name.node.as_str();
            definitions.push(format!("${name}: {}", one.node.ty.node));
            arguments.push(format!("{name}: ${name}"));
            let sample = || self.sample(&one.node.ty.node);
            let value = if name == argument {
                value.clone()
            } else {
                sample()
            };
            variables.insert(name.to_owned(), value);
        }
        let (definitions, arguments) = (definitions.join(", "), arguments.join(", "));
        let selection = self.selection(&field.ty.node, DEPTH);
        let name = &field.name.node;
        let head = format!("{root}({definitions})");
        let ask = format!("{name}({arguments}){selection}");
        (head, ask, Value::Object(variables))
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
