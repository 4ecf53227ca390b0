//! The parameters of a request, from JSON or from an address.

use async_graphql::{Name, Value, Variables};
use axum::{
    extract::Query,
    http::{StatusCode, Uri},
};
use serde_json::{Map, Value as Json};

use super::fault::Fault;

/// What a client asks.
#[derive(Debug)]
pub(super) struct Params {
    pub(super) query: String,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Variables,
}

impl Params {
    /// Reads a body.
    pub(super) fn from_body(body: &[u8]) -> Result<Self, Fault> {
        let json = serde_json::from_slice(body)
            .map_err(|error| wrong(format!("The body is not JSON: {error}.")))?;
        match json {
            Json::Object(fields) => Self::from_fields(fields),
            Json::Array(_) => Err(wrong(
                "Batches are not supported: send one request at a time.",
            )),
            _ => Err(wrong("The body must be a JSON object.")),
        }
    }

    /// Reads the query of an address.
    pub(super) fn from_uri(uri: &Uri) -> Result<Self, Fault> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| wrong("The query of the address cannot be read."))?;
        let mut fields = Map::new();
        for (name, text) in pairs {
            let value = match name.as_str() {
                "query" | "operationName" => Json::String(text),
                "variables" | "extensions" if text.is_empty() => Json::Null,
                "variables" | "extensions" => serde_json::from_str(&text)
                    .map_err(|error| wrong(format!("`{name}` is not JSON: {error}.")))?,
                _ => continue,
            };
            if fields.insert(name.clone(), value).is_some() {
                return Err(wrong(format!("`{name}` is given twice.")));
            }
        }
        Self::from_fields(fields)
    }

    /// Reads the fields of a JSON object.
    pub(super) fn from_fields(mut fields: Map<String, Json>) -> Result<Self, Fault> {
        let operation_name = text(&mut fields, "operationName")?.filter(|name| !name.is_empty());
        let variables = object(&mut fields, "variables")?.unwrap_or_default();
        let extensions = object(&mut fields, "extensions")?.unwrap_or_default();
        let Some(query) = text(&mut fields, "query")? else {
            return Err(if extensions.contains_key("persistedQuery") {
                Fault::no_stored_queries()
            } else {
                wrong("`query` is missing: send a GraphQL document.")
            });
        };
        Ok(Self {
            query,
            operation_name,
            variables: Variables::from_value(constant(Json::Object(variables))),
        })
    }
}

fn wrong(message: impl Into<String>) -> Fault {
    Fault::http(StatusCode::BAD_REQUEST, message)
}

fn text(fields: &mut Map<String, Json>, name: &str) -> Result<Option<String>, Fault> {
    match fields.remove(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(format!("`{name}` must be a string."))),
    }
}

fn object(fields: &mut Map<String, Json>, name: &str) -> Result<Option<Map<String, Json>>, Fault> {
    match fields.remove(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Object(object)) => Ok(Some(object)),
        Some(_) => Err(wrong(format!("`{name}` must be an object."))),
    }
}

/// A JSON value as the executor takes it. Not by way of serde: with exact numbers on, that turns
/// each into a map.
fn constant(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Boolean(truth),
        Json::Number(number) => Value::Number(number),
        Json::String(text) => Value::String(text),
        Json::Array(list) => Value::List(list.into_iter().map(constant).collect()),
        Json::Object(map) => Value::Object(
            map.into_iter()
                .map(|(name, value)| (Name::new(name), constant(value)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_numbers_and_exact() {
        let body = br#"{"query":"{a}","variables":{"n":1,"list":[2.50],"deep":{"x":-3}}}"#;
        let variables = Params::from_body(body).unwrap().variables.into_value();
        let text = variables.to_string();
        assert!(
            text.contains("n: 1") && text.contains("2.50") && text.contains("x: -3"),
            "{text}"
        );
    }

    #[test]
    fn an_address_speaks_camel_case() {
        let uri = "/graphql?query=%7Ba%7D&operationName=A&variables=%7B%22n%22%3A1%7D";
        let params = Params::from_uri(&uri.parse().unwrap()).unwrap();
        assert_eq!(params.operation_name.as_deref(), Some("A"));
        assert_eq!(params.variables.len(), 1);
    }
}
