//! The label of a plugin: what it is, and what it may do in an instance, as the command line shows it.

use serde_json::Value;

use crate::house::{self, House};

/// A component of somebody's own: a bundled one with a section more, which changes its bytes and nothing else.
pub fn somebodys(name: &str) -> Vec<u8> {
    let bundled = handoff_bundle::plugin(name).expect("a bundled plugin");
    // A custom section (id 0) of five bytes: its name, `acme`, and nothing in it.
    [bundled.component, &[0, 5, 4], b"acme"].concat()
}

fn told(arguments: &[&str]) -> String {
    house::printed(arguments)
}

#[test]
fn each_bundled_plugin_has_a_label() {
    let labels = house::objects(&["plugin", "list", "--json"]);
    assert_eq!(labels.len(), handoff_bundle::plugins().len());
    for label in &labels {
        assert_eq!(label["imports"], Value::Array(vec![]), "{label}");
        assert_eq!(label["whose"]["whose"], "handoffs", "{label}");
        assert_eq!(label["tried"]["tried"], "by-our-tests", "{label}");
    }
    let seen = |name: &str| labels.iter().find(|label| label["plugin"] == name).expect("its label")["sees"].clone();
    assert_eq!(
        [seen("trigger-hl7v2"), seen("outreach-twilio"), seen("channel-consent")],
        ["clear", "tokens", "facts"].map(Value::from)
    );
}

#[test]
fn a_house_says_what_each_plugin_may_do() {
    let house = House::new();
    let config = house.path("handoff.yaml");
    let labels = told(&["plugin", "list", "--config", &config]);
    let label = labels.split("\noutreach-twilio\n").nth(1).expect("its label");
    let label = label.split("\n  as outreach.sms it may").collect::<Vec<_>>();
    assert!(label[0].contains("  imports  nothing\n"), "{labels}");
    assert!(label[0].contains("tokens in place of patient data and secrets"), "{labels}");
    assert!(label[0].contains("2s, 128 MiB of memory and 32 MiB of answer"), "{labels}");
    let may = label[1];
    assert!(may.contains("    reach    sms: "), "{may}");
    assert!(may.contains("http://127.0.0.1:9"), "{may}");
    assert!(may.contains("    read     in clear: sid, "), "{may}");
    assert!(may.contains("    check    signatures with the secret "), "{may}");
}

#[test]
fn a_strangers_label_says_whose_it_is_and_who_has_tried_it() {
    let house = House::new();
    let file = house.path("plugins/outreach-acme.wasm");
    std::fs::create_dir_all(house.path("plugins")).expect("a folder");
    std::fs::write(&file, somebodys("outreach-twilio")).expect("written");
    let label = told(&["plugin", "check", &file]);
    assert!(label.contains("  whose    nobody's that is trusted here: there is no signature beside it"), "{label}");
    assert!(label.contains("  badge    none beside it"), "{label}");

    let (key, public) = (house.path("keys/acme.key"), house.path("keys/acme.pub"));
    told(&["plugin", "key", &key]);
    told(&["plugin", "sign", &file, "--key", &key]);
    assert!(told(&["plugin", "check", &file]).contains("  whose    signed; name a key"));
    let label = &house::objects(&["plugin", "check", &file, "--key", &public, "--json"])[0];
    assert_eq!(label["whose"]["key"], public.as_str());
    let badge = house.path(&format!("plugins/badges/{}.json", label["digest"].as_str().expect("a digest")));
    std::fs::create_dir_all(house.path("plugins/badges")).expect("a folder");
    let found = r#"[{"promise":"one"},{"promise":"another","broken":"seen"}]"#;
    let digest = &label["digest"];
    std::fs::write(badge, format!(r#"{{"digest":{digest},"stage":"outreach","kit":1,"findings":{found}}}"#))
        .expect("written");

    house.edit("workflows/referral.yaml", "plugin: outreach-twilio", "plugin: outreach-acme");
    house.edit("handoff.yaml", "\nplugins: plugins\n", "\nplugins: plugins\nplugin_keys: [keys/acme.pub]\n");
    let label = told(&["plugin", "check", &file, "--config", &house.path("handoff.yaml")]);
    assert!(
        label.contains("kit 1, older than kit 2 of today: 1 promise(s) kept, 1 broken, by its author's word"),
        "{label}"
    );
    assert!(label.contains("  as outreach.sms it may\n    reach    sms: "), "{label}");

    let other = house.path("keys/other.key");
    told(&["plugin", "key", &other]);
    let refused = house::handoff(&["plugin", "check", &file, "--key", &house.path("keys/other.pub")]);
    assert!(!refused.status.success(), "another's key does not vouch for it");
}
