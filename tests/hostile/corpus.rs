//! Requests that mean harm, as bodies of a POST: each asks for a lot in little text, or for nothing in
//! a lot. All are refused before anything of them runs, and soon.

use std::fmt::Write;

use serde_json::{Value, json};

/// A request, and the code of its refusal.
#[derive(Debug)]
pub(crate) struct Hostile {
    /// What it tries.
    pub(crate) name: &'static str,
    /// What is sent.
    pub(crate) body: String,
    /// What comes back in `extensions.code`.
    pub(crate) code: &'static str,
}

const COMPLEX: &str = "QUERY_TOO_COMPLEX";
const INPUT: &str = "BAD_USER_INPUT";
const INVALID: &str = "GRAPHQL_VALIDATION_FAILED";
const SYNTAX: &str = "GRAPHQL_PARSE_FAILED";

/// All of them.
pub(crate) fn corpus() -> Vec<Hostile> {
    let mut all = fragments();
    for more in [depths(), repeats(), values(), costs(), texts()] {
        all.extend(more);
    }
    all
}

fn hostile(name: &'static str, code: &'static str, query: impl Into<String>) -> Hostile {
    sent(name, code, &json!({"query": query.into()}))
}

fn sent(name: &'static str, code: &'static str, body: &Value) -> Hostile {
    let body = body.to_string();
    Hostile { name, body, code }
}

/// Words for each number, one after the other.
fn each(count: usize, words: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |all, n| all + &words(n) + " ")
}

/// Fragments that each spread the next so many times.
fn bomb(levels: usize, width: usize) -> String {
    let mut text = String::new();
    for level in 0..levels {
        let spreads = format!("...f{} ", level + 1).repeat(width);
        write!(text, "fragment f{level} on Query {{ {spreads}}} ").unwrap_or_default();
    }
    format!("{text}fragment f{levels} on Query {{ viewer {{ id }} }}")
}

fn fragments() -> Vec<Hostile> {
    let unchosen = format!(
        "query Q {{ viewer {{ id }} }} query R {{ ...f0 }} {}",
        bomb(29, 2)
    );
    vec![
        hostile(
            "a fragment bomb",
            COMPLEX,
            format!("{{ ...f0 }} {}", bomb(29, 2)),
        ),
        hostile(
            "a wide fragment bomb",
            COMPLEX,
            format!("{{ ...f0 }} {}", bomb(6, 20)),
        ),
        hostile(
            "a flat fragment bomb",
            COMPLEX,
            format!("{{ ...f0 }} {}", bomb(2, 45)),
        ),
        hostile(
            "a bomb that nothing spreads",
            COMPLEX,
            format!("{{ viewer {{ id }} }} {}", bomb(29, 2)),
        ),
        sent(
            "a bomb in the operation beside",
            COMPLEX,
            &json!({"query": unchosen, "operationName": "Q"}),
        ),
        hostile(
            "a long chain of fragments",
            COMPLEX,
            format!("{{ ...f0 }} {}", bomb(400, 1)),
        ),
        hostile(
            "a fragment in itself",
            INVALID,
            "{ ...f } fragment f on Query { ...f ...f }",
        ),
        hostile(
            "fragments in a circle",
            INVALID,
            "{ ...f } fragment f on Query { viewer { id } ...g } fragment g on Query { ...f }",
        ),
        hostile(
            "a circle through fields",
            INVALID,
            "{ accounts { nodes { ...a } } } fragment a on Account { item { accounts { ...a } } }",
        ),
        hostile(
            "hundreds of unknown fragments",
            INVALID,
            format!("{{ {} }}", each(700, |n| format!("...f{n}"))),
        ),
    ]
}

fn depths() -> Vec<Hostile> {
    let hops = |n| {
        format!(
            "{{ items {{ nodes {}{{ id }}{} }} }}",
            "{ accounts { item ".repeat(n),
            " } }".repeat(n)
        )
    };
    let schema = |n| {
        format!(
            "{{ __schema {{ types {}{{ name }}{} }} }}",
            "{ fields { type ".repeat(n),
            " } }".repeat(n)
        )
    };
    let open = |text: &str| text.repeat(10_000);
    vec![
        hostile("sixteen levels", COMPLEX, hops(7)),
        hostile("a thousand levels", COMPLEX, hops(500)),
        hostile("the schema in the schema", COMPLEX, schema(2)),
        hostile("the schema over and over", COMPLEX, schema(6)),
        hostile("ten thousand braces", COMPLEX, open("{")),
        hostile("ten thousand fields within each other", COMPLEX, open("{a")),
        hostile(
            "ten thousand lists within each other",
            COMPLEX,
            format!("{{ nodes(ids: {}", open("[")),
        ),
        hostile(
            "ten thousand objects within each other",
            COMPLEX,
            format!("{{ nodes(ids: {}", open("{a:")),
        ),
        hostile(
            "a type of ten thousand lists",
            COMPLEX,
            format!("query($a: {}ID", open("[")),
        ),
        Hostile {
            name: "ten thousand lists in the variables",
            body: format!(
                "{{\"query\":\"{{ viewer {{ id }} }}\",\"variables\":{{\"a\":{}",
                open("[")
            ),
            code: INPUT,
        },
    ]
}

