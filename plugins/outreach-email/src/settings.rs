//! The `settings:` block.

use serde::Deserialize;

use crate::Failure;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `Referral Desk <referrals@clinic.example>`.
    pub from: String,
    pub reply_to: Option<String>,
    /// The endpoint's name in the workflow.
    #[serde(default = "endpoint")]
    pub endpoint: String,
    /// An https URL for one-click unsubscribing (RFC 8058).
    pub unsubscribe_url: Option<String>,
    /// Where a template has no subject.
    #[serde(default = "default_subject")]
    pub default_subject: String,
}

impl Settings {
    /// Refuses what it cannot use and names the key.
    pub fn read(text: &str) -> Result<Settings, Failure> {
        let settings: Settings = serde_json::from_str(if text.is_empty() { "{}" } else { text })
            .map_err(|error| Failure::Misconfigured(format!("settings of outreach-email: {error}")))?;
        let wrong = |cure: &str| Err(Failure::Misconfigured(cure.to_owned()));
        if !is_address(&settings.from) {
            return wrong("from: write a mail address, such as Referral Desk <referrals@clinic.example>");
        }
        if settings.reply_to.as_deref().is_some_and(|address| !is_address(address)) {
            return wrong("reply_to: write a mail address");
        }
        if settings.unsubscribe_url.as_deref().is_some_and(|url| !is_https(url)) {
            return wrong(
                "unsubscribe_url: write an https URL; one-click unsubscribing works with no other (RFC 8058)",
            );
        }
        if settings.default_subject.trim().is_empty() || has_control(&settings.default_subject) {
            return wrong("default_subject: write one line");
        }
        Ok(settings)
    }
}

fn is_address(text: &str) -> bool {
    text.contains('@') && !has_control(text)
}

fn is_https(text: &str) -> bool {
    text.starts_with("https://") && !text.contains(['<', '>', ' ']) && !has_control(text)
}

/// A line break would begin another header.
fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn endpoint() -> String {
    "mail".to_owned()
}

fn default_subject() -> String {
    "A message from your care team".to_owned()
}
