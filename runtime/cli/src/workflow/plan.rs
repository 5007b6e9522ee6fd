//! `handoff workflow plan`: what a workflow would change, read by a person before it changes anything.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::Utc;
use clap::Args;
use handoff_egress::reach::EndpointSummaries;
use handoff_host::{Host, PluginLimits};
use handoff_instance::open::COMPONENTS;
use handoff_operations::workflow::PlanChange;
use handoff_pipeline::deployments::{Catalogue, Installer, installer};
use handoff_pipeline::rollout::impact::{Impact, ReferralImpact, Tally};
use handoff_pipeline::rollout::shadow_replay::{DivergenceKind, Shadow};
use handoff_pipeline::rollout::{Candidate, plan};
use handoff_store::View;

use crate::asking::Asking;
use crate::print_json;

#[derive(Args)]
pub(crate) struct Plan {
    /// The workflow; its templates, settings and scenarios lie beside it
    file: PathBuf,
    #[command(flatten)]
    asking: Asking,
    /// Where plugins are looked for, with --data of an instance at rest or a backup
    #[arg(long)]
    plugins: Option<PathBuf>,
    /// Name the referrals that would be written to, or would have gone, otherwise
    #[arg(long)]
    referrals: bool,
    /// Play the events of so many of the last days through it, without sending anything
    #[arg(long, value_name = "DAYS")]
    shadow: Option<u32>,
    #[arg(long)]
    json: bool,
}

/// Fails when somebody would be stranded: apply would refuse it.
impl Plan {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Plan { file, asking, plugins, referrals, shadow, json } = self;
        let candidate = Candidate::read(&file)?;
        let drawn = match asking.data_alone()? {
            Some(data) => {
                let view = View::open(&data)?;
                let pinned = installer::pin(candidate.source.parse()?, plugins.clone())?;
                let mut drawn = plan::from_records(&view, &pinned, shadow, Utc::now())?;
                let host = Arc::new(Host::new(PluginLimits::default(), None)?);
                let catalogue = Catalogue { folder: plugins, ..Catalogue::default() };
                let installer = Installer::new(host, catalogue, data.join(COMPONENTS));
                drawn.labels = plan::labels(&drawn, &pinned, &installer, &EndpointSummaries::new())?;
                drawn
            }
            None => asking.ask(PlanChange { candidate, shadow_days: shadow })?,
        };
        match json {
            true => print_json(&drawn)?,
            false => tell(&drawn, referrals)?,
        }
        Ok(if drawn.census.stranded() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn tell(drawn: &plan::RolloutPlan, referrals: bool) -> anyhow::Result<()> {
    let plan::RolloutPlan { workflow, deployment, in_force, differences, plugins, permissions, .. } = drawn;
    let plan::RolloutPlan { settings, labels, census, shadow, .. } = drawn;
    if deployment == in_force {
        say!("{workflow} {} is in force already", deployment.short());
        return Ok(());
    }
    say!("{workflow} {} in place of {}", deployment.short(), in_force.short());
    section("what happens", differences)?;
    section("who does it", plugins)?;
    section("what they may", permissions)?;
    if !settings.is_empty() {
        say!("\nother settings: {}", settings.join(", "));
    }
    for label in labels {
        say!("\n{label}");
    }
    people(census, referrals)?;
    match shadow {
        Some(shadow) => cast(shadow, referrals),
        None => Ok(()),
    }
}

fn section<T: std::fmt::Display>(title: &str, lines: &[T]) -> anyhow::Result<()> {
    if !lines.is_empty() {
        say!("\n{title}");
        for line in lines {
            say!("  {line}");
        }
    }
    Ok(())
}

fn people(census: &Impact, referrals: bool) -> anyhow::Result<()> {
    say!("\nreferrals in flight: {} stay, {} move, {} stranded", census.stays(), census.moves(), census.stranded());
    for standing in &census.standing {
        let (count, state, digest) = (standing.referrals, &standing.state, standing.deployment.short());
        match &standing.fate {
            ReferralImpact::AtHome | ReferralImpact::Stays => say!("  {count:>7} {state} of {digest} stay"),
            ReferralImpact::Moves { to } => say!("  {count:>7} {state} of {digest} -> {to}"),
            ReferralImpact::Stranded { why, .. } => {
                let examples: Vec<String> = standing.examples.iter().map(ToString::to_string).collect();
                say!("  {count:>7} {state} of {digest} STRANDED: {}", why.replace('\n', "\n         "));
                say!("          such as {}", examples.join(", "));
            }
        }
    }
    letters("written to who would not have been", &census.gained, referrals)?;
    letters("no longer written to", &census.lost, referrals)
}

fn cast(shadow: &Shadow, referrals: bool) -> anyhow::Result<()> {
    let Shadow { days, referrals: all, same, otherwise, elsewhere, named, decisions } = shadow;
    say!("\nthe last {days} day(s) again: {all} referral(s), {same} would have gone the same way");
    for (kind, count) in otherwise {
        let kind = match kind {
            DivergenceKind::State => "would have come to another state",
            DivergenceKind::Effects => "would have had something else sent, asked or raised",
            DivergenceKind::Taken => {
                "would have been moved by something that left them, or left by something that moved them"
            }
        };
        say!("  {count:>7} {kind}");
    }
    if *elsewhere > 0 {
        say!("  {elsewhere:>7} stand where it has no place for them");
    }
    for (stage, decided) in decisions {
        let (same, otherwise, failed) = (decided.same, decided.otherwise, decided.failed);
        say!("  stage {stage}: {same} answer(s) the same, {otherwise} otherwise, {failed} failed");
    }
    if referrals {
        for it in named {
            let at = it.at.format("%Y-%m-%d %H:%M");
            say!("  {}  {at}  {}: {} | {}", it.referral, it.event, it.recorded, it.candidate);
        }
    }
    Ok(())
}

fn letters(title: &str, tallies: &[Tally], referrals: bool) -> anyhow::Result<()> {
    if !tallies.is_empty() {
        say!("\n{title}, if nobody answers");
        for Tally { letter, day, letters, referrals: named } in tallies {
            say!("  {day}  {letters:>7} {letter}");
            if referrals {
                for id in named {
                    say!("             {id}");
                }
            }
        }
    }
    Ok(())
}
