//! What the wire allows is the same on every way in.

use passbook::transport::Limits;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    schema::{COST, PATIENCE, build, costly},
    support::{MOMENT, Socket, TestServer, code, init, read},
};

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Post,
    Get,
    Socket,
    Events,
    Parts,
}

const WAYS: [Way; 5] = [Way::Post, Way::Get, Way::Socket, Way::Events, Way::Parts];

impl Way {
    /// Whether an operation of this kind may come this way.
    fn takes(self, query: &str) -> bool {
        match self {
            Self::Post => !query.starts_with("subscription"),
            Self::Get => query.starts_with('{') || query.starts_with("query"),
            Self::Socket | Self::Events | Self::Parts => true,
        }
    }

    /// The answer of a request, or the first of several.
    async fn ask(self, server: &TestServer, request: &Value) -> Value {
        let accept = match self {
            Self::Post | Self::Get => "application/graphql-response+json",
            Self::Socket => return over_socket(server, request).await,
            Self::Events => "text/event-stream",
            Self::Parts => {
                "multipart/mixed;subscriptionSpec=1.0, application/graphql-response+json"
            }
        };
        let request = if self == Self::Get {
            let variables = request["variables"].to_string();
            let pairs = [
                ("query", request["query"].as_str().unwrap()),
                ("variables", &variables),
            ];
            let url = reqwest::Url::parse_with_params("http://server/", pairs).unwrap();
            server.request("GET", &format!("/graphql?{}", url.query().unwrap()))
        } else {
            server
                .request("POST", "/graphql")
                .header("content-type", "application/json")
                .body(request.to_string())
        };
        let (_, told) = read(request.header("accept", accept)).await;
        match told {
            Value::String(told) => first_told(&told),
            whole => whole,
        }
    }
}

/// The first answer of a stream that was told to its end.
fn first_told(told: &str) -> Value {
    let mut values = told.lines().filter_map(|line| {
        let at = line.find('{')?;
        serde_json::from_str::<Value>(&line[at..]).ok()
    });
    let mut first = values.next().unwrap_or_else(|| panic!("no answer: {told}"));
    match first.get_mut("payload") {
        Some(payload) => payload.take(),
        None => first,
    }
}

async fn over_socket(server: &TestServer, request: &Value) -> Value {
    let mut socket = Socket::open(server.upgrade()).await.unwrap();
    socket.say(&init(&Value::Null)).await;
    socket.hear().await;
    socket
        .say(&json!({"type": "subscribe", "id": "a", "payload": request}))
        .await;
    let mut heard = socket.hear().await;
    let payload = heard["payload"].take();
    match heard["type"].as_str() {
        Some("error") => json!({ "errors": payload }),
        _ => payload,
    }
}

fn narrow() -> Limits {
    Limits {
        query: 2_000,
        tokens: 200,
        fields: 40,
        depth: 5,
        root_fields: 4,
        aliases: 5,
        directives_on_field: 2,
        directives: 4,
        arguments: 6,
        entries: 10,
        errors: 3,
        introspection: false,
        execution_time: MOMENT,
        ..Limits::default()
    }
}

/// A request that breaks one limit, the code of its refusal and a word of it.
struct Breach(Value, &'static str, &'static str);

fn breach(query: &str, code: &'static str, word: &'static str) -> Breach {
    Breach(json!({ "query": query }), code, word)
}

/// Words for each number, one after the other.
fn each(count: usize, words: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |all, n| all + &words(n) + " ")
}

