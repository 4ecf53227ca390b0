//! Documents that mean harm are refused before anything walks them.

use std::fmt::Write;

use passbook::transport::Limits;
use serde_json::json;

use crate::support::{TestServer, code, read};

/// Fragments that each spread the next so many times.
fn bomb(levels: usize, width: usize, end: &str) -> String {
    let mut query = "{ ...f0 }".to_owned();
    for level in 0..levels {
        let next = level + 1;
        let spreads = format!("...f{next} ").repeat(width);
        write!(query, " fragment f{level} on Query {{ {spreads}}}").unwrap();
    }
    write!(query, " fragment f{levels} on Query {{ {end} }}").unwrap();
    query
}

/// Fields within each other, the last of them a leaf.
fn deep(levels: usize) -> String {
    let open = "{ node ".repeat(levels - 1);
    format!("{open}{{ name }}{}", "}".repeat(levels - 1))
}

#[tokio::test]
async fn a_document_that_asks_for_too_much_is_refused() {
    let server = TestServer::start().await;
    let aliases = |n: usize| (0..n).fold(String::new(), |all, i| format!("{all} a{i}: name"));
    let fields = "touch ".repeat(51);
    let on_field = "@skip(if: false) ".repeat(11);
    let on_all = "name @skip(if: false) @include(if: true) ".repeat(26);
    let ops = (0..100).fold(String::new(), |all, i| {
        format!("{all} query q{i} {{ ...f }}")
    });
    let twenty = "...f ".repeat(20);
    let complex = [
        bomb(29, 2, "touch"),
        bomb(6, 20, "touch"),
        bomb(2, 40, "touch"),
        // Fragments that nothing uses are walked as well.
        format!(
            "{{ hello }} {}",
            bomb(29, 2, "touch").replace("{ ...f0 }", "")
        ),
        // So are operations that were not chosen.
        format!(
            "query Q {{ hello }} {ops} fragment f on Query {{ {} }}",
            "node { name } ".repeat(20)
        ),
        bomb(31, 1, "touch"),
        deep(16),
        format!("{{ node {{ {} }} }}", aliases(51)),
        format!("{{ {fields} }}"),
        format!("{{ {} }}", "... { touch } ".repeat(51)),
        format!("{{ {twenty} hello }} fragment f on Query {{ touch }}"),
        format!("{{ touch {on_field} }}"),
        format!("{{ node {{ {on_all} }} }}"),
        format!("query Q {on_field} {{ touch }}"),
        "mutation { login register }".to_owned(),
        "mutation { a: login b: login }".to_owned(),
        "mutation { ...f ...f } fragment f on Mutation { login }".to_owned(),
        format!("{{ touch }} #{}", "x".repeat(32 * 1024)),
    ];
    for query in complex {
        let body =
            json!({"query": query, "operationName": query.starts_with("query Q").then_some("Q")});
        let (status, answer) = read(server.post(&body)).await;
        let start: String = query.chars().take(60).collect();
        assert_eq!(
            (status, code(&answer)),
            (400, "QUERY_TOO_COMPLEX"),
            "{start} {answer}"
        );
    }
    assert_eq!(server.probe.calls(), 0, "nothing ran");
}

#[tokio::test]
async fn circles_are_refused() {
    let server = TestServer::start().await;
    for query in [
        "{ ...f } fragment f on Query { ...f ...f }",
        "{ ...f } fragment f on Query { ...g } fragment g on Query { node { name } ...f }",
        "{ hello } fragment f on Query { ...f }",
    ] {
        let (status, answer) = server.ask(query).await;
        assert_eq!(
            (status, code(&answer)),
            (400, "GRAPHQL_VALIDATION_FAILED"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn what_clients_really_send_passes() {
    let server = TestServer::start().await;
    let several = "mutation In { login } mutation Up { register } query Me { hello }";
    let aliases = (0..20).fold(String::new(), |all, i| format!("{all} a{i}: hello"));
    for (query, name) in [
        (INTROSPECTION.to_owned(), None),
        (deep(15), None),
        (bomb(4, 2, "hello"), None),
        (several.to_owned(), Some("In")),
        (format!("{{ {aliases} }}"), None),
    ] {
        let body = json!({"query": query, "operationName": name});
        let (status, answer) = read(server.post(&body)).await;
        let start: String = query.chars().take(60).collect();
        assert_eq!(
            (status, answer["errors"].is_null()),
            (200, true),
            "{start} {answer}"
        );
    }
}

#[tokio::test]
async fn errors_are_cut() {
    let server = TestServer::start().await;
    let unknown = (0..500).fold(String::new(), |all, i| format!("{all} u{i}"));
    let (_, answer) = server.ask(&format!("{{ node {{ {unknown} }} }}")).await;
    let most = Limits::default().errors;
    assert_eq!(answer["errors"].as_array().unwrap().len(), most);
}

#[tokio::test]
async fn deep_nesting_of_everything_is_refused_and_the_server_lives() {
    let server = TestServer::start().await;
    let n = 10_000;
    let (lists, objects) = ("[".repeat(n), "{a:".repeat(n));
    for query in [
        "{".repeat(n),
        "{node".repeat(n),
        format!("{{ echo(n: {lists}"),
        format!("{{ echo(n: {objects}"),
        format!("query($a: {lists}Int) {{ hello }}"),
    ] {
        let (status, answer) = server.ask(&query).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer.to_string().len() < 1_000, "{answer}");
    }
    let json = format!(
        "{{\"query\":\"{{ hello }}\",\"variables\":{{\"a\":{}",
        "[".repeat(n)
    );
    let request = server.post(&json!({})).body(json);
    assert_eq!(read(request).await.0, 400);
    assert_eq!(server.ask("{ hello }").await.0, 200);
}

/// As deep as the one that the reference implementation sends.
const INTROSPECTION: &str = "query Introspection { __schema { description
    queryType { name kind } mutationType { name kind } subscriptionType { name kind }
    types { ...Whole }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...Input } } } }
  fragment Whole on __Type { kind name description specifiedByURL isOneOf
    fields(includeDeprecated: true) { name description
      args(includeDeprecated: true) { ...Input } type { ...Ref } isDeprecated deprecationReason }
    inputFields(includeDeprecated: true) { ...Input } interfaces { ...Ref }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
    possibleTypes { ...Ref } }
  fragment Input on __InputValue { name description type { ...Ref } defaultValue isDeprecated deprecationReason }
  fragment Ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name } } } } } } } } } }";
