//! Counts the outcomes of a year, and sets two workflows beside each other: the same patients, once with each.

use handoff_engine::dashboard::{Dashboard, Figure, Target};
use handoff_operations::metrics::Share;
use handoff_practice::Prices;
use serde::Serialize;

use crate::estimate::{self, EstimatePart, Interval};
use crate::outcome::{FIGURES, RehearsalOutcome};

/// A share of referrals, with what it would be by another workflow.
#[derive(Debug, PartialEq, Serialize)]
pub struct FigureRow {
    pub figure: &'static str,
    pub target: String,
    pub workflow: CountedFigures,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<CountedFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<FigureDifference>,
    /// As people call it.
    #[serde(skip)]
    pub name: &'static str,
}

#[derive(Debug, PartialEq, Serialize)]
pub struct CountedFigures {
    pub count: u64,
    pub of: u64,
    pub percent: Option<f64>,
    /// Wilson's, in percent.
    pub interval: Option<Interval>,
    pub on_target: Option<bool>,
}

/// Something that there is so much of for each referral.
#[derive(Debug, PartialEq, Serialize)]
pub struct ComparisonRow {
    pub what: &'static str,
    pub workflow: Mean,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Mean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<FigureDifference>,
}

#[derive(Debug, PartialEq, Serialize)]
pub struct Mean {
    pub total: f64,
    pub per_referral: Option<f64>,
}

/// The workflow less the one it is held against; of shares in percentage points.
#[derive(Debug, PartialEq, Serialize)]
pub struct FigureDifference {
    pub value: f64,
    pub interval: Interval,
    pub seen: SeenDifference,
}

/// What the interval of a difference leaves to say. Whether more texts are better is for the practice to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeenDifference {
    Better,
    Worse,
    More,
    Fewer,
    NoDifference,
}

impl SeenDifference {
    pub fn words(self) -> &'static str {
        match self {
            SeenDifference::Better => "better",
            SeenDifference::Worse => "worse",
            SeenDifference::More => "more",
            SeenDifference::Fewer => "fewer",
            SeenDifference::NoDifference => "no difference seen",
        }
    }
}

/// The outcomes of the workflow, and of the one it is held against.
type Pair<'o> = (&'o [RehearsalOutcome], Option<&'o [RehearsalOutcome]>);

/// What is counted, and how much of it there was for one patient.
type Kind<'k> = (&'static str, &'k dyn Fn(&RehearsalOutcome) -> f64);

/// The five figures.
pub fn figures((workflow, against): Pair<'_>, seed: u64) -> Vec<FigureRow> {
    let rows = Dashboard::empty().figures().into_iter().enumerate();
    rows.map(|(place, figure)| {
        let parts = |outcome: &RehearsalOutcome| share_of(outcome.figures[place]);
        let more_is_better = match figure.target {
            Target::AtLeastPercent(_) => true,
            Target::AtMostPercent(_) => false,
        };
        let seen = |more: bool| if more == more_is_better { SeenDifference::Better } else { SeenDifference::Worse };
        FigureRow {
            figure: FIGURES[place],
            target: Share::of(&figure).target,
            workflow: counted(figure, place, workflow),
            against: against.map(|against| counted(figure, place, against)),
            difference: against.and_then(|against| difference(workflow, against, parts, 100.0, seed, seen)),
            name: figure.name,
        }
    })
    .collect()
}

/// Messages, what they cost, and work for people.
pub fn rows((workflow, against): Pair<'_>, prices: &Prices, seed: u64) -> Vec<ComparisonRow> {
    // Counts of one patient, small enough for a float to be exact.
    let whole = |count: u64| count as f64;
    let cost = |outcome: &RehearsalOutcome| {
        whole(outcome.messages.text_parts) * prices.text_part + whole(outcome.messages.mails) * prices.mail
    };
    let kinds: [Kind<'_>; 6] = [
        ("texts", &|outcome| whole(outcome.messages.texts)),
        ("text_parts", &|outcome| whole(outcome.messages.text_parts)),
        ("mails", &|outcome| whole(outcome.messages.mails)),
        ("cost", &cost),
        ("tasks_for_people", &|outcome| whole(outcome.tasks)),
        ("escalations", &|outcome| f64::from(u8::from(outcome.escalated))),
    ];
    let seen = |more: bool| if more { SeenDifference::More } else { SeenDifference::Fewer };
    let row = |(what, of): Kind<'_>| {
        let mean = |outcomes: &[RehearsalOutcome]| {
            let total = outcomes.iter().map(of).sum::<f64>();
            let per_referral = (!outcomes.is_empty()).then(|| rounded(total / outcomes.len() as f64));
            Mean { total: rounded(total), per_referral }
        };
        let part = |outcome: &RehearsalOutcome| EstimatePart { count: of(outcome), of: 1.0 };
        ComparisonRow {
            what,
            workflow: mean(workflow),
            against: against.map(mean),
            difference: against.and_then(|against| difference(workflow, against, part, 1.0, seed, seen)),
        }
    };
    kinds.into_iter().map(row).collect()
}