fn shapes() -> Vec<Breach> {
    let complex = "QUERY_TOO_COMPLEX";
    let long = format!("{{ hello }} #{}", "x".repeat(2_000));
    let wordy = format!("{{ hello }} {}", ":".repeat(200));
    let lists = format!("{{ sum(numbers: {}", "[".repeat(65));
    let name = format!("{{ {} }}", "x".repeat(129));
    let nodes = "node { name } ".repeat(5);
    let bomb = format!(
        "{{ ...a ...a }} fragment a on Query {{ ...b ...b ...b }} fragment b on Query {{ {nodes} }}"
    );
    let deep = "{ node { node { node { node { node { name } } } } } }";
    let wide = "{ hello touch nodes(first: 1) { name } node { name } sum(numbers: []) }";
    let aliases = format!("{{ node {{ {} }} }}", each(6, |n| format!("a{n}: name")));
    let repeats = format!("{{ node {{ {} }} }}", "name ".repeat(6));
    let directives = format!("{{ hello {} }}", "@skip(if: false) ".repeat(3));
    let sources = "subscription { a: wait b: wait }";
    vec![
        breach(&long, complex, "bytes"),
        breach(&wordy, complex, "203 words and signs"),
        breach(&lists, complex, "64 deep"),
        breach(&name, complex, "128 letters"),
        breach(&bomb, complex, "40 fields"),
        breach(deep, complex, "5 deep"),
        breach(wide, complex, "4 fields at its top"),
        breach(&aliases, complex, "5 aliases"),
        breach(&repeats, complex, "too often"),
        breach(&directives, complex, "directives"),
        breach("mutation { login register }", complex, "at most one of"),
        breach(sources, "GRAPHQL_VALIDATION_FAILED", "exactly one field"),
        breach(
            "{ nodes(first: 15) { name node { name } } }",
            complex,
            "costs 46",
        ),
        breach("subscription { count(to: 31) }", complex, "costs 31"),
    ]
}

fn contents() -> Vec<Breach> {
    let (complex, input, invalid) = (
        "QUERY_TOO_COMPLEX",
        "BAD_USER_INPUT",
        "GRAPHQL_VALIDATION_FAILED",
    );
    let arguments = format!("{{ sum({}) }}", each(7, |n| format!("a{n}: 1")));
    let variables = format!("query({}) {{ hello }}", each(7, |n| format!("$v{n}: Int")));
    let numbers: Vec<usize> = (0..11).collect();
    let literal = format!("{{ sum(numbers: {numbers:?}) }}");
    let usual = format!("query($n: [Int!] = {numbers:?}) {{ sum(numbers: $n) }}");
    let given = json!({
        "query": "query($n: [Int!]!) { sum(numbers: $n) }",
        "variables": {"n": numbers},
    });
    let hidden = "{ node { ...f } } fragment f on Node { __type(name: \"Node\") { name } }";
    vec![
        breach(&arguments, complex, "6 arguments"),
        breach(&variables, complex, "6 variables"),
        breach(&literal, input, "11 entries"),
        breach(&usual, input, "11 entries"),
        Breach(given, input, "\"$n\" holds 11 entries"),
        breach(
            "{ __schema { queryType { name } } }",
            invalid,
            "Introspection is off",
        ),
        breach(hidden, invalid, "Introspection is off"),
    ]
}