fn repeats() -> Vec<Hostile> {
    let login = "login(input: {email: \"ana@example.com\", password: \"guess\"}) { accessToken }";
    let schemas = each(5, |n| format!("s{n}: __schema {{ types {{ name }} }}"));
    vec![
        hostile(
            "a thousand aliases",
            COMPLEX,
            format!(
                "{{ {} }}",
                each(1_000, |n| format!("a{n}: viewer {{ id }}"))
            ),
        ),
        hostile(
            "twenty-one fields at the top",
            COMPLEX,
            format!("{{ {} }}", each(21, |n| format!("a{n}: viewer {{ id }}"))),
        ),
        hostile(
            "one field two thousand times",
            COMPLEX,
            format!("{{ viewer {{ {} }} }}", "id ".repeat(2_000)),
        ),
        hostile(
            "inline fragments by the thousand",
            COMPLEX,
            format!("{{ {} }}", "... { viewer { id } } ".repeat(1_000)),
        ),
        hostile("the schema five times", COMPLEX, format!("{{ {schemas} }}")),
        hostile(
            "a guess in each alias",
            COMPLEX,
            format!("mutation {{ {} }}", each(10, |n| format!("a{n}: {login}"))),
        ),
        hostile(
            "a guess in each fragment",
            COMPLEX,
            format!(
                "mutation {{ ...f ... {{ x: {login} }} }} fragment f on Mutation {{ {login} }}"
            ),
        ),
        hostile(
            "a thousand directives",
            COMPLEX,
            format!(
                "{{ viewer {} {{ id }} }}",
                "@skip(if: false) ".repeat(1_000)
            ),
        ),
        hostile(
            "unknown directives on all fields",
            COMPLEX,
            format!("{{ viewer {{ {} }} }}", "id @a @b ".repeat(40)),
        ),
        hostile(
            "many sources in a subscription",
            INVALID,
            format!(
                "subscription {{ {} }}",
                each(10, |n| format!("a{n}: transactionsChanged {{ added }}"))
            ),
        ),
    ]
}

fn values() -> Vec<Hostile> {
    let ids = vec!["item_01arz3ndektsv4rrffq69g5fav"; 5_000];
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let keys: serde_json::Map<String, Value> =
        (0..10_000).map(|n| (format!("k{n}"), json!(n))).collect();
    vec![
        hostile(
            "a list of thousands",
            INPUT,
            format!("{{ nodes(ids: [{}]) {{ id }} }}", "\"x\" ".repeat(3_000)),
        ),
        hostile(
            "thousands to begin with",
            INPUT,
            format!(
                "query($ids: [ID!] = [{}]) {{ nodes(ids: $ids) {{ id }} }}",
                "\"x\" ".repeat(3_000)
            ),
        ),
        sent(
            "thousands in a variable",
            INPUT,
            &json!({"query": query, "variables": {"ids": ids}}),
        ),
        sent(
            "thousands of keys in a variable",
            INPUT,
            &json!({"query": "mutation($i: LoginInput!) { login(input: $i) { accessToken } }", "variables": {"i": keys}}),
        ),
        hostile(
            "thousands of arguments",
            COMPLEX,
            format!(
                "{{ items({}) {{ nodes {{ id }} }} }}",
                each(3_000, |n| format!("a{n}: 1"))
            ),
        ),
        hostile(
            "thousands of variables",
            COMPLEX,
            format!(
                "query({}) {{ viewer {{ id }} }}",
                each(2_000, |n| format!("$v{n}: ID"))
            ),
        ),
    ]
}

fn costs() -> Vec<Hostile> {
    let whole = "id name date amount { amount currency } account { id name }";
    let lists = format!(
        "query($n: Int) {{ accounts(first: $n) {{ nodes {{ transactions(first: $n) {{ nodes {{ {whole} }} }} }} }} }}"
    );
    let hops = "{ items(first: 100) { nodes { accounts { item { accounts { item { accounts { id } } } } } } } }";
    let nodes = format!(
        "{{ nodes(ids: [{}]) {{ ... on Account {{ transactions(first: 100) {{ nodes {{ {whole} }} }} }} }} }}",
        "\"x\" ".repeat(100)
    );
    vec![
        hostile(
            "lists in lists",
            COMPLEX,
            lists.replace("$n)", "100)").replace("query($n: Int)", ""),
        ),
        sent(
            "lists in lists by a variable",
            COMPLEX,
            &json!({"query": lists, "variables": {"n": 100}}),
        ),
        hostile("there and back again", COMPLEX, hops),
        hostile("a list for each of a hundred ids", COMPLEX, nodes),
    ]
}

fn texts() -> Vec<Hostile> {
    let long = "x".repeat(30_000);
    vec![
        hostile(
            "a document of comments",
            COMPLEX,
            format!("{{ viewer {{ id }} }} #{}", "x".repeat(40_000)),
        ),
        hostile(
            "a string without end",
            SYNTAX,
            format!("{{ node(id: \"{long}"),
        ),
        hostile(
            "a name of thirty thousand letters",
            COMPLEX,
            format!("{{ {long} }}"),
        ),
        hostile(
            "unknown fields by the hundred",
            INVALID,
            format!(
                "{{ viewer {{ {} }} }}",
                each(1_500, |n| format!("emial{n}"))
            ),
        ),
        hostile(
            "one name with fifty meanings",
            INVALID,
            format!(
                "{{ {} }}",
                each(20, |n| format!("node(id: \"{n}\") {{ id }}"))
            ),
        ),
        Hostile {
            name: "a thousand requests in one",
            body: format!(
                "[{}]",
                vec!["{\"query\":\"{ viewer { id } }\"}"; 1_000].join(",")
            ),
            code: INPUT,
        },
    ]
}
