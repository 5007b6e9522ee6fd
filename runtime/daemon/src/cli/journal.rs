//! `handoff journal verify|stats|export`: the journal by itself, beside a running daemon or without one.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use handoff_store::{Position, View};

use super::print_json;

#[derive(Subcommand)]
pub enum Journal {
    /// Check every byte, link and signature; needs the public key and nothing else
    Verify(Verify),
    /// How much there is of what
    Stats(Data),
    /// Every entry as a line of JSON. Tokens and sealed bytes only
    Export(Data),
}

#[derive(Args)]
pub struct Verify {
    #[arg(long)]
    data: PathBuf,
    /// Any public key that ever signed it, in PEM
    #[arg(long)]
    key: PathBuf,
}

#[derive(Args)]
pub struct Data {
    #[arg(long)]
    data: PathBuf,
}

impl Journal {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Journal::Verify(verify) => verify.run(),
            Journal::Stats(data) => data.stats(),
            Journal::Export(data) => data.export(),
        }
    }
}

impl Verify {
    fn run(self) -> anyhow::Result<ExitCode> {
        let pem = std::fs::read_to_string(&self.key).with_context(|| format!("cannot read {}", self.key.display()))?;
        let key = VerifyingKey::from_public_key_pem(&pem)
            .map_err(|_| anyhow::anyhow!("{} is not an Ed25519 public key in PEM", self.key.display()))?;
        let sound = handoff_store::journal::verify(&self.data.join("journal"), &key)?;
        say!("sound: {sound:?}");
        Ok(ExitCode::SUCCESS)
    }
}

impl Data {
    fn stats(self) -> anyhow::Result<ExitCode> {
        let view = View::open(&self.data)?;
        let mut kinds = std::collections::BTreeMap::<String, u64>::new();
        for entry in view.entries(Position::START) {
            for record in &entry?.1.records {
                let value = serde_json::to_value(record)?;
                let kind = value["record"].as_str().unwrap_or("?").to_string();
                *kinds.entry(kind).or_default() += 1;
            }
        }
        let in_flight = view.index().in_flight();
        print_json(&serde_json::json!({ "entries": view.last(), "records": kinds, "in_flight": in_flight }))?;
        Ok(ExitCode::SUCCESS)
    }

    fn export(self) -> anyhow::Result<ExitCode> {
        let view = View::open(&self.data)?;
        for entry in view.entries(Position::START) {
            let (position, entry) = entry?;
            print_json(&serde_json::json!({ "position": position, "entry": &*entry }))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
