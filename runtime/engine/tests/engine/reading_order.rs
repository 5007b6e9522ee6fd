//! `lib.rs` says in which order to read the modules; each may name only those before it.

use std::fs;
use std::path::{Path, PathBuf};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("a folder entry").path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The modules that a text names by `crate::…`, comments aside.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let paths = code.flat_map(|line| line.split("crate::").skip(1));
    paths.map(|path| path.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap_or_default())
}

#[test]
fn modules_import_only_what_is_read_before_them() {
    let lib = fs::read_to_string(source().join("lib.rs")).expect("lib.rs can be read");
    let listed = lib.lines().filter_map(|line| line.strip_prefix("//! - [`")?.split_once('`'));
    let order: Vec<&str> = listed.map(|(module, _)| module).collect();
    let mut declared: Vec<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    declared.sort_unstable();
    assert_eq!(sorted, declared, "the reading order lists each module once");

    let place = |module: &str| order.iter().position(|listed| *listed == module);
    for path in files_below(&source()) {
        let relative = path.strip_prefix(source()).expect("a file of the engine").with_extension("");
        let module = relative.iter().next().and_then(|name| name.to_str()).expect("a plain file name");
        let text = fs::read_to_string(&path).expect("a file can be read");
        // The macro is written for modules that come after it.
        if ["lib", "vocabulary"].contains(&module) {
            continue;
        }
        for other in named(&text) {
            let (own, other_place) = (place(module), place(other));
            assert!(other_place.is_some(), "{}: `crate::{other}` is in no list", path.display());
            assert!(other_place <= own, "{}: `{module}` is read before `{other}` and names it", path.display());
        }
    }
}
