//! Writes the HL7 v2.5.1 messages of a referral's life: order, withdrawal, booking, arrival, no-show, note.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, Utc};

use crate::hours::PRACTICE_ZONE;
use crate::mess::{Shape, Staff, pieces};
use crate::people::SimulatedPatient;
use crate::specialists::Specialist;

use super::segment::{
    REFERRING, VALID_DAYS, coded_service, date, doctor, escaped, joined, msh, outpatient, pid, place, providers, rf1,
    segment, stamp, telephone,
};

/// One visit as the scheduling system keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slot {
    /// SCH-1 and SCH-2.
    pub number: String,
    pub starts_at: DateTime<Utc>,
    pub minutes: u32,
    /// By their place in the roster.
    pub specialist: usize,
    /// Leaves out SCH-26, so that only the patient's number and the appointment's join it to the order.
    pub names_referral: bool,
}

/// What the scheduling system says of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Booked,
    Moved,
    Cancelled,
    Arrived,
    NoShow,
    /// A comment was written to it; nothing else is new.
    Edited,
}

impl Notice {
    pub fn event(self) -> &'static str {
        match self {
            Notice::Booked => "S12",
            Notice::Moved => "S13",
            Notice::Arrived | Notice::Edited => "S14",
            Notice::Cancelled => "S15",
            Notice::NoShow => "S26",
        }
    }

    /// Whether the patient is expected after it.
    pub fn stands(self) -> bool {
        match self {
            Notice::Booked | Notice::Moved | Notice::Edited => true,
            Notice::Cancelled | Notice::Arrived | Notice::NoShow => false,
        }
    }

    /// SCH-25, HL7 table 0278.
    fn status(self) -> &'static str {
        match self {
            Notice::Booked | Notice::Moved | Notice::Edited => "Booked",
            Notice::Arrived => "Started",
            Notice::Cancelled => "Cancelled",
            Notice::NoShow => "Noshow",
        }
    }
}

/// REF^I12: the order. HL7 v2.5.1 chapter 11.
pub(crate) fn order(person: &SimulatedPatient, specialist: &Specialist, control_id: &str) -> String {
    let at = person.referral.ordered_at;
    let mut segments = vec![msh("NPC-EHR", at, "REF^I12^REF_I12", control_id)];
    segments.push(rf1(person, "A^Accepted^HL70283"));
    let plan = person.health_plan;
    segments.push(segment(
        "AUT",
        &[
            (1, &format!("{}^{}", plan.id, escaped(plan.name))),
            (2, plan.id),
            (3, &escaped(plan.payer)),
            (4, &date(at)),
            (5, &date(at + Duration::days(VALID_DAYS))),
            (6, &format!("AUTH{}", &person.referral.number[2..])),
        ],
    ));
    segments.extend(providers(person, specialist));
    segments.push(pid(person));
    // PD1-11 publicity code, HL7 table 0215.
    let publicity = if person.nature.consents { "02^Reminder by any method^HL70215" } else { "01^No reminder^HL70215" };
    segments.push(segment("PD1", &[(4, REFERRING), (11, publicity)]));
    segments.push(segment(
        "IN1",
        &[
            (1, "1"),
            (2, &format!("{}^{}", plan.id, escaped(plan.name))),
            (3, plan.id),
            (4, &escaped(plan.payer)),
            (16, &format!("{}^{}", escaped(&person.family), escaped(&person.given))),
            (17, "SEL^Self^HL70063"),
            (36, &person.member_id),
        ],
    ));
    let specialty = person.referral.specialty;
    let diagnosis = format!("{}^{}^I10", specialty.diagnosis.0, escaped(specialty.diagnosis.1));
    segments.push(segment("DG1", &[(1, "1"), (3, &diagnosis), (5, &stamp(at)), (6, "F")]));
    segments.push(segment("PR1", &[(1, "1"), (3, &coded_service(person)), (5, &stamp(at))]));
    joined(segments)
}

/// REF^I14: the order is withdrawn.
pub(crate) fn withdrawal(
    person: &SimulatedPatient,
    specialist: &Specialist,
    at: DateTime<Utc>,
    control_id: &str,
) -> String {
    let mut segments = vec![msh("NPC-EHR", at, "REF^I14^REF_I12", control_id), rf1(person, "X^Cancelled^L")];
    segments.extend(providers(person, specialist));
    segments.push(pid(person));
    joined(segments)
}

