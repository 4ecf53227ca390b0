//! Takes the page that `web/` builds into the program. Where it was not built there is nothing to
//! take, and the program has a smaller page of its own.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=web/dist");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = root.join("web/dist");
    let mut files = Vec::new();
    if dist.join("index.html").exists() {
        files.push(dist.join("index.html"));
        for entry in fs::read_dir(dist.join("assets"))? {
            files.push(entry?.path());
        }
    }
    files.sort();
    let list: String = files.iter().map(|file| line(&dist, file)).collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("graphiql.rs"), format!("&[\n{list}]"))
}

/// A file's name within the page, and its bytes.
fn line(dist: &Path, file: &Path) -> String {
    let name = file.strip_prefix(dist).unwrap_or(file).to_string_lossy();
    let name = name.replace('\\', "/");
    let path = file.to_string_lossy();
    format!("({name:?}, include_bytes!({path:?})),\n")
}
