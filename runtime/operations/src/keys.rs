//! Handoff's own keys are changed while it runs: the one that signs the journal, and the one that opens the key ring.

use std::path::PathBuf;

use anyhow::Context as _;
use ed25519_dalek::SigningKey;
use handoff_engine::error_code::{ErrorCode, Failure};
pub(crate) use handoff_instance::signing_key::{
    PRIVATE, cannot_write, next_to, private_pem, promote, public_of, settle,
};
use handoff_store::{InstanceKey, Record, durable_file};
use handoff_vault::secrets::SecretSource;
use handoff_vault::{MasterKey, system_dice};
use serde::{Deserialize, Serialize};

use crate::operations::{Operations, Operator, Request};

/// Another key signs the journal from here on; the old one vouches for it in the chain.
#[derive(Serialize, Deserialize)]
pub struct RotateSigning {}

/// Where the new key's public half is.
#[derive(Serialize, Deserialize)]
pub struct Rotated {
    pub public: PathBuf,
}

impl Request for RotateSigning {
    const PATH: &'static str = "/keys/rotate-signing";
    const WHY: Option<&'static str> = None;
    type Answer = Rotated;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Rotated> {
        let _alone = operations.alone();
        let path = &operations.paths.signing;
        settle(path, &operations.paths.data)?;
        let mut seed = [0; 32];
        system_dice().fill_bytes(&mut seed);
        let key = SigningKey::from_bytes(&seed);
        let next = next_to(path);
        durable_file::create(&next, private_pem(&key)?.as_bytes(), PRIVATE).with_context(|| cannot_write(&next))?;
        operations
            .pipeline
            .store
            .rotate(key.clone())
            .context(unfinished("the journal did not take the new key; the old one stays in force"))?;
        promote(path, &key)?;
        let Operator { who, why, role: _ } = operator;
        operations.record(Record::Rotated { key: InstanceKey::Signing, who, why })?;
        Ok(Rotated { public: public_of(path) })
    }
}

fn unfinished(text: &str) -> Failure {
    Failure::new(ErrorCode::ROTATION_UNFINISHED, text)
}

/// Another master key opens the key ring. `to` holds it, or will: a file that is not there is made.
#[derive(Serialize, Deserialize)]
pub struct RotateMaster {
    pub to: PathBuf,
}

impl Request for RotateMaster {
    const PATH: &'static str = "/keys/rotate-master";
    const WHY: Option<&'static str> = None;
    type Answer = ();

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<()> {
        let RotateMaster { to } = self;
        let _alone = operations.alone();
        if !to.exists() {
            let key = MasterKey::generate(&mut *system_dice());
            durable_file::create(&to, key.to_hex().as_bytes(), PRIVATE).with_context(|| cannot_write(&to))?;
        }
        let master = SecretSource::File(to.clone()).read()?;
        let master = MasterKey::parse(master.as_str()).with_context(|| format!("in {}", to.display()))?;
        operations
            .pipeline
            .vault
            .rotate(master)
            .context(unfinished("the master key was not changed; the old one stays in force"))?;
        let Operator { who, why, role: _ } = operator;
        operations.record(Record::Rotated { key: InstanceKey::Master, who, why })?;
        Ok(())
    }
}
