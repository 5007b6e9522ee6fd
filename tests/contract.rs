//! The contract explains itself: every word that a plugin's author meets carries a sentence of its own.

use std::path::Path;

use wit_parser::{Docs, PackageId, Resolve, TypeDefKind};

fn contract() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (package, _) = resolve.push_dir(&folder).expect("wit that parses");
    (resolve, package)
}

fn said(docs: &Docs) -> bool {
    docs.contents.as_deref().is_some_and(|docs| !docs.trim().is_empty())
}

#[test]
fn every_world_interface_function_and_type_is_explained() {
    let (resolve, package) = contract();
    let package = &resolve.packages[package];
    let worlds = package.worlds.iter().map(|(name, id)| (format!("world {name}"), &resolve.worlds[*id].docs));
    let mut words: Vec<(String, &Docs)> = worlds.collect();
    for (interface, id) in &package.interfaces {
        let found = &resolve.interfaces[*id];
        words.push((format!("interface {interface}"), &found.docs));
        words.extend(found.functions.iter().map(|(name, function)| (format!("{interface}.{name}"), &function.docs)));
        for (name, id) in &found.types {
            let defined = &resolve.types[*id];
            // `use types.{…}` names what is explained where it is defined.
            if !matches!(defined.kind, TypeDefKind::Type(_)) {
                words.push((format!("{interface}.{name}"), &defined.docs));
            }
        }
    }
    assert!(words.len() > 50, "the contract has only {} words", words.len());
    let silent: Vec<String> = words.into_iter().filter(|(_, docs)| !said(docs)).map(|(word, _)| word).collect();
    assert_eq!(silent, [""; 0], "without a sentence");
}

#[test]
fn no_world_imports_a_function() {
    let (resolve, package) = contract();
    let package = &resolve.packages[package];
    assert!(package.worlds.len() >= 9, "a stage has lost its world");
    for (name, id) in &package.worlds {
        for (key, item) in &resolve.worlds[*id].imports {
            let wit_parser::WorldItem::Interface { id, .. } = item else { panic!("{name} imports {key:?}") };
            let functions: Vec<_> = resolve.interfaces[*id].functions.keys().collect();
            assert_eq!(functions, [""; 0], "{name} imports {key:?}");
        }
    }
}
