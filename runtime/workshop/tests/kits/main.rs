//! The kits, held to two things: every bundled plugin earns its badge, and a plugin that breaks a promise does not.

mod cases;
mod wrong;

use std::sync::LazyLock;

use handoff_host::{Host, Plugin, PluginLimits, WitWorld};
use handoff_workshop::conform::{KIT, conform};

static HOST: LazyLock<Host> = LazyLock::new(|| Host::new(PluginLimits::default(), None).expect("a host"));

fn load(name: &str) -> (Plugin, WitWorld) {
    let bundled = handoff_bundle::plugin(name).expect("a bundled plugin");
    let plugin = HOST.load(bundled.component).expect("it loads");
    let stage = plugin.worlds()[0];
    (plugin, stage)
}

#[test]
fn every_bundled_plugin_earns_its_badge() {
    for bundled in handoff_bundle::plugins() {
        let (plugin, stage) = load(bundled.name);
        let badge = conform(&HOST, &plugin, stage, &cases::of(bundled.name, &plugin));
        let broken: Vec<_> = badge.findings.iter().filter(|finding| finding.broken.is_some()).collect();
        assert!(badge.is_earned(), "{}: {broken:#?}", bundled.name);
        assert_eq!((badge.kit, badge.digest), (KIT, plugin.digest().to_string()));
        // The two promises of every stage alone would be no kit.
        assert!(badge.findings.len() > 4, "{}: {} promises", bundled.name, badge.findings.len());
    }
}
