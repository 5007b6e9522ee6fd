//! A plugin built against any contract that was ever released runs on this host.

use std::path::Path;

use handoff_host::{ContractVersion, FaultKind, WitWorld};

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

/// Whoever changes `wit/` changes what the next release freezes; whoever changes a frozen file breaks plugins that are out. A version
/// that was never released is not frozen yet.
#[test]
fn the_contract_still_says_what_its_frozen_version_says() {
    let wit = fixtures::wit();
    let current = text(&wit, "types.wit");
    let version = current.lines().find_map(|line| line.strip_prefix("package handoff:stage@")).expect("a version");
    let version = version.trim_end_matches(';');
    let newest = ContractVersion::ALL.last().expect("a version");
    assert_eq!(version, newest.number(), "wit/ is the newest contract that the host serves");
    for served in ContractVersion::ALL.iter().filter(|served| *served != newest) {
        assert!(wit.join("released").join(served.number()).is_dir(), "{served} is served, and so frozen");
    }
    let Ok(frozen) = wit.join("released").join(version).read_dir() else { return };
    for entry in frozen.flatten() {
        let name = entry.file_name().into_string().expect("UTF-8");
        assert_eq!(
            text(&wit, &name),
            text(entry.path().parent().expect("its folder"), &name),
            "{name}: a released contract does not change; name a new version"
        );
    }
}

fn text(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
