//! Other systems on the same engine: a dentist's and a radiologist's, who count from one as ours do. What they send bears a number
//! of ours, and is about somebody or something else.

use chrono::{DateTime, Datelike as _, Days, Utc};

use crate::ehr::segment::{date, joined, mobile, msh, pid, segment, stamp};
use crate::ledger::Purpose;
use crate::people::SimulatedPatient;
use crate::town::SimulationState;

use super::Truth;

/// What another system says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saying {
    /// A visit with our order's number, by its own authority or by none.
    Books {
        says_whose: bool,
    },
    /// A cancellation with our appointment's number.
    Cancels {
        says_whose: bool,
    },
    /// Our own patient goes to the dentist: a feed carries every visit.
    BooksOurPatient,
    /// A report with our order's number.
    Reports,
    /// The order with our number is cancelled.
    CancelsOrder,
    /// The patient with our record number has another telephone, has died, or is another one from now on.
    Moves,
    Dies,
    Merges,
}

const SAYINGS: [Saying; 10] = [
    Saying::Books { says_whose: true },
    Saying::Books { says_whose: false },
    Saying::Cancels { says_whose: true },
    Saying::Cancels { says_whose: false },
    Saying::BooksOurPatient,
    Saying::Reports,
    Saying::CancelsOrder,
    Saying::Moves,
    Saying::Dies,
    Saying::Merges,
];

/// No patient of the practice.
const SOMEBODY: &str = "Oakenshaw^Hugo^^^^^L";
const DENTIST: &str = "1003000126^Molarsky^Gudrun^^^Dr.";

impl SimulationState {
    /// Up to three things that another system says with a number of this patient's.
    pub(super) fn share_number(&mut self, person: usize) {
        let mut dice = self.mess_dice(person, "shared number", 2);
        for nth in 0..dice.between(1, 3) {
            let saying = dice.pick(&SAYINGS);
            let control_id = format!("X{person:05}{nth}");
            let body = self.said_elsewhere(person, saying, &control_id);
            let message = self.message(None, Purpose::OtherSystem, control_id, Truth::NotOurs, &body);
            self.send_at(self.now + dice.minutes(0, 3 * 24 * 60), message);
        }
    }

    fn said_elsewhere(&self, person: usize, saying: Saying, control_id: &str) -> String {
        let ours = &self.people[person];
        let last = self.courses[person].visits.last();
        let appointment = last.map_or_else(|| format!("AP{person:05}1"), |visit| visit.slot.number.clone());
        let order = &ours.referral.number;
        let system = OtherSystem { ours, now: self.now, control_id };
        match saying {
            Saying::Books { says_whose } => {
                let numbers = [(1, format!("D{person}^DENTSCHED")), (26, whose(order, says_whose, "DENTEHR"))];
                system.visit("S12", "Booked", &numbers, system.their_patient("DENT"))
            }
            Saying::Cancels { says_whose } => {
                let numbers = [(1, whose(&appointment, says_whose, "DENTSCHED"))];
                system.visit("S15", "Cancelled", &numbers, system.their_patient("DENT"))
            }
            Saying::BooksOurPatient => {
                system.visit("S12", "Booked", &[(1, format!("{appointment}^DENTSCHED"))], pid(ours))
            }
            Saying::Reports => system.report(&appointment),
            Saying::CancelsOrder => joined(vec![
                msh("RADLAB", self.now, "REF^I14^REF_I12", control_id),
                segment("RF1", &[(1, "X^Cancelled^L"), (6, &format!("{order}^RADLAB")), (7, &date(self.now))]),
                segment("PRD", &[(1, "RP^Referring Provider^HL70286"), (2, "Roentgen^Wilma")]),
                system.their_patient("RAD"),
            ]),
            Saying::Moves => {
                let mut dice = self.mess_dice(person, "another system's telephone", 0);
                let number = ours.home.number_elsewhere(person, &mut dice);
                let pid = segment_with(&system.their_patient("DENT"), 13, &mobile(&number));
                system.news_of_patient("A31", "ADT_A05", vec![pid])
            }
            Saying::Dies => {
                let pid = segment_with(&system.their_patient("DENT"), 30, "Y");
                system.news_of_patient("A08", "ADT_A01", vec![pid])
            }
            Saying::Merges => {
                let mrg = segment("MRG", &[(1, &format!("{}^^^DENT^MR", ours.record_number))]);
                let pid = segment("PID", &[(1, "1"), (3, "D90001^^^DENT^MR"), (5, SOMEBODY)]);
                system.news_of_patient("A40", "ADT_A39", vec![pid, mrg])
            }
        }
    }
}

