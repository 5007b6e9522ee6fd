//! The `settings:` block.

use serde::Deserialize;

use crate::{ChannelKind, Failure};

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// May a channel be used when nobody has asked the patient?
    pub unknown_consent: UnknownConsent,
    /// Spoken where none of the patient's languages has a template.
    pub default_language: String,
    /// Tried in this order where nothing else decides.
    pub order: Vec<Channel>,
    /// So many undeliverable letters in a row, and a channel counts as dead.
    pub undeliverable_max: u32,
}

/// A text without consent is against the TCPA (47 USC 227); a mail or a portal message is not.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnknownConsent {
    pub sms: bool,
    pub email: bool,
    pub portal: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    Sms,
    Email,
    Portal,
}

impl Settings {
    /// Refuses what it cannot use and names the key.
    pub fn read(text: &str) -> Result<Settings, Failure> {
        let settings: Settings = serde_json::from_str(if text.is_empty() { "{}" } else { text })
            .map_err(|error| Failure::Misconfigured(format!("settings of channel-consent: {error}")))?;
        if settings.default_language.trim().is_empty() {
            return Err(Failure::Misconfigured("default_language: write a BCP 47 tag such as `en`".to_owned()));
        }
        if settings.order.is_empty() {
            return Err(Failure::Misconfigured("order: name at least one of sms, email, portal".to_owned()));
        }
        if settings.undeliverable_max == 0 {
            return Err(Failure::Misconfigured(
                "undeliverable_max: write 1 or more; 0 would rule out every channel".to_owned(),
            ));
        }
        Ok(settings)
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            unknown_consent: UnknownConsent::default(),
            default_language: "en".to_owned(),
            order: vec![Channel::Sms, Channel::Email, Channel::Portal],
            undeliverable_max: 1,
        }
    }
}

impl Default for UnknownConsent {
    fn default() -> UnknownConsent {
        UnknownConsent { sms: false, email: true, portal: true }
    }
}

impl UnknownConsent {
    pub fn allows(&self, channel: ChannelKind) -> bool {
        match channel {
            ChannelKind::Sms => self.sms,
            ChannelKind::Email => self.email,
            ChannelKind::Portal => self.portal,
        }
    }
}

impl From<Channel> for ChannelKind {
    fn from(channel: Channel) -> ChannelKind {
        match channel {
            Channel::Sms => ChannelKind::Sms,
            Channel::Email => ChannelKind::Email,
            Channel::Portal => ChannelKind::Portal,
        }
    }
}
