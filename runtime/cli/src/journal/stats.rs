//! `handoff journal stats`: how much there is of what, and what waits.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;
use handoff_store::index::{InFlight, Kind, Kinds, PAGE_MAX, ReferralFilter};
use handoff_store::{Position, View};
use handoff_verifier::pack::hexadecimal;
use serde::Serialize;

use crate::print_json;

#[derive(Args)]
pub(crate) struct Stats {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Figures {
    bytes: u64,
    segments: u64,
    purged: u64,
    /// The last entry's number: those that were purged are counted.
    entries: Position,
    oldest: Option<DateTime<Utc>>,
    youngest: Option<DateTime<Utc>>,
    /// Public keys that signed the journal, oldest first.
    signing_keys: Vec<String>,
    /// Slots of the key ring that were given to patients.
    patient_keys: u64,
    in_flight: Vec<InFlight>,
    ended: u64,
    held: usize,
    dead_letters: usize,
    /// Letters owed, and those of them that are due. At most [`PAGE_MAX`] are counted.
    letters_owed: usize,
    letters_due: usize,
    next_timer: Option<DateTime<Utc>>,
    /// Entries that hold at least one record of a type.
    types: BTreeMap<&'static str, u64>,
}

impl Stats {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let figures = Figures::of(&View::open(&self.data)?)?;
        match self.json {
            true => print_json(&figures)?,
            false => figures.tell()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Figures {
    fn of(view: &View) -> anyhow::Result<Figures> {
        let (index, extent) = (view.index(), view.reader().extent());
        let mut types = BTreeMap::new();
        let (mut oldest, mut youngest) = (None, None);
        for entry in view.entries(Position::START) {
            let (_, entry) = entry?;
            oldest.get_or_insert(entry.at);
            youngest = Some(entry.at);
            for kind in Kinds::of(&entry).iter() {
                *types.entry(Kind::name(kind)).or_default() += 1;
            }
        }
        Ok(Figures {
            bytes: extent.bytes,
            segments: extent.segments,
            purged: extent.purged,
            entries: view.last(),
            oldest,
            youngest,
            signing_keys: view.keys().iter().map(|key| hexadecimal(key)).collect(),
            patient_keys: index.key_slots_taken()?,
            in_flight: index.in_flight(),
            ended: ended(view)?,
            held: index.holds()?.len(),
            dead_letters: index.dead_count().map(|count| (count.letters + count.deliveries) as usize)?,
            letters_owed: index.letter_ids_due(DateTime::<Utc>::MAX_UTC, PAGE_MAX).len(),
            letters_due: index.letter_ids_due(Utc::now(), PAGE_MAX).len(),
            next_timer: index.next_timer(),
            types,
        })
    }

    fn tell(&self) -> anyhow::Result<()> {
        let day = |at: &Option<DateTime<Utc>>| at.map_or("-".into(), |at| at.format("%Y-%m-%d %H:%M").to_string());
        say!("journal       {} bytes in {} segments, {} of them purged", self.bytes, self.segments, self.purged);
        say!("entries       {}, from {} to {}", self.entries, day(&self.oldest), day(&self.youngest));
        say!("signed by     {}", self.signing_keys.join("\n              "));
        say!("patient keys  {}", self.patient_keys);
        say!("in flight     {}", self.in_flight.iter().map(|it| it.referrals).sum::<u64>());
        for InFlight { deployment, state, referrals } in &self.in_flight {
            say!("    {referrals:>6}  {state:<16} {}", deployment.short());
        }
        say!("ended         {}", self.ended);
        say!("held          {}", self.held);
        say!("dead letters  {}", self.dead_letters);
        say!("letters       {} owed, {} due now", self.letters_owed, self.letters_due);
        say!("next timer    {}", day(&self.next_timer));
        say!("entries by type");
        for (name, entries) in &self.types {
            say!("    {entries:>6}  {name}");
        }
        Ok(())
    }
}

fn ended(view: &View) -> anyhow::Result<u64> {
    let filter = ReferralFilter { ended: Some(true), ..ReferralFilter::default() };
    let (mut count, mut after) = (0, None);
    loop {
        let page = view.index().referrals(&filter, after, PAGE_MAX)?;
        let Some(last) = page.last() else { return Ok(count) };
        after = Some(last.id);
        count += page.len() as u64;
    }
}
