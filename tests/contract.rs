//! The contract explains itself, and asks nothing of the host.

use std::path::Path;

use wit_parser::{Docs, PackageId, Resolve, Type, TypeDefKind, TypeId};

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
fn every_world_and_every_interface_says_what_it_is_for() {
    let (resolve, package) = contract();
    let package = &resolve.packages[package];
    assert!(said(&package.docs), "the package");
    let worlds = package.worlds.iter().map(|(name, id)| (name, &resolve.worlds[*id].docs));
    let interfaces = package.interfaces.iter().map(|(name, id)| (name, &resolve.interfaces[*id].docs));
    let silent: Vec<_> = worlds.chain(interfaces).filter(|(_, docs)| !said(docs)).map(|(name, _)| name).collect();
    assert_eq!(silent, [""; 0]);
}

#[test]
fn every_function_and_every_type_says_what_it_is() {
    let (resolve, package) = contract();
    let mut silent = Vec::new();
    for (interface, id) in &resolve.packages[package].interfaces {
        let interface_of = &resolve.interfaces[*id];
        let functions = interface_of.functions.iter().map(|(name, function)| (name, &function.docs));
        // A type that is only used here is told of where it is defined.
        let own = |id: &TypeId| !matches!(resolve.types[*id].kind, TypeDefKind::Type(Type::Id(_)));
        let types =
            interface_of.types.iter().filter(|(_, id)| own(id)).map(|(name, id)| (name, &resolve.types[*id].docs));
        silent.extend(
            functions.chain(types).filter(|(_, docs)| !said(docs)).map(|(name, _)| format!("{interface}.{name}")),
        );
    }
    assert_eq!(silent, [""; 0]);
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