/// SIU^S12, S13, S14, S15 or S26. HL7 v2.5.1 chapter 10.
pub(crate) fn scheduling(
    person: &SimulatedPatient,
    specialist: &Specialist,
    slot: &Slot,
    notice: Notice,
    staff: Staff,
    at: DateTime<Utc>,
    control_id: &str,
) -> String {
    let (doctor, phone) = match staff.is_whole() {
        true => (doctor(specialist), telephone(specialist.phone)),
        false => Default::default(),
    };
    let starts = stamp(slot.starts_at);
    let ends = stamp(slot.starts_at + Duration::minutes(i64::from(slot.minutes)));
    let minutes = slot.minutes.to_string();
    let sch = segment(
        "SCH",
        &[
            (1, &format!("{}^REGIONSCHED", slot.number)),
            (2, &format!("{}F^REGIONSCHED", slot.number)),
            (6, notice.event()),
            (7, "CONSULT^Specialist consultation"),
            (8, "Normal"),
            (9, &minutes),
            (10, "min"),
            (11, &format!("^^{minutes}^{starts}^{ends}")),
            (12, &doctor),
            (13, &phone),
            (16, &doctor),
            (20, &doctor),
            (25, notice.status()),
            // The placer's order number joins the visit to the order.
            (26, if slot.names_referral { person.referral.number.as_str() } else { "" }),
        ],
    );
    let event = notice.event();
    // Real schedulers write the structure of S12 for all of them, some repeat the event.
    let structure = if notice == Notice::NoShow { "SIU_S26" } else { "SIU_S12" };
    let mut segments = vec![
        msh("REGIONSCHED", at, &format!("SIU^{event}^{structure}"), control_id),
        sch,
        segment("TQ1", &[(1, "1"), (7, &starts), (8, &ends)]),
    ];
    if notice == Notice::Edited {
        segments.push(segment("NTE", &[(1, "1"), (3, &format!("Needs a ramp. Edited {}.", stamp(at)))]));
    }
    segments.extend([
        pid(person),
        if staff.is_whole() { outpatient(specialist) } else { Staff::bare_visit() },
        "RGS|1|A".to_string(),
        segment("AIS", &[(1, "1"), (2, "A"), (3, &coded_service(person)), (4, &starts), (7, &minutes), (8, "min")]),
        segment("AIL", &[(1, "1"), (2, "A"), (3, &place(specialist)), (6, &starts), (9, &minutes), (10, "min")]),
    ]);
    segments.extend(staff.resources(specialist).into_iter().enumerate().map(|(place, (who, role))| {
        let number = (place + 1).to_string();
        segment("AIP", &[(1, &number), (2, "A"), (3, &who), (4, role), (6, &starts), (9, &minutes), (10, "min")])
    }));
    joined(segments)
}

/// How a specialist's system returns the consultation note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoteForm {
    /// ORU^R01 with the text in OBX-5 (TX).
    Text,
    /// MDM^T02 with the document in OBX-5 (ED).
    Document(Shape),
}

impl NoteForm {
    /// The document as the chart is to have it.
    pub fn document(&self, body: &str) -> Vec<u8> {
        match self {
            NoteForm::Text => body.as_bytes().to_vec(),
            NoteForm::Document(_) => printed(body).into_bytes(),
        }
    }
}

/// The words of a note, and whether they take the place of earlier ones.
pub(crate) struct Wording {
    pub text: String,
    pub corrects: bool,
}

impl Wording {
    pub fn first(person: &SimulatedPatient, specialist: &Specialist, slot: &Slot) -> Wording {
        Wording { text: finding(person, specialist, slot.starts_at), corrects: false }
    }

    pub fn corrected(self) -> Wording {
        Wording { text: format!("{}\nCorrected: follow up in 6 weeks.", self.text), corrects: true }
    }
}