#[tokio::test]
async fn a_limit_is_the_same_on_every_way_in() {
    let server = TestServer::serving(costly, narrow(), &[]).await;
    for Breach(request, expected, word) in shapes().into_iter().chain(contents()) {
        let query = request["query"].as_str().unwrap();
        for way in WAYS.into_iter().filter(|way| way.takes(query)) {
            let answer = way.ask(&server, &request).await;
            assert_eq!(code(&answer), expected, "{way:?} {query} {answer}");
            let message = answer["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains(word), "{way:?} {query} {message}");
        }
    }
    assert_eq!(server.probe.calls(), 0, "nothing ran");
}

#[tokio::test]
async fn an_answer_tells_its_cost_on_every_way_in() {
    let server = TestServer::serving(costly, Limits::default(), &[]).await;
    for (query, cost) in [
        ("{ hello }", 1),
        ("{ hello nodes(first: 3) { name node { name } } }", 11),
        ("mutation { bump }", 1),
        ("subscription { count(to: 7) }", 7),
    ] {
        for way in WAYS.into_iter().filter(|way| way.takes(query)) {
            let answer = way.ask(&server, &json!({"query": query})).await;
            let told = &answer["extensions"]["cost"];
            assert_eq!(
                *told,
                json!({"requested": cost, "limit": COST}),
                "{way:?} {query} {answer}"
            );
        }
    }
    let refused = Way::Post
        .ask(&server, &json!({"query": "{ nodes(first: 30) { name } }"}))
        .await;
    let told = &refused["errors"][0]["extensions"]["cost"];
    assert_eq!(*told, json!({"requested": 31, "limit": COST}));
}

#[tokio::test]
async fn errors_are_cut_and_time_is_up_on_every_way_in() {
    let server = TestServer::serving(build, narrow(), &[]).await;
    let unknown = json!({"query": "{ node { a b c d e } }"});
    let endless = json!({"query": "{ wait }"});
    for way in WAYS {
        let answer = way.ask(&server, &unknown).await;
        assert_eq!(
            answer["errors"].as_array().unwrap().len(),
            3,
            "{way:?} {answer}"
        );
        let answer = way.ask(&server, &endless).await;
        assert_eq!(code(&answer), "TIMEOUT", "{way:?} {answer}");
    }
}

#[tokio::test]
async fn without_introspection_types_still_have_names() {
    let limits = Limits {
        introspection: false,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    for way in WAYS {
        let query = "{ __typename node { __typename name } }";
        let answer = way.ask(&server, &json!({ "query": query })).await;
        assert_eq!(
            answer["data"]["node"]["__typename"], "Node",
            "{way:?} {answer}"
        );
    }
}

#[tokio::test]
async fn a_person_has_so_many_operations_on_all_ways_together() {
    let limits = Limits {
        operations_per_user: 3,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    let mut live = server.probe.live.subscribe();
    let body = json!({"query": "subscription { wait }"}).to_string();
    let stream = |accept: &str, token: &str| {
        let request = server.request("POST", "/graphql").header("accept", accept);
        let request = request.header("content-type", "application/json");
        request.bearer_auth(token).body(body.clone())
    };
    let parts = "multipart/mixed;subscriptionSpec=1.0";
    let mut socket = server.socket().await;
    socket
        .say(&init(&json!({"Authorization": "Bearer ana"})))
        .await;
    socket.hear().await;
    socket.subscribe("a", "subscription { wait }").await;
    let events = stream("text/event-stream", "ana").send().await.unwrap();
    let more = stream(parts, "ana").send().await.unwrap();
    assert_eq!(
        (events.status(), more.status()),
        (200.try_into().unwrap(), 200.try_into().unwrap())
    );
    timeout(PATIENCE, live.wait_for(|live| *live == 3))
        .await
        .unwrap()
        .unwrap();
    // A fourth is refused, wherever it comes from, and somebody else's is not.
    let query = server
        .post(&json!({"query": "{ hello }"}))
        .bearer_auth("ana");
    for request in [
        stream("text/event-stream", "ana"),
        stream(parts, "ana"),
        query,
    ] {
        let answer = request.send().await.unwrap();
        let (status, after) = (
            answer.status().as_u16(),
            answer.headers()["retry-after"].clone(),
        );
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!((status, code(&body)), (429, "RATE_LIMITED"), "{body}");
        let told = &body["errors"][0]["extensions"]["retryAfterSeconds"];
        assert_eq!((after.to_str().unwrap(), told), ("1", &json!(1)), "{body}");
    }
    socket.hear().await;
    socket.subscribe("b", "{ hello }").await;
    let refused = socket.hear().await;
    assert_eq!(
        refused["payload"][0]["extensions"]["code"], "RATE_LIMITED",
        "{refused}"
    );
    assert_eq!(server.ask("{ hello }").await.0, 200);
    // What has ended counts no more.
    drop(events);
    timeout(PATIENCE, live.wait_for(|live| *live == 2))
        .await
        .unwrap()
        .unwrap();
    socket.subscribe("b", "{ hello }").await;
    assert_eq!(socket.hear().await["type"], "next");
}