fn counted(figure: Figure, place: usize, outcomes: &[RehearsalOutcome]) -> CountedFigures {
    let told = outcomes.iter().filter_map(|outcome| outcome.figures[place]);
    let figure = told.fold(figure, |figure, counts| Figure {
        count: figure.count + u64::from(counts),
        of: figure.of + 1,
        ..figure
    });
    let in_percent = |Interval { low, high }| Interval { low: rounded(low * 100.0), high: rounded(high * 100.0) };
    CountedFigures {
        count: figure.count,
        of: figure.of,
        percent: figure.percent().map(rounded),
        interval: estimate::wilson(figure.count, figure.of).map(in_percent),
        on_target: figure.on_target(),
    }
}

fn share_of(counts: Option<bool>) -> EstimatePart {
    counts.map_or(EstimatePart::default(), |counts| EstimatePart { count: f64::from(u8::from(counts)), of: 1.0 })
}

/// The same place in both is the same patient.
fn difference(
    workflow: &[RehearsalOutcome],
    against: &[RehearsalOutcome],
    part: impl Fn(&RehearsalOutcome) -> EstimatePart,
    times: f64,
    seed: u64,
    seen: impl Fn(bool) -> SeenDifference,
) -> Option<FigureDifference> {
    let pairs: Vec<(EstimatePart, EstimatePart)> = workflow.iter().map(&part).zip(against.iter().map(&part)).collect();
    let value = estimate::ratio(pairs.iter().map(|pair| pair.0))? - estimate::ratio(pairs.iter().map(|pair| pair.1))?;
    let interval = estimate::difference(&pairs, seed)?;
    let seen = if interval.includes_zero() { SeenDifference::NoDifference } else { seen(value > 0.0) };
    let interval = Interval { low: rounded(interval.low * times), high: rounded(interval.high * times) };
    Some(FigureDifference { value: rounded(value * times), interval, seen })
}

/// Four digits behind the point: a text part costs less than a cent.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Messages;

    /// A hundred patients of whom so many were confirmed, with so many texts each.
    fn hundred(confirmed: usize, texts: u64) -> Vec<RehearsalOutcome> {
        let messages = Messages { texts, text_parts: 2 * texts, mails: 1 };
        (0..100)
            .map(|patient| RehearsalOutcome {
                figures: [Some(patient < confirmed), None, Some(false), Some(patient >= confirmed), Some(false)],
                messages,
                ..RehearsalOutcome::default()
            })
            .collect()
    }

    #[test]
    fn a_year_alone_has_no_difference() {
        let rows = figures((&hundred(85, 1), None), 1);
        let [confirmed, no_show, ..] = &rows[..] else { panic!("five figures") };
        assert_eq!((confirmed.figure, confirmed.workflow.percent), ("confirmed_in_7_days", Some(85.0)));
        assert_eq!((confirmed.workflow.on_target, &confirmed.difference), (Some(true), &None));
        assert_eq!((no_show.workflow.of, no_show.workflow.percent, no_show.workflow.interval), (0, None, None));
    }

    #[test]
    fn a_figure_is_better_or_worse_and_a_count_more_or_fewer() {
        let (good, bad) = (hundred(90, 2), hundred(60, 1));
        let seen = |rows: &[FigureRow]| {
            rows.iter().map(|row| row.difference.as_ref().map(|found| found.seen)).collect::<Vec<_>>()
        };
        let same = Some(SeenDifference::NoDifference);
        let found = figures((&good, Some(&bad)), 1);
        assert_eq!(seen(&found), [Some(SeenDifference::Better), None, same, Some(SeenDifference::Better), same]);
        let found = figures((&bad, Some(&good)), 1);
        assert_eq!(seen(&found), [Some(SeenDifference::Worse), None, same, Some(SeenDifference::Worse), same]);
        let difference = found[0].difference.as_ref().expect("a difference");
        assert_eq!(difference.value, -30.0);
        assert!(difference.interval.low < -30.0 && difference.interval.high > -40.0, "{difference:?}");

        let prices = Prices { currency: "USD".into(), text_part: 0.01, mail: 0.001 };
        let found = rows((&good, Some(&bad)), &prices, 1);
        let cost = found.iter().find(|row| row.what == "cost").expect("a cost");
        assert_eq!((cost.workflow.total, cost.workflow.per_referral), (4.1, Some(0.041)));
        assert_eq!(cost.difference.as_ref().map(|found| (found.value, found.seen)), Some((0.02, SeenDifference::More)));
    }
}
