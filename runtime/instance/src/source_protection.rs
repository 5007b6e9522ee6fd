//! Who may speak for a source. Each listener that takes one in has to say so, and nobody is believed because nobody asked:
//! a certificate, a signature, or the operator's reason why neither is needed.
//!
//! Asked before a listener is opened, by `serve` and by `doctor` alike.

use std::net::SocketAddr;

use handoff_engine::error_code::{Coded, ErrorCode};
use handoff_engine::ids::StageKey;
use handoff_engine::workflow::StageKind;
use handoff_host::Host;
use handoff_ingress::delivery::SenderProof;
use handoff_ingress::listener::is_loopback;
use handoff_pipeline::deployments::Installed;
use handoff_pipeline::plugin_report::checks_with;

use crate::config::{HttpListener, Listen, MllpListener};

/// Why a source may not come in at a listener.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error(
        "the listener {listener} takes in {source_name}, which the workflow has no trigger for\n\
         help: add `{source_name}: {{ plugin: … }}` under `stages: trigger:` in the workflow, or take it off `listen:`"
    )]
    Unread { listener: String, source_name: String },
    #[error(
        "anybody on the network may send HL7 messages to {source_name} at {address}: the listener asks for no certificate\n\
         help: name who may under `tls:` (`clients:`), or write beside `address:`\n  \
         anybody_because: the firewall lets the interface engine in and nobody else"
    )]
    Anybody { source_name: String, address: SocketAddr },
    #[error(
        "anybody who reaches {address} may send messages to {source_name}: its trigger names no signature, and the listener \
         asks for no certificate\n\
         help: name a signature in the settings of `{stage}`, or who may connect under `listen: http: tls:`; or write\n  \
         sources:\n    - source: {source_name}\n      anybody_because: only the interface engine reaches this port"
    )]
    Unsigned { source_name: String, stage: StageKey, address: SocketAddr },
}

impl Coded for SourceError {
    fn code(&self) -> ErrorCode {
        match self {
            SourceError::Unread { .. } => ErrorCode::SOURCE_UNREAD,
            SourceError::Anybody { .. } | SourceError::Unsigned { .. } => ErrorCode::SOURCE_UNPROTECTED,
        }
    }

    fn place(&self) -> Option<String> {
        Some(match self {
            SourceError::Unread { listener, .. } => format!("listen: {listener}:"),
            SourceError::Anybody { .. } => "listen: mllp:".into(),
            SourceError::Unsigned { .. } => "listen: http: sources:".into(),
        })
    }
}

/// # Errors
/// The first source that nothing reads, or that anybody could speak for.
pub fn check(listen: &Listen, installed: &Installed, host: &Host) -> Result<(), SourceError> {
    listen.mllp.iter().try_for_each(|listener| check_mllp(listener, installed))?;
    listen.http.iter().try_for_each(|listener| check_http(listener, installed, host))
}

fn check_mllp(listener: &MllpListener, installed: &Installed) -> Result<(), SourceError> {
    let MllpListener { source, address, tls, unencrypted_because, anybody_because, limits: _ } = listener;
    read(installed, "mllp", source)?;
    let asks = tls.as_ref().is_some_and(|tls| tls.clients.is_some());
    // Whoever speaks TLS for us is named in the reason why we do not, and asks for the certificates as well.
    let is_explained = unencrypted_because.is_some() || anybody_because.is_some();
    match asks || is_explained || is_loopback(address.ip()) {
        true => Ok(()),
        false => Err(SourceError::Anybody { source_name: source.clone(), address: *address }),
    }
}

fn check_http(listener: &HttpListener, installed: &Installed, host: &Host) -> Result<(), SourceError> {
    for (source, sender) in listener.senders() {
        let stage = read(installed, "http", &source)?;
        let signed_with = || {
            let plugin = installed.plugin(&stage).ok()?;
            let settings = installed.settings(&stage)?;
            Some(checks_with(host, plugin, &settings))
        };
        if sender == SenderProof::SignatureOnly && signed_with().is_none_or(|secrets| secrets.is_empty()) {
            return Err(SourceError::Unsigned { source_name: source, stage, address: listener.address });
        }
    }
    Ok(())
}

fn read(installed: &Installed, listener: &str, source: &str) -> Result<StageKey, SourceError> {
    let stage = StageKind::Trigger.key(source);
    match installed.settings(&stage) {
        Some(_) => Ok(stage),
        None => Err(SourceError::Unread { listener: listener.into(), source_name: source.into() }),
    }
}
