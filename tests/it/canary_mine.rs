//! What was planted, and what was heard.

use std::collections::BTreeSet;

use passbook::seal::hex;

/// What somebody might look for, and whose it is.
struct Canary {
    name: &'static str,
    /// As it is, and as a dump shows it.
    forms: [Vec<u8>; 2],
}

/// What was planted, and all that was said where none of it may be.
#[derive(Default)]
pub(crate) struct Mine {
    canaries: Vec<Canary>,
    heard: Vec<(&'static str, Vec<u8>)>,
}

impl Mine {
    pub(crate) fn plant(&mut self, name: &'static str, value: &str) {
        self.plant_bytes(name, value.as_bytes());
    }

    /// Something that need not be text.
    pub(crate) fn plant_bytes(&mut self, name: &'static str, value: &[u8]) {
        assert!(value.len() > 2, "{name}");
        let forms = [value.to_vec(), hex(value).into_bytes()];
        self.canaries.push(Canary { name, forms });
    }

    pub(crate) fn hear(&mut self, place: &'static str, said: impl Into<Vec<u8>>) {
        self.heard.push((place, said.into()));
    }

    /// What was found, and where. All is looked for at once, by its first two bytes: a log of everything is long.
    pub(crate) fn found(&self) -> Vec<(&'static str, &'static str)> {
        let mut beginnings = vec![Vec::new(); 1 << 16];
        for canary in &self.canaries {
            for form in &canary.forms {
                beginnings[pair(form)].push((canary.name, form));
            }
        }
        let mut all = Vec::new();
        for (place, said) in &self.heard {
            let mut found = BTreeSet::new();
            for (at, two) in said.windows(2).enumerate() {
                for (name, form) in &beginnings[pair(two)] {
                    if said[at..].starts_with(form) {
                        found.insert(*name);
                    }
                }
            }
            all.extend(found.into_iter().map(|name| (name, *place)));
        }
        all
    }
}

fn pair(bytes: &[u8]) -> usize {
    u16::from_be_bytes([bytes[0], bytes[1]]).into()
}
