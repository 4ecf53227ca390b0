//! Whatever comes, it is read or refused and never breaks anything; and a document passes exactly if it
//! is as small as the limits say, counted here by walking all of it. The cases are the same each time;
//! `PROPTEST_RNG_SEED` and `PROPTEST_CASES` make others.

use std::fmt::Write;

use async_graphql::parser::{
    parse_query,
    types::{ExecutableDocument, Selection, SelectionSet},
};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use proptest::{
    collection::vec,
    prelude::{ProptestConfig, Strategy, any, prop_oneof},
    prop_assert_eq, proptest,
    test_runner::RngSeed,
};
use serde_json::json;

use super::{accept::Accepted, limits::Limits, params::Params, prepare::prepare};

/// Fragments of a document that is made up. Each spreads only those after it, so all of them end.
const FRAGMENTS: usize = 5;

/// Something real, to be spoilt.
const REAL: &str = "query Q($id: ID = \"x\", $n: Int) { item(id: $id) { ...f @include(if: true) \
    accounts { a: name transactions(first: $n, filter: {text: \"\\u00e9\", itemIds: [\"a\", $id]}) { \
    nodes { amount { amount } } } } } } fragment f on Item { id \"\"\"x\"\"\" }";

pub(super) fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    let rng_seed = match usual.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        given @ RngSeed::Fixed(_) => given,
    };
    ProptestConfig {
        rng_seed,
        failure_persistence: None,
        ..usual
    }
}

/// A selection that is made up.
#[derive(Clone, Debug)]
enum Made {
    Field(usize, Vec<Made>),
    Inline(Vec<Made>),
    Spread(usize),
}

fn made() -> impl Strategy<Value = Made> {
    let leaf = prop_oneof![
        (0_usize..6).prop_map(|name| Made::Field(name, Vec::new())),
        (0..FRAGMENTS).prop_map(Made::Spread),
    ];
    leaf.prop_recursive(3, 40, 4, |inner| {
        let below = vec(inner, 1..4);
        prop_oneof![
            3 => (0_usize..6, below.clone()).prop_map(|(name, below)| Made::Field(name, below)),
            1 => below.prop_map(Made::Inline),
        ]
    })
}

/// Writes selections that may spread the fragments from a number on.
fn write(text: &mut String, selections: &[Made], from: usize) {
    text.push_str("{ ");
    for selection in selections {
        match selection {
            Made::Field(name, below) => {
                write!(text, "field{name} ").unwrap();
                if !below.is_empty() {
                    write(text, below, from);
                }
            }
            Made::Inline(below) => {
                text.push_str("... ");
                write(text, below, from);
            }
            Made::Spread(n) if from < FRAGMENTS => {
                let name = from + n % (FRAGMENTS - from);
                write!(text, "...f{name} ").unwrap();
            }
            Made::Spread(_) => text.push_str("last "),
        }
    }
    text.push_str("} ");
}

/// Selections and depth of a document with everything spread out.
fn count(document: &ExecutableDocument, set: &SelectionSet, depth: usize) -> (usize, usize) {
    let (mut selections, mut deepest) = (0, depth);
    for selection in &set.items {
        let (below, depth) = match &selection.node {
            Selection::Field(field) => {
                deepest = deepest.max(depth + 1);
                (&field.node.selection_set.node, depth + 1)
            }
            Selection::InlineFragment(inline) => (&inline.node.selection_set.node, depth),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                (&document.fragments[name].node.selection_set.node, depth)
            }
        };
        let (more, deep) = count(document, below, depth);
        selections += 1 + more;
        deepest = deepest.max(deep);
    }
    (selections, deepest)
}

fn asks(query: &str, limits: &Limits) -> bool {
    let body = json!({ "query": query }).to_string();
    let params = Params::from_body(body.as_bytes()).unwrap();
    prepare(params, limits).is_ok()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn bytes_are_read_or_refused(body in vec(any::<u8>(), 0..600)) {
        if let Ok(params) = Params::from_body(&body) {
            let _ = prepare(params, &Limits::default());
        }
    }

    #[test]
    fn texts_are_read_or_refused(query in ".{0,300}", name in ".{0,20}", variables in ".{0,60}") {
        asks(&query, &Limits::default());
        let pairs = [("query", &query), ("operationName", &name), ("variables", &variables)];
        let url = reqwest::Url::parse_with_params("http://server/graphql", pairs).unwrap();
        let uri: Uri = url.as_str().parse().unwrap();
        if let Ok(params) = Params::from_uri(&uri) {
            let _ = prepare(params, &Limits::default());
        }
    }

    #[test]
    fn a_spoilt_document_is_read_or_refused(edits in vec((0..REAL.len(), any::<char>()), 1..8)) {
        let mut text: Vec<char> = REAL.chars().collect();
        for (at, letter) in edits {
            if let Some(place) = text.get_mut(at) {
                *place = letter;
            }
        }
        asks(&text.into_iter().collect::<String>(), &Limits::default());
    }

    #[test]
    fn an_accept_is_understood_or_not(value in vec(any::<u8>(), 0..200), words in "[a-z/+*;,=q0-9. \"-]{0,80}") {
        for value in [value.as_slice(), words.as_bytes()] {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.insert(header::ACCEPT, value);
            }
            let _ = Accepted::of(&headers);
        }
    }

    #[test]
    fn a_document_passes_exactly_if_it_is_small(
        operation in vec(made(), 1..4),
        fragments in vec(vec(made(), 1..4), FRAGMENTS),
    ) {
        let limits = Limits { fields: 120, depth: 6, root_fields: 1_000, ..Limits::default() };
        let mut text = String::new();
        write(&mut text, &operation, 0);
        for (n, fragment) in fragments.iter().enumerate() {
            write!(text, "fragment f{n} on Any ").unwrap();
            write(&mut text, fragment, n + 1);
        }
        let document = parse_query(&text).unwrap();
        let whole = document.operations.iter().map(|(_, one)| &one.node.selection_set.node);
        let parts = document.fragments.values().map(|one| &one.node.selection_set.node);
        let sizes: Vec<_> = whole.chain(parts).map(|set| count(&document, set, 0)).collect();
        let small = sizes.iter().all(|(size, depth)| *size <= limits.fields && *depth <= limits.depth);
        prop_assert_eq!(asks(&text, &limits), small, "{} {:?}", text, sizes);
    }
}
