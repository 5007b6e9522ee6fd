//! Patients from a seed: who they are, what ails them, and how they take to being reminded.

mod names;
mod phrases;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::hours;
use crate::mess::{Annals, CharacterSet, as_people_write, unusual_name};
use crate::plan::PracticePlan;
use crate::specialists::{HealthPlan, Roster, Specialty};

pub use names::Home;
pub use phrases::PatientLanguage;
pub(crate) use phrases::{Meaning, phrase};

/// A made-up patient. The telephone exchange (555) and the mail domains are those of fiction.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedPatient {
    /// The number in the practice's chart.
    pub record_number: String,
    pub given: String,
    pub family: String,
    pub born: NaiveDate,
    pub sex: char,
    pub language: PatientLanguage,
    /// E.164.
    pub mobile: String,
    pub email: String,
    pub street: String,
    pub home: &'static Home,
    pub member_id: String,
    pub health_plan: &'static HealthPlan,
    pub referral: SimulatedReferral,
    pub(crate) nature: Nature,
    /// In which set the EHR and its neighbours write the name.
    pub(crate) written_in: CharacterSet,
    /// The telephone number stands in charts as people write it.
    pub(crate) is_spelled_nationally: bool,
    pub(crate) annals: Annals,
}

/// What the practice orders for this patient.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedReferral {
    /// The ordering system's number: RF1-6 and SCH-26.
    pub number: String,
    pub ordered_at: DateTime<Utc>,
    pub specialty: &'static Specialty,
    /// The specialist named in the order, by their place in the roster.
    pub specialist: usize,
    pub urgent: bool,
    /// The order itself says which language the patient speaks; otherwise only the chart knows.
    pub tells_language: bool,
    /// The order itself gives the mail address; otherwise only the chart knows.
    pub tells_email: bool,
}

/// What decides how a patient takes to being contacted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Nature {
    pub hears: Hears,
    pub way: Way,
    /// Minutes until a text is answered: the shortest and the longest.
    pub pace: (i64, i64),
    /// Arranges the visit without being asked.
    pub self_starting: bool,
    /// The chance to miss a visit that nobody reminds of.
    pub forgetful: f64,
    /// Will move the visit once.
    pub moves: bool,
    /// The mail server refuses the address.
    pub bad_mailbox: bool,
    /// The chart says that this patient agreed to texts; false is a recorded refusal.
    pub consents: bool,
}

/// What reaches a patient: a mobile phone that texts may go to, a mailbox alone, or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Hears {
    #[serde(rename = "texts")]
    TextsAndMails,
    #[serde(rename = "mails")]
    MailsOnly,
    #[serde(rename = "nothing")]
    Nothing,
}

/// The way in which a patient reacts, once they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Answers yes; the scheduling desk finds a time.
    Agrees,
    /// Calls the specialist's office, then tells us.
    CallsAndTells,
    /// Calls the specialist's office; only the scheduling system tells us.
    Calls,
    /// Has a question first.
    Asks,
    Declines,
    Stops,
    WrongPerson,
    Emergency,
}

const WAYS: [(u32, Way); 8] = [
    (520, Way::Agrees),
    (190, Way::CallsAndTells),
    (150, Way::Calls),
    (80, Way::Asks),
    (22, Way::Declines),
    (15, Way::Stops),
    (15, Way::WrongPerson),
    (8, Way::Emergency),
];

/// Quick, later the same day, next day.
const PACES: [(u32, (i64, i64)); 3] = [(55, (1, 45)), (30, (60, 420)), (15, (600, 1800))];

impl SimulatedPatient {
    pub(crate) fn from_seed(plan: &PracticePlan, roster: &Roster, index: usize) -> SimulatedPatient {
        let patients = &plan.profile.patients;
        let mut dice = Dice::of(plan.seed, index, "person", 0);
        let language = *dice.weighted(patients.languages.weights());
        let sex = if dice.chance(0.54) { 'F' } else { 'M' };
        let (given, family) = names::name(language, sex, &mut dice);
        let home = dice.weighted(&names::HOMES);
        let born = NaiveDate::from_ymd_opt(1938, 1, 1).unwrap_or_default() + Duration::days(dice.between(0, 68 * 365));
        let health_plan = dice.weighted(patients.plans.weights()).plan();
        let handle = format!("{}.{}{index}", names::plain(given), names::plain(family));
        let mess = plan.profile.mess;
        let mut odd = Dice::of(plan.seed, index, "mess person", 0);
        let (written_in, given, family) = match odd.chance(mess.other_character_sets) {
            true => unusual_name(&mut odd),
            false => (CharacterSet::Utf8, given, family),
        };
        SimulatedPatient {
            record_number: format!("MRN{:06}", 400_000 + index),
            given: given.to_string(),
            family: family.to_string(),
            born,
            sex,
            language,
            mobile: format!("+1{}555{index:04}", home.area_code),
            email: format!("{handle}@{}", dice.pick(&["example.com", "example.net", "example.org"])),
            street: format!("{} {}", dice.between(100, 9800), dice.pick(&names::STREETS)),
            home,
            member_id: format!("{}{:07}", &health_plan.id[..3], dice.between(1_000_000, 9_999_999)),
            health_plan,
            referral: SimulatedReferral::from_seed(plan, roster, index, health_plan),
            nature: Nature::from_seed(plan, index),
            written_in,
            is_spelled_nationally: odd.chance(mess.national_spelling),
            annals: Annals::default(),
        }
    }

