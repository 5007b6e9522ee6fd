//! A restore that is only practised: the backup becomes an instance of its own that has no way out, and is looked at. What comes of
//! it is signed, with the minutes that it took: the day of a restore is no day to find out.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, Utc};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_instance::config::Config;
use handoff_instance::open::InstanceParts;
use handoff_instance::signing_key;
use handoff_pipeline::pipeline::Pipeline;
use handoff_store::{Entry, Position, Record};
use handoff_vault::VaultError;
use serde::{Deserialize, Serialize};

use crate::backup::{self, SigningKeyOut};
use crate::replay_decisions::{DecisionContext, prove};

const FORMAT: &str = "handoff/drill@1";

/// Referrals whose patient is read: enough to meet many keys of the ring, and some seconds' work.
const PATIENTS_MAX: usize = 1_000;

/// Entries whose decisions are made again: each plugin's latest are among them.
const ENTRIES_MAX: u64 = 2_000;

/// What a drill found. A backup that is not sound ends it before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    pub format: String,
    pub begun_at: DateTime<Utc>,
    /// When the backup was made, and the last entry in it.
    pub backup_at: DateTime<Utc>,
    pub through: Position,
    pub bytes: u64,
    /// Every signature and digest of the journal proven, and all of it copied.
    pub restore_seconds: u64,
    /// The index built anew, every plugin made ready.
    pub open_seconds: u64,
    pub look_seconds: u64,
    /// From the backup to an instance that would take messages in, rounded up.
    pub minutes: u64,
    pub referrals: usize,
    /// Whose name the master key opened.
    pub patients_read: usize,
    /// Who was forgotten since, as was asked for.
    pub patients_erased: usize,
    pub decisions_proven: u64,
}

/// A drill with the signature of the instance that was restored.
#[derive(Debug, Serialize, Deserialize)]
pub struct DrillReport {
    pub drill: Drill,
    /// Ed25519 over `drill` as JSON without blanks, in hexadecimal.
    pub signature: String,
}

impl DrillReport {
    fn sign(drill: Drill, key: &SigningKey) -> anyhow::Result<DrillReport> {
        let signature = key.sign(&serde_json::to_vec(&drill)?);
        Ok(DrillReport { drill, signature: signature.to_string() })
    }

    /// # Errors
    /// When this key did not sign it, or not as it is.
    pub fn check(&self, key: &VerifyingKey) -> anyhow::Result<()> {
        let other =
            || Failure::new(ErrorCode::OTHER_PUBLIC_KEY, "the report of the drill is not as this key signed it");
        let signature: Signature = self.signature.parse().map_err(|_| other())?;
        key.verify_strict(&serde_json::to_vec(&self.drill)?, &signature).map_err(|_| other().into())
    }
}

/// The folder that the copy lives in, gone with it: it holds a signing key.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "the folder of the drill is left behind: remove it");
        }
    }
}

/// Restores the backup to a new folder and lives in it for a moment. `key` is any public key that ever signed its journal; of the
/// configuration the master key and the plugins are read, and nothing else is touched or asked.
///
/// # Errors
/// When the backup could not be lived in.
pub fn drill(from: &Path, folder: &Path, config: &Config, key: &VerifyingKey) -> anyhow::Result<DrillReport> {
    ensure!(
        !folder.exists(),
        Failure::new(
            ErrorCode::FOLDER_NOT_EMPTY,
            format!("{} is there already\n  help: name a new folder for the drill", folder.display())
        )
    );
    backup::make_empty(folder)?;
    let scratch = Scratch(folder.to_path_buf());
    let (data, signing) = (scratch.0.join("data"), scratch.0.join("journal.key"));
    let (begun_at, begun) = (Utc::now(), Instant::now());
    let out = SigningKeyOut { master: config.master_key()?, path: &signing };
    let restored = backup::restore(from, &data, key, Some(out))?;
    let restored_after = begun.elapsed();
    let signing = signing_key::signing(&signing, &data)?;
    let parts = InstanceParts::shut_in(config, data.clone(), config.master_key()?, signing.clone())?;
    let pipeline = parts.build().context("the restored copy does not open")?;
    let opened_after = begun.elapsed();
    let looked = look(&pipeline, &data)?;
    let all = begun.elapsed();
    let seconds = |from: Duration, to: Duration| (to - from).as_secs();
    let drill = Drill {
        format: FORMAT.into(),
        begun_at,
        backup_at: restored.at,
        through: restored.through,
        bytes: restored.bytes,
        restore_seconds: seconds(Duration::ZERO, restored_after),
        open_seconds: seconds(restored_after, opened_after),
        look_seconds: seconds(opened_after, all),
        minutes: opened_after.as_secs().div_ceil(60),
        referrals: looked.referrals,
        patients_read: looked.patients_read,
        patients_erased: looked.patients_erased,
        decisions_proven: looked.decisions_proven,
    };
    // Its files are in use until here.
    drop(pipeline);
    drop(scratch);
    DrillReport::sign(drill, &signing)
}

struct Looked {
    referrals: usize,
    patients_read: usize,
    patients_erased: usize,
    decisions_proven: u64,
}

/// What whoever works here on the day after a restore would do: look patients up, go on writing, trust what was decided.
fn look(pipeline: &Pipeline, data: &Path) -> anyhow::Result<Looked> {
    let unfit = |text: String| Failure::new(ErrorCode::BACKUP_UNFIT, text);
    // Invariant: a restored copy holds everything back until somebody has looked, a drill's for ever.
    ensure!(!pipeline.pauses.state().pauses.is_empty(), unfit("the restored copy would have let letters go".into()));
    let note = Record::Looked {
        who: "drill".into(),
        role: None,
        what: "a restored copy".into(),
        why: "to see that it can be written to".into(),
        referrals: Vec::new(),
    };
    let entry = Entry { at: pipeline.clock.now(), records: vec![note], sealed: Vec::new() };
    pipeline.store.commit(entry).wait().context("the restored copy takes nothing down")?;
    let index = pipeline.store.index();
    let listed = index.referrals(&Default::default(), None, PATIENTS_MAX)?;
    let mut looked = Looked { referrals: listed.len(), patients_read: 0, patients_erased: 0, decisions_proven: 0 };
    for listed in listed {
        let referral = index.referral(&listed.id)?;
        let referral = referral.with_context(|| unfit(format!("the index has no referral {}", listed.id)))?;
        match pipeline.vault.reveal(&referral.facts.patient.family, &pipeline.store) {
            Ok(_) => looked.patients_read += 1,
            Err(VaultError::Erased { .. }) => looked.patients_erased += 1,
            Err(error) => return Err(error).with_context(|| unfit(format!("{} cannot be read", listed.id))),
        }
    }
    let from = Position(pipeline.store.last().0.saturating_sub(ENTRIES_MAX));
    let sight = DecisionContext { vault: &pipeline.vault, lookup: &pipeline.store };
    let proof = prove(pipeline.store.entries(from), &pipeline.host, data, Some(sight))?;
    if let Some(first) = proof.named.first() {
        let (position, stage) = (first.position, &first.stage);
        bail!(unfit(format!("what {stage} decided in entry {position} does not come out again: {}", first.why)));
    }
    looked.decisions_proven = proof.proven;
    Ok(looked)
}
