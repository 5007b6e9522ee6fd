//! A plugin built against any contract that was ever released runs on this host.

use std::path::Path;

use handoff_host::{FaultKind, WitWorld};

use crate::{fixtures, samples};

#[test]
fn a_shell_of_each_world_of_each_released_contract_loads_and_is_reached() {
    let host = fixtures::host();
    let versions = fixtures::released();
    assert!(!versions.is_empty(), "a release freezes its contract in wit/released");
    for version in versions {
        for &world in WitWorld::ALL {
            let shell = fixtures::shell_from(&version, world.name());
            let plugin = host.load(&shell).unwrap_or_else(|error| panic!("{}: {world}: {error}", version.display()));
            assert_eq!(plugin.worlds(), [world]);
            for call in samples::all().into_iter().filter(|call| call.function().world() == world) {
                let fault = host.call(&plugin, &call).expect_err("a shell only traps");
                assert_eq!(fault.kind, FaultKind::Trapped, "{} of {}", call.function(), version.display());
            }
        }
    }
}

/// Whoever changes `wit/` changes what the next release freezes; whoever changes a frozen file breaks plugins that are out.
#[test]
fn the_contract_still_says_what_its_frozen_version_says() {
    let wit = fixtures::wit();
    let current = text(&wit, "types.wit");
    let version = current.lines().find_map(|line| line.strip_prefix("package handoff:stage@")).expect("a version");
    let frozen = wit.join("released").join(version.trim_end_matches(';'));
    for entry in frozen.read_dir().expect("the version that wit/ names is frozen, or is not yet released").flatten() {
        let name = entry.file_name().into_string().expect("UTF-8");
        assert_eq!(
            text(&wit, &name),
            text(&frozen, &name),
            "{name}: a released contract does not change; name a new version"
        );
    }
}

fn text(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