/// A system that has a number in common with one of our patients.
struct OtherSystem<'a> {
    ours: &'a SimulatedPatient,
    now: DateTime<Utc>,
    control_id: &'a str,
}

impl OtherSystem<'_> {
    /// Has the record number of ours by their authority, and was born in another year.
    fn their_patient(&self, authority: &str) -> String {
        let born = self.ours.born.with_year(self.ours.born.year() - 7).unwrap_or(self.ours.born);
        segment(
            "PID",
            &[
                (1, "1"),
                (3, &format!("{}^^^{authority}^MR", self.ours.record_number)),
                (5, SOMEBODY),
                (7, &born.format("%Y%m%d").to_string()),
                (8, "M"),
            ],
        )
    }

    fn visit(&self, event: &str, status: &str, numbers: &[(usize, String)], pid: String) -> String {
        let timing = format!("^^30^{}", stamp(self.now + Days::new(3)));
        let mut fields: Vec<(usize, &str)> = numbers.iter().map(|(at, number)| (*at, number.as_str())).collect();
        fields.extend([(6, event), (7, "DENTAL^Dental visit"), (11, timing.as_str()), (25, status)]);
        fields.sort_by_key(|(at, _)| *at);
        joined(vec![
            msh("DENTSCHED", self.now, &format!("SIU^{event}^SIU_S12"), self.control_id),
            segment("SCH", &fields),
            pid,
            segment("PV1", &[(1, "1"), (2, "O"), (7, DENTIST)]),
            "RGS|1|A".to_string(),
            segment("AIP", &[(1, "1"), (2, "A"), (3, DENTIST), (4, "DENTIST^Dentist")]),
        ])
    }

    fn report(&self, appointment: &str) -> String {
        let (order, at) = (format!("{}^RADLAB", self.ours.referral.number), stamp(self.now));
        let code = "11488-4^Consult note^LN";
        joined(vec![
            msh("RADLAB", self.now, "ORU^R01^ORU_R01", self.control_id),
            self.their_patient("RAD"),
            segment("ORC", &[(1, "RE"), (2, &order), (3, &format!("{appointment}N^RADLAB"))]),
            segment("OBR", &[(1, "1"), (2, &order), (4, code), (7, &at), (22, &at), (25, "F")]),
            segment("OBX", &[(1, "1"), (2, "TX"), (3, code), (5, "No fracture."), (11, "F")]),
        ])
    }

    fn news_of_patient(&self, event: &str, structure: &str, told: Vec<String>) -> String {
        let mut segments = vec![
            msh("DENTEHR", self.now, &format!("ADT^{event}^{structure}"), self.control_id),
            segment("EVN", &[(1, event), (2, &stamp(self.now))]),
        ];
        segments.extend(told);
        joined(segments)
    }
}

fn whose(number: &str, says_whose: bool, authority: &str) -> String {
    if says_whose { format!("{number}^{authority}") } else { number.to_string() }
}

/// A segment with one more field behind its last one.
fn segment_with(segment: &str, field: usize, value: &str) -> String {
    let last = segment.matches('|').count();
    format!("{segment}{}{value}", "|".repeat(field - last))
}

#[cfg(test)]
mod tests {
    use super::segment_with;

    #[test]
    fn a_field_stands_at_its_number() {
        assert_eq!(segment_with("PID|1||7", 5, "x"), "PID|1||7||x");
    }
}
