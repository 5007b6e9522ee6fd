//! What to measure, and for how long.

use std::path::PathBuf;
use std::time::Duration;

pub enum Part {
    Bursts,
    Alone,
    Verify,
    Sustained,
    Curve,
    /// A process of its own, to be killed.
    Fill {
        dir: PathBuf,
        referrals: u64,
    },
    /// A process of its own, to come up after one that was killed.
    Ready {
        dir: PathBuf,
    },
}

pub struct Args {
    pub parts: Vec<Part>,
    /// Of one measurement.
    pub time: Duration,
    /// Measurements of each side, taken in turn, so that a busy machine slows both.
    pub rounds: usize,
    /// Of a sustained load.
    pub minutes: u64,
    /// In flight: the sizes of the curve; the last is that of the sustained load.
    pub referrals: Vec<u64>,
}

impl Args {
    pub fn read() -> Args {
        let mut args = Args {
            parts: Vec::new(),
            time: Duration::from_secs(5),
            rounds: 3,
            minutes: 10,
            referrals: vec![10_000, 100_000, 1_000_000],
        };
        // cargo adds a `--bench` of its own.
        let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} wants a value"));
            let number = |text: String| text.parse::<u64>().unwrap_or_else(|_| panic!("{text} is no number"));
            match word.as_str() {
                "bursts" => args.parts.push(Part::Bursts),
                "alone" => args.parts.push(Part::Alone),
                "verify" => args.parts.push(Part::Verify),
                "sustained" => args.parts.push(Part::Sustained),
                "curve" => args.parts.push(Part::Curve),
                "fill" => args.parts.push(Part::Fill { dir: value().into(), referrals: number(value()) }),
                "ready" => args.parts.push(Part::Ready { dir: value().into() }),
                "--seconds" => args.time = Duration::from_secs(number(value())),
                "--rounds" => args.rounds = number(value()) as usize,
                "--minutes" => args.minutes = number(value()),
                "--referrals" => args.referrals = value().split(',').map(|it| number(it.to_string())).collect(),
                other => panic!("{other} is no part: bursts, alone, verify, sustained, curve"),
            }
        }
        if args.parts.is_empty() {
            args.parts = vec![Part::Bursts, Part::Alone, Part::Verify, Part::Curve];
        }
        args
    }
}
