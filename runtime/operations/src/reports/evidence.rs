//! Writes an evidence pack: what became of one referral, provable without us. Tokens and ciphertext only.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use ed25519_dalek::SigningKey;
use handoff_engine::ids::ReferralId;
use handoff_store::View;
use handoff_store::journal::{BatchProof, Proven};
use handoff_verifier::pack::{self, About, Batch, FORMAT, Line, PackFrame, PackMoment, PackPlugin, hexadecimal};

use super::timeline;

/// # Errors
/// When the referral is not known, all of it has been purged, or the journal cannot be read.
pub fn write(view: &View, id: ReferralId, key: &SigningKey, now: DateTime<Utc>) -> anyhow::Result<String> {
    let positions: BTreeSet<_> = view.index().history(&id)?.into_iter().collect();
    if positions.is_empty() {
        bail!(handoff_pipeline::error::PipelineError::NoSuchReferral(id));
    }
    let mut lines = vec![Line::Evidence(About {
        format: FORMAT.into(),
        referral: id.to_string(),
        made_at: now.to_rfc3339_opts(SecondsFormat::Secs, true),
        journal_through: view.last().0,
        key: hexadecimal(key.verifying_key().as_bytes()),
    })];
    let mut plugins: BTreeSet<PackPlugin> = BTreeSet::new();
    for position in &positions {
        let Some(entry) = view.read(*position)? else { continue };
        let json = serde_json::to_value(&*entry)?;
        let at = json["at"].as_str().context("an entry has a time")?.to_string();
        let told = timeline::told(&entry, id).into_iter().map(|moment| moment.what);
        lines.extend(told.map(|what| Line::Moment(PackMoment { at: at.clone(), what })));
        plugins.extend(pack::plugins_of(&json));
    }
    lines.extend(plugins.into_iter().map(Line::Plugin));
    lines.extend(view.reader().rotations()?.iter().map(|frame| Line::Rotation(hexadecimal(frame))));
    for proof in view.reader().proofs(&positions)? {
        lines.push(Line::Batch(batch(proof)?));
    }
    Ok(pack::write(&lines, key)?)
}

fn batch(proof: BatchProof) -> anyhow::Result<Batch> {
    let frame = |proven: &Proven| match proven {
        Proven::Digest(digest) => Ok(PackFrame::digest(digest)),
        Proven::Frame(bytes) => PackFrame::entry(bytes).context("an entry of the journal is no text"),
    };
    Ok(Batch {
        segment: proof.segment,
        begins: proof.begins,
        head: hexadecimal(&proof.head),
        key: hexadecimal(&proof.key),
        frames: proof.frames.iter().map(frame).collect::<anyhow::Result<_>>()?,
        seal: hexadecimal(&proof.seal),
    })
}
