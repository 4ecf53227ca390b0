//! Downloading as a browser does: by the address alone.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
};

use reqwest::{Method, header::HeaderMap};

use super::DEVICE;

/// What an address answers.
pub(crate) struct Download {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Download {
    pub(crate) async fn of(url: &str) -> Self {
        Self::ask(Method::GET, url).await
    }

    pub(crate) async fn head(url: &str) -> Self {
        Self::ask(Method::HEAD, url).await
    }

    async fn ask(method: Method, url: &str) -> Self {
        let client = reqwest::Client::builder().user_agent(DEVICE);
        let client = client.build().unwrap();
        let answer = client.request(method, url).send().await.unwrap();
        Self {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            bytes: answer.bytes().await.unwrap().to_vec(),
        }
    }
}

/// The files of an archive by name.
pub(crate) fn unpack(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut files = BTreeMap::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(file.name().unwrap().into_owned(), bytes);
    }
    files
}
