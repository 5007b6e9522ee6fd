//! Plugins from a registry: put there by their author, fetched into an instance by its operator, and taken from the folder
//! alone by Handoff.

mod shop;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use self::shop::{Lie, Manner, Shop};
use crate::house::{self, House};
use crate::label::somebodys;

/// An instance that trusts an author, and the author's signed component.
struct Set {
    house: House,
    shop: Shop,
    file: String,
}

fn set(manner: Manner) -> Set {
    let house = House::new();
    let (file, key) = (house.path("outreach-acme.wasm"), house.path("keys/acme.key"));
    std::fs::write(&file, somebodys("outreach-twilio")).expect("written");
    house::printed(&["plugin", "key", &key]);
    house::printed(&["plugin", "sign", &file, "--key", &key]);
    house.edit("handoff.yaml", "\nplugins: plugins\n", "\nplugins: plugins\nplugin_keys: [keys/acme.pub]\n");
    Set { house, shop: Shop::open(manner), file }
}

impl Set {
    fn reference(&self) -> String {
        format!("oci://{}/team/outreach-acme:1.2", self.shop.address)
    }

    /// As `ada`, whom a closed registry knows.
    fn run(&self, arguments: &[&str]) -> Output {
        let command = Command::new(env!("CARGO_BIN_EXE_handoff-house"))
            .args(["plugin"])
            .args(arguments)
            .args(["--plain-http", "--user", "ada"])
            .env("HANDOFF_REGISTRY_PASSWORD", "secret")
            .output();
        command.expect("the binary runs")
    }

    /// Puts the component there, and gives what to pin.
    fn push(&self) -> String {
        let pushed = self.run(&["push", &self.file, &self.reference()]);
        let told = String::from_utf8([pushed.stdout, pushed.stderr].concat()).expect("UTF-8");
        assert!(pushed.status.success(), "{told}");
        told.lines().find_map(|line| line.strip_prefix("pin: ")).expect("a digest to pin").to_string()
    }

    fn pull(&self, reference: &str) -> Output {
        self.run(&["pull", reference, "--config", &self.house.path("handoff.yaml")])
    }

    fn pulled(&self, reference: &str) -> String {
        let pulled = self.pull(reference);
        assert!(pulled.status.success(), "{}", String::from_utf8_lossy(&pulled.stderr));
        String::from_utf8(pulled.stdout).expect("UTF-8")
    }

    /// Why nothing was kept.
    fn refused(&self, reference: &str) -> String {
        let pulled = self.pull(reference);
        let told = String::from_utf8(pulled.stderr).expect("UTF-8");
        assert!(!pulled.status.success(), "{reference} was taken");
        assert!(!Path::new(&self.house.path("plugins/oci")).exists(), "something was kept: {told}");
        told
    }

    /// What is wrong with the workflow and its plugins, if anything is.
    fn fault(&self) -> Option<String> {
        let doctor = house::handoff(&["doctor", "--json", "--config", &self.house.path("handoff.yaml")]);
        let findings: Vec<Value> = serde_json::from_slice(&doctor.stdout).expect("JSON");
        let finding = findings.iter().find(|it| it["what"] == "workflow and plugins").expect("it is looked at");
        finding["fault"].as_str().map(str::to_string)
    }
}

#[test]
fn a_plugin_travels_from_its_author_to_a_house() {
    let set = set(Manner { lists_referrers: true, ..Manner::default() });
    let tag = set.reference();
    set.house.edit("workflows/referral.yaml", "plugin: outreach-twilio", &format!("plugin: {tag}"));
    let fault = set.fault().expect("it is not there yet");
    assert!(fault.contains("was not pulled; a running instance asks no registry"), "{fault}");
    assert_eq!(set.shop.asked(), 0, "nobody asked");

    let pin = set.push();
    let told = set.pulled(&tag);
    assert!(told.contains("  whose    signed by "), "{told}");
    assert!(told.contains(&format!("plugin: {pin}")), "{told}");
    let asked = set.shop.asked();
    assert_eq!(set.fault(), None);
    set.house.edit("workflows/referral.yaml", &format!("plugin: {tag}"), &format!("plugin: \"{pin}\""));
    assert_eq!(set.fault(), None, "by its digest, too");
    assert_eq!(set.shop.asked(), asked, "an instance takes what lies in its folder");
}