/// The consultation note. LOINC 11488-4.
#[expect(clippy::too_many_lines, reason = "two messages, field by field")]
pub(crate) fn note(
    person: &SimulatedPatient,
    specialist: &Specialist,
    slot: &Slot,
    form: &NoteForm,
    wording: &Wording,
    at: DateTime<Utc>,
    control_id: &str,
) -> String {
    let doctor = doctor(specialist);
    let (visited, written) = (stamp(slot.starts_at), stamp(at));
    let placer = format!("{}^NPC-EHR", person.referral.number);
    let filler = format!("{}N^SPECNOTES", slot.number);
    let orc = segment("ORC", &[(1, "RE"), (2, &placer), (3, &filler)]);
    // OBR-32 names the interpreter in subcomponents.
    let interpreter = format!("{}&{}&{}", specialist.id, specialist.family(), specialist.given());
    let obr = segment(
        "OBR",
        &[
            (1, "1"),
            (2, &placer),
            (3, &filler),
            (4, NOTE_CODE),
            (7, &visited),
            (16, REFERRING),
            (22, &written),
            (25, if wording.corrects { "C" } else { "F" }),
            (32, &interpreter),
        ],
    );
    let Wording { text: body, corrects } = wording;
    match form {
        NoteForm::Text => {
            let mut segments = vec![
                msh("SPECNOTES", at, "ORU^R01^ORU_R01", control_id),
                pid(person),
                outpatient(specialist),
                orc,
                obr,
            ];
            segments.extend(body.lines().enumerate().map(|(index, line)| {
                let number = (index + 1).to_string();
                segment(
                    "OBX",
                    &[
                        (1, &number),
                        (2, "TX"),
                        (3, NOTE_CODE),
                        (4, &number),
                        (5, &escaped(line)),
                        (11, "F"),
                        (14, &visited),
                    ],
                )
            }));
            joined(segments)
        }
        NoteForm::Document(shape) => {
            // T08 takes the place of the document with the same number.
            let event = if *corrects { "T08" } else { "T02" };
            let mut segments = vec![
                msh("SPECNOTES", at, &format!("MDM^{event}^MDM_T02"), control_id),
                segment("EVN", &[(1, event), (2, &written)]),
                pid(person),
                outpatient(specialist),
                orc,
                obr,
                segment(
                    "TXA",
                    &[
                        (1, "1"),
                        (2, "CN"),
                        (3, "AP"),
                        (4, &visited),
                        (5, &doctor),
                        (7, &written),
                        (9, &doctor),
                        (12, &filler),
                        (14, &placer),
                        (17, "AU"),
                    ],
                ),
            ];
            let pieces = pieces(&STANDARD.encode(printed(body)), shape);
            let is_cut_up = pieces.len() > 1;
            segments.extend(pieces.iter().enumerate().map(|(place, piece)| {
                let number = (place + 1).to_string();
                let data = format!("SPECNOTES^application^pdf^Base64^{piece}");
                let counted = if is_cut_up { number.as_str() } else { "" };
                segment("OBX", &[(1, &number), (2, "ED"), (3, NOTE_CODE), (4, counted), (5, &data), (11, "F")])
            }));
            joined(segments)
        }
    }
}

/// ADT^A08, A04: no concern of a referral.
pub(crate) fn unrelated(person: &SimulatedPatient, event: &str, at: DateTime<Utc>, control_id: &str) -> String {
    joined(vec![
        msh("NPC-EHR", at, &format!("ADT^{event}^ADT_A01"), control_id),
        segment("EVN", &[(1, event), (2, &stamp(at))]),
        pid(person),
        segment("PV1", &[(1, "1"), (2, "O"), (3, "NPC^ROOM2"), (7, REFERRING)]),
    ])
}

/// Nothing that could be taken for a referral: an order cut off after RF1, or no HL7 at all.
pub(crate) fn malformed(person: &SimulatedPatient, at: DateTime<Utc>, nth: usize, control_id: &str) -> String {
    if nth.is_multiple_of(2) {
        joined(vec![msh("NPC-EHR", at, "REF^I12^REF_I12", control_id), rf1(person, "A^Accepted^HL70283")])
    } else {
        format!("%PDF-1.4 {control_id} is no HL7 message")
    }
}

/// LOINC.
const NOTE_CODE: &str = "11488-4^Consult note^LN";

fn finding(person: &SimulatedPatient, specialist: &Specialist, visited_at: DateTime<Utc>) -> String {
    format!(
        "Consultation note\nPatient: {}, born {}\nSeen by {} ({}) on {}\nReason: {}\nAssessment: findings consistent with the referring diagnosis, no alarm features.\nPlan: continue current treatment & follow up with primary care in 3 months.",
        person.full_name(),
        person.born,
        specialist.name,
        specialist.organization,
        visited_at.with_timezone(&PRACTICE_ZONE).format("%Y-%m-%d"),
        person.referral.specialty.diagnosis.1,
    )
}

/// A small document with a PDF's first and last line; nothing here renders it.
fn printed(text: &str) -> String {
    format!("%PDF-1.4\n{text}\n%%EOF\n")
}
