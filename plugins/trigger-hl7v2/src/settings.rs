//! What a practice may set for its HL7 v2 feed.

use mapping::{Fact, Mapping, SettingFault};
use serde::Deserialize;

use crate::mapped::Map;
use crate::message::Declared;
use crate::path::Path;
use crate::problem::Fault;
use crate::zone::Zone;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// For times without a zone in messages whose MSH-7 has none either: `-05:00`.
    pub default_offset: String,
    /// The practice's zone, `America/New_York`: counts for the default offset, and where MSH-7 has the offset that it had then.
    pub zone: Option<String>,
    /// For messages whose MSH-18 says nothing: `8859/2`. Unset, the bytes decide between UTF-8 and Windows-1252.
    pub charset: Option<String>,
    pub orders: Services,
    pub results: Services,
    /// Codes or names of OBR-4 that are referrals here, whatever else the order says.
    pub referral_services: Vec<String>,
    /// Codes or names of OBR-4 that are none.
    pub other_services: Vec<String>,
    pub identity_changes: IdentityChanges,
    pub test_messages: TestMessages,
    pub match_patient: MatchPatient,
    pub dedupe: Dedupe,
    /// Where this site tells what, as it is written.
    #[serde(rename = "map")]
    written_map: serde_json::Value,
    /// The same, read.
    #[serde(skip)]
    pub map: Map,
}

/// Which orders are referrals, and which results are the notes that answer them.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Services {
    /// Those whose service says so; the feed also carries laboratory, imaging or pharmacy.
    ByService,
    /// Every one: the feed carries nothing else.
    #[serde(alias = "referrals")]
    All,
}

/// What becomes of ADT messages that merge or renumber patients, or tell that one has died.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityChanges {
    /// Taken over: every referral of the patient follows.
    Apply,
    /// Refused, so that a person sees them first.
    Refuse,
    /// Acknowledged and not kept, where another system takes care of them.
    Ignore,
}

/// What becomes of messages that their sender marks as no real ones (MSH-11 T or D, table 0103: training, debugging).
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestMessages {
    /// Acknowledged and not kept.
    Ignore,
    /// Read like any other, while a feed is being connected.
    Take,
}

/// When the patient may find the referral of an appointment, a note or a withdrawal.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchPatient {
    Never,
    /// When it carries no order number. One that carries a number we do not know is about another order.
    Unnumbered,
    Always,
}

/// What makes two deliveries the same.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dedupe {
    /// MSH-3, MSH-4 and MSH-10, as HL7 v2.8, 2.9 has it: for senders that rewrite what they send again.
    ControlId,
    /// The control id and the content. Senders use a control id more than once, some always the same.
    Content,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            default_offset: "+00:00".to_owned(),
            zone: None,
            charset: None,
            orders: Services::ByService,
            results: Services::ByService,
            referral_services: Vec::new(),
            other_services: Vec::new(),
            identity_changes: IdentityChanges::Apply,
            test_messages: TestMessages::Ignore,
            match_patient: MatchPatient::Unnumbered,
            dedupe: Dedupe::Content,
            written_map: serde_json::Value::Null,
            map: Map::default(),
        }
    }
}

impl Settings {
    pub fn read(json: &str) -> Result<Settings, Fault> {
        let json = if json.trim().is_empty() { "{}" } else { json };
        let mut settings: Settings = serde_json::from_str(json).map_err(|error| Fault::settings(error.to_string()))?;
        settings.map = Mapping::read(&settings.written_map, &Fact::ALL, Path::parse).map_err(first_of)?;
        let wrong = [
            Zone::offset(&settings.default_offset)
                .is_none()
                .then(|| "default_offset is no offset from UTC; write it as \"-05:00\"".to_owned()),
            settings.zone.as_deref().filter(|name| Zone::named(name).is_none()).map(|_| {
                "zone is no zone of the United States that is known; write it as \"America/New_York\"".to_owned()
            }),
            settings.charset.as_deref().filter(|name| !charset_is_known(name)).map(|_| {
                "charset is no character set that is read; write it as in MSH-18, such as \"8859/1\"".to_owned()
            }),
            settings
                .referral_services
                .iter()
                .chain(&settings.other_services)
                .any(|word| word.trim().is_empty())
                .then(|| "referral_services and other_services hold codes or names of OBR-4; one is empty".to_owned()),
            settings
                .referral_services
                .iter()
                .find(|word| names(&settings.other_services, word))
                .map(|_| "a service stands both in referral_services and in other_services".to_owned()),
        ];
        match wrong.into_iter().flatten().next() {
            Some(message) => Err(Fault::settings(message)),
            None => Ok(settings),
        }
    }
}

/// The sender is told of one; `handoff workflow check` finds them all.
fn first_of(faults: Vec<SettingFault>) -> Fault {
    let SettingFault { place, message, help } = faults.into_iter().next().unwrap_or_default();
    Fault::setting(&format!("settings.{place}"), message, &help)
}

/// Whether a list of codes or names has this one, in any case of letters.
pub fn names(list: &[String], word: &str) -> bool {
    list.iter().any(|known| known.trim().eq_ignore_ascii_case(word.trim()))
}

fn charset_is_known(name: &str) -> bool {
    matches!(Declared::by(name.as_bytes(), b'~'), Declared::Known(_))
}
