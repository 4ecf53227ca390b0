//! What a bank asks. The published types differ from place to place (`IMAGE`, `IMAGE_DATA`,
//! `OPTIONS`, `TEXT`, `TOKEN`), so what a question has decides how it is answered, not what it is called. Pictures
//! come as base64 or as `data:` addresses; they leave as `data:` addresses, and not too large ones.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::providers::{
    Challenge, ChallengeKind, ChallengeOption,
    lenient::{identifier, object},
};

/// Largest picture that is kept, in characters.
const IMAGE_MAX: usize = 512 * 1024;
/// Longest text that is kept, in characters.
const TEXT_MAX: usize = 2_000;
/// Most questions and most options of one that are kept.
const LIST_MAX: usize = 50;

#[derive(Deserialize)]
struct Row<'a> {
    guid: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    image_data: Option<String>,
    #[serde(default, borrow)]
    options: Option<Vec<&'a RawValue>>,
    #[serde(default, borrow)]
    image_options: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    guid: Option<String>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    data_uri: Option<String>,
}

/// Reads the questions; one that cannot be answered, having no id, is left out.
pub(super) fn challenges(rows: &[&RawValue]) -> Vec<Challenge> {
    let each = rows.iter().take(LIST_MAX);
    each.filter_map(|row| challenge(row)).collect()
}

fn challenge(json: &RawValue) -> Option<Challenge> {
    let row: Row<'_> = object(json.get())?;
    let images = choices(row.image_options.as_deref());
    let options = choices(row.options.as_deref());
    let image = row.image_data.and_then(picture);
    let (kind, options) = match (images.is_empty(), options.is_empty(), &image) {
        (false, ..) => (ChallengeKind::ImageOptions, images),
        (true, false, _) => (ChallengeKind::Options, options),
        (true, true, Some(_)) => (ChallengeKind::Image, options),
        (true, true, None) => (ChallengeKind::Text, options),
    };
    Some(Challenge {
        id: identifier(row.guid)?,
        label: text(row.label).unwrap_or_default(),
        kind,
        options,
        image,
    })
}

fn choices(rows: Option<&[&RawValue]>) -> Vec<ChallengeOption> {
    let rows = rows.unwrap_or_default().iter().take(LIST_MAX);
    let read = rows.filter_map(|row| object::<Choice>(row.get()));
    read.filter_map(choice).collect()
}

/// MX takes an option's value or its guid; a value that is shown to nobody may be missing.
fn choice(choice: Choice) -> Option<ChallengeOption> {
    let image = choice.data_uri.and_then(picture);
    let label = text(choice.label);
    let value = text(choice.value).or_else(|| choice.guid.and_then(identifier))?;
    Some(ChallengeOption {
        label: label.unwrap_or_else(|| value.clone()),
        value,
        image,
    })
}

fn text(text: Option<String>) -> Option<String> {
    let kept: String = text?
        .chars()
        .filter(|c| *c != '\0')
        .take(TEXT_MAX)
        .collect();
    (!kept.is_empty()).then_some(kept)
}

/// A picture as a `data:` address. Any other address would let a bank's text make a browser go there.
fn picture(text: String) -> Option<String> {
    if text.is_empty() || text.len() > IMAGE_MAX {
        return None;
    }
    if let Some(rest) = text.strip_prefix("data:") {
        let plain = |c: char| c.is_ascii_alphanumeric() || "+/=;,-.".contains(c);
        return (rest.starts_with("image/") && rest.chars().all(plain)).then_some(text);
    }
    let bytes = STANDARD.decode(text.trim_end()).ok()?;
    let kind = match bytes.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => "png",
        [0xff, 0xd8, ..] => "jpeg",
        [b'G', b'I', b'F', ..] => "gif",
        _ => return None,
    };
    Some(format!(
        "data:image/{kind};base64,{}",
        STANDARD.encode(bytes)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Vec<Challenge> {
        challenges(&serde_json::from_str::<Vec<&RawValue>>(json).unwrap())
    }

    #[test]
    fn a_question_is_answered_by_what_it_has() {
        use ChallengeKind::{Image, ImageOptions, Options, Text};
        let png = STANDARD.encode([0x89, b'P', b'N', b'G']);
        let json = format!(
            r#"[{{"guid":"1","label":"Pet?","type":"TOKEN","options":[],"image_data":null}},
                {{"guid":"2","label":"Which?","options":[{{"guid":"a","label":"A","value":"va"}},{{"guid":"b","label":"B"}}]}},
                {{"guid":"3","label":"Read","image_data":"{png}"}},
                {{"guid":"4","label":"Cat?","image_options":[{{"value":"c","data_uri":"data:image/png;base64,{png}"}}]}},
                {{"label":"nameless"}}, 7]"#
        );
        let read = read(&json);
        let kinds: Vec<ChallengeKind> = read.iter().map(|row| row.kind).collect();
        assert_eq!(kinds, [Text, Options, Image, ImageOptions]);
        let values: Vec<&str> = read[1].options.iter().map(|o| o.value.as_str()).collect();
        assert_eq!(values, ["va", "b"]);
        assert!(
            read[2]
                .image
                .as_ref()
                .unwrap()
                .starts_with("data:image/png")
        );
        assert!(read[3].options[0].image.is_some());
    }

    #[test]
    fn a_picture_is_a_picture_and_not_too_large() {
        for bad in [
            "javascript:alert(1)".to_owned(),
            "data:text/html,<script>".to_owned(),
            "data:image/svg+xml,<svg onload=x>".to_owned(),
            "https://bank.example/picture.png".to_owned(),
            "A".repeat(IMAGE_MAX + 1),
            String::new(),
        ] {
            assert_eq!(picture(bad.clone()), None, "{bad:.40}");
        }
    }
}
