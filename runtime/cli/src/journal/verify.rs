//! `handoff journal verify`: the proof that an auditor runs.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use handoff_store::journal::{Damage, VerifiedJournal, VerifyError, verify};
use handoff_verifier::pack::hexadecimal;
use serde_json::json;

use crate::{print_json, public_key};

#[derive(Args)]
pub(crate) struct Verify {
    #[arg(long)]
    data: PathBuf,
    /// Any public key that ever signed it, in PEM
    #[arg(long)]
    key: PathBuf,
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let verified = verify(&self.data.join("journal"), &public_key(&self.key)?);
        match verified {
            Ok(sound) if self.json => print_json(&as_json(&sound))?,
            Ok(sound) => tell(&sound)?,
            Err(VerifyError::Damage(Damage { segment, entry, offset, what })) if self.json => {
                let what = what.to_string();
                let told = json!({ "segment": segment, "entry": entry, "offset": offset, "what": what });
                print_json(&json!({ "sound": false, "damage": told }))?;
                return Ok(ExitCode::FAILURE);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn as_json(sound: &VerifiedJournal) -> serde_json::Value {
    let VerifiedJournal { segments, purged, last, bytes, keys, head } = sound;
    let keys: Vec<String> = keys.iter().map(|key| hexadecimal(key)).collect();
    json!({
        "sound": true,
        "segments": segments,
        "purged": purged,
        "entries": last,
        "bytes": bytes,
        "keys": keys,
        "head": hexadecimal(head),
    })
}

fn tell(sound: &VerifiedJournal) -> anyhow::Result<()> {
    let VerifiedJournal { segments, purged, last, bytes, keys, head } = sound;
    say!("sound: every byte, link and signature holds");
    say!("  segments   {segments}, {purged} of them purged");
    say!("  entries    {last}");
    say!("  bytes      {bytes}");
    for (number, key) in keys.iter().enumerate() {
        say!("  {}  {}", if number == 0 { "signed by" } else { "then by  " }, hexadecimal(key));
    }
    say!("  head       {}", hexadecimal(head));
    say!("note the head elsewhere: later it also proves that no end was taken off");
    Ok(())
}
