//! What Consent resources say about channels (FHIR R4, "Consent").

use fhir::read::{codes, list, resources};
use serde_json::Value;

use crate::settings::ConsentCodes;
use crate::{ChannelKind, Consent};

/// Read in clear: what kind of consent it is, and whether it permits. Not who signed it, when, or what it says.
pub const REVEAL: [&str; 11] = [
    "entry[].resource.resourceType",
    "entry[].resource.status",
    "entry[].resource.scope.coding[].code",
    "entry[].resource.category[].coding[].code",
    "entry[].resource.policyRule.coding[].code",
    "entry[].resource.provision.type",
    "entry[].resource.provision.action[].coding[].code",
    "entry[].resource.provision.provision[].type",
    "entry[].resource.provision.provision[].action[].coding[].code",
    "entry[].resource.provision.provision[].code[].coding[].code",
    "link[].relation",
];

/// One verdict for each channel that the chart speaks of; where consents contradict each other, the denial counts.
pub fn read(bundle: &Value, words: &ConsentCodes) -> Vec<Consent> {
    let mut consents: Vec<Consent> = vec![];
    let said = resources(bundle, "Consent")
        .filter(|consent| is_about_contact(consent))
        .flat_map(|consent| rules(consent, words));
    for (channel, granted) in said {
        match consents.iter_mut().find(|known| known.channel == channel) {
            Some(known) => known.granted &= granted,
            None => consents.push(Consent { channel, granted }),
        }
    }
    consents
}

/// Research consents, living wills and treatment consents say nothing about messages, whatever their codes.
fn is_about_contact(consent: &Value) -> bool {
    !codes(&consent["scope"]).any(|scope| matches!(scope, "research" | "adr" | "treatment"))
}

/// A consent has a root rule and exceptions to it, each with its codes.
fn rules(consent: &Value, words: &ConsentCodes) -> Vec<(Option<ChannelKind>, bool)> {
    let provision = &consent["provision"];
    let root_codes = list(&consent["category"]).chain(list(&provision["action"])).flat_map(codes);
    let root =
        verdict(consent).map(|granted| channels(root_codes, words).into_iter().map(move |channel| (channel, granted)));
    let exceptions = list(&provision["provision"]).filter(|_| is_active(consent)).flat_map(|exception| {
        let exception_codes = list(&exception["action"]).chain(list(&exception["code"])).flat_map(codes);
        let granted = permits(exception);
        channels(exception_codes, words).into_iter().filter_map(move |channel| Some((channel, granted?)))
    });
    root.into_iter().flatten().chain(exceptions).collect()
}

/// A rejected consent is a no. An active one says so in its provision, or, as R4 has it for the root rule, in its
/// policy.
fn verdict(consent: &Value) -> Option<bool> {
    if consent["status"] == "rejected" {
        return Some(false);
    }
    if !is_active(consent) {
        return None;
    }
    permits(&consent["provision"]).or_else(|| {
        codes(&consent["policyRule"]).find_map(|policy| match policy {
            "OPTIN" | "OPTINR" => Some(true),
            "OPTOUT" | "OPTOUTE" => Some(false),
            _ => None,
        })
    })
}

fn is_active(consent: &Value) -> bool {
    consent["status"] == "active"
}

fn permits(provision: &Value) -> Option<bool> {
    match provision["type"].as_str()? {
        "permit" => Some(true),
        "deny" => Some(false),
        _ => None,
    }
}

/// `None` within stands for every channel, as in the contract.
fn channels<'a>(codes: impl Iterator<Item = &'a str>, words: &ConsentCodes) -> Vec<Option<ChannelKind>> {
    let known = [
        (Some(ChannelKind::Sms), &words.sms),
        (Some(ChannelKind::Email), &words.email),
        (Some(ChannelKind::Portal), &words.portal),
        (None, &words.all),
    ];
    codes
        .flat_map(|code| {
            known.iter().filter(move |(_, words)| words.iter().any(|word| word.eq_ignore_ascii_case(code)))
        })
        .map(|(channel, _)| *channel)
        .collect()
}