#[test]
fn registries_have_manners_of_their_own() {
    for (redirects, is_closed) in [(true, false), (false, true), (true, true)] {
        let set = set(Manner { redirects, is_closed, ..Manner::default() });
        let (pin, told) = (set.push(), set.pulled(&set.reference()));
        assert!(told.contains(&format!("plugin: {pin}")), "{told}");
        assert!(set.pulled(&pin).contains("  whose    signed by "), "by its digest, too");
    }
}

#[test]
fn what_was_changed_on_the_way_or_in_the_folder_is_not_taken() {
    let set = set(Manner::default());
    let (tag, pin) = (set.reference(), set.push());
    let lie = |lie| set.shop.behave(Manner { lie: Some(lie), ..Manner::default() });
    lie(Lie::Manifest);
    assert!(set.refused(&pin).contains("what came is not what was named"));
    lie(Lie::Component);
    assert!(set.refused(&tag).contains("what came is not what was named"));
    lie(Lie::Endless);
    assert!(set.refused(&tag).contains("the component is larger than"));
    lie(Lie::Unsigned);
    assert!(set.refused(&tag).contains("there is no signature beside it"));
    set.shop.behave(Manner::default());

    let nowhere = set.refused(&tag.replace(":1.2", ":1.3"));
    assert!(nowhere.contains("the registry did not give"), "{nowhere}");
    let stranger = set.house.path("keys/other.key");
    house::printed(&["plugin", "key", &stranger]);
    set.house.edit("handoff.yaml", "[keys/acme.pub]", "[keys/other.pub]");
    assert!(set.refused(&tag).contains("by a key that is not listed"));
    set.house.edit("handoff.yaml", "[keys/other.pub]", "[keys/acme.pub]");

    set.pulled(&tag);
    set.house.edit("workflows/referral.yaml", "plugin: outreach-twilio", &format!("plugin: {tag}"));
    let folder = set.house.path(&format!("plugins/oci/{}/team/outreach-acme", set.shop.address));
    let component = pin.split_once('@').expect("a digest").1.replace(':', "-");
    let component = Path::new(&folder).join(format!("{component}.wasm"));
    std::fs::write(&component, somebodys("outreach-email")).expect("written");
    assert!(set.fault().expect("it was changed").contains("its bytes are others than its manifest says"));
}

#[test]
fn what_is_no_component_or_too_large_is_left_where_it_is() {
    let set = set(Manner::default());
    set.push();
    let said = |anew: fn(&mut Value)| {
        set.shop.rewrite("1.2", anew);
        set.refused(&set.reference())
    };
    let told = said(|manifest| manifest["layers"][0]["size"] = (1_u64 << 40).into());
    assert!(told.contains("the component is larger than"), "{told}");
    let told = said(|manifest| manifest["layers"][0]["mediaType"] = "application/vnd.oci.image.layer.v1.tar".into());
    assert!(told.contains("its layer is not WebAssembly"), "{told}");
    let told = said(|manifest| manifest["config"]["mediaType"] = "application/vnd.oci.image.config.v1+json".into());
    assert!(told.contains("its config is not"), "{told}");
    let told = said(|manifest| *manifest = Value::Null);
    assert!(told.contains("its manifest is none of an image's"), "{told}");
}

#[test]
fn a_registry_beyond_this_machine_is_asked_over_tls_alone() {
    let set = set(Manner::default());
    let pulled = set.pull("oci://registry.example/team/outreach-acme:1.2");
    let told = String::from_utf8(pulled.stderr).expect("UTF-8");
    assert!(
        !pulled.status.success() && told.contains("registry.example may not be asked without encryption"),
        "{told}"
    );
    let unsigned = set.house.path("unsigned.wasm");
    std::fs::write(&unsigned, somebodys("outreach-twilio")).expect("written");
    let pushed = set.run(&["push", &unsigned, &set.reference()]);
    assert!(!pushed.status.success() && set.shop.asked() == 0, "what nobody signed is not offered");
}