    /// The telephone number as charts have it.
    pub(crate) fn number_in_chart(&self) -> String {
        if self.is_spelled_nationally { as_people_write(&self.mobile) } else { self.mobile.clone() }
    }

    pub fn full_name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }
}

impl SimulatedReferral {
    fn from_seed(plan: &PracticePlan, roster: &Roster, index: usize, health_plan: &HealthPlan) -> SimulatedReferral {
        let mut dice = Dice::of(plan.seed, index, "referral", 0);
        let specialty = dice.pick(&roster.specialties());
        let offices = roster.of_specialty(specialty.name);
        let fits = |office: &usize| roster[*office].takes(health_plan.id) && !roster[*office].full;
        // The physician mostly knows who is in network and has room, but not always.
        let unfit: Vec<usize> = offices.iter().copied().filter(|office| !fits(office)).collect();
        let fit: Vec<usize> = offices.into_iter().filter(fits).collect();
        let misdirected = dice.chance(plan.profile.network.misdirected);
        // Where nobody fits, the order names somebody all the same.
        let unfit_named = fit.is_empty() || misdirected && !unfit.is_empty();
        let specialist = dice.pick(if unfit_named { &unfit } else { &fit });
        let day = Duration::days(dice.between(0, i64::from(plan.order_days.min(plan.days)) - 1));
        let ordered_at = hours::office(plan.start + day + dice.minutes(0, 24 * 60));
        SimulatedReferral {
            number: format!("RF{:06}", 700_000 + index),
            ordered_at,
            specialty,
            specialist,
            urgent: dice.chance(0.1),
            tells_language: dice.chance(0.8),
            tells_email: dice.chance(0.6),
        }
    }
}

impl Nature {
    fn from_seed(plan: &PracticePlan, index: usize) -> Nature {
        let mut dice = Dice::of(plan.seed, index, "nature", 0);
        let patients = &plan.profile.patients;
        let (forgetful, forgetful_miss, others_miss) = plan.profile.visits.forgetful();
        Nature {
            hears: *dice.weighted(patients.hear.weights()),
            way: *dice.weighted(&WAYS),
            pace: *dice.weighted(&PACES),
            self_starting: dice.chance(patients.self_starting),
            forgetful: if dice.chance(forgetful) { forgetful_miss } else { others_miss },
            moves: dice.chance(0.08),
            bad_mailbox: dice.chance(patients.bad_mailbox),
            consents: !dice.chance(patients.refuse_messages),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_people_and_another_gives_others() {
        let plan = PracticePlan::new(7, 40, DateTime::from_timestamp(1_790_000_000, 0).expect("a valid moment"));
        let roster = plan.profile.network.roster();
        let crowd = |plan: &PracticePlan| {
            (0..40).map(|index| SimulatedPatient::from_seed(plan, &roster, index)).collect::<Vec<_>>()
        };
        assert_eq!(crowd(&plan), crowd(&plan));
        assert_ne!(crowd(&plan), crowd(&PracticePlan { seed: 8, ..plan.clone() }));
    }

    #[test]
    fn people_are_told_apart_and_ordered_within_ten_days() {
        let plan = PracticePlan::new(1, 300, DateTime::from_timestamp(1_790_000_000, 0).expect("a valid moment"));
        let roster = plan.profile.network.roster();
        let crowd: Vec<_> = (0..300).map(|index| SimulatedPatient::from_seed(&plan, &roster, index)).collect();
        let distinct = |of: fn(&SimulatedPatient) -> String| crowd.iter().map(of).collect::<BTreeSet<_>>().len();
        assert_eq!(distinct(|person| person.mobile.clone()), 300);
        assert_eq!(distinct(|person| person.email.clone()), 300);
        let last = crowd.iter().map(|person| person.referral.ordered_at).max();
        // A weekend may push the last order of the tenth day to Monday.
        assert!(last.is_some_and(|last| last < plan.start + Duration::days(14)), "{last:?}");
        let spanish = crowd.iter().filter(|person| person.language == PatientLanguage::Spanish).count();
        assert!((45..100).contains(&spanish), "{spanish}");
    }
}
