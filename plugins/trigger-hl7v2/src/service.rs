//! What an order or a result is about: a referral or consultation, or something that a laboratory, an imaging department or
//! a pharmacy does. Only the first kind texts patients.

use crate::message::{Message, Segment, Value};
use crate::order;
use crate::problem::{Condition, Fault, Place};
use crate::settings::{self, Settings};
use crate::types::Code;

/// What the service in OBR-4 and the segments around it say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Referral,
    /// A test, an image, a medicine, a diet or a supply.
    Other,
    /// Neither is said.
    Unsaid,
}

/// SNOMED CT: consultation, and the referral procedures that EHRs order most.
const REFERRAL_CODES: [&str; 10] = [
    "11429006",
    "3457005",
    "306206005",
    "306253008",
    "183519002",
    "183524004",
    "183516009",
    "103696004",
    "308447003",
    "306237005",
];
/// LOINC's clinical notes that answer a referral: consultation, progress, H&P, summary, letter, procedure, operation,
/// evaluation and plan, visit summary, referral.
const NOTE_CODES: [&str; 22] = [
    "11488-4", "11506-3", "34117-2", "34133-9", "18842-5", "51852-2", "28570-0", "11504-8", "51847-2", "57133-1",
    "34099-2", "34100-8", "34101-6", "34103-4", "34104-2", "34108-1", "34109-9", "34131-3", "68608-9", "77429-9",
    "51845-6", "83798-9",
];
/// Beginnings of words in a service's name that only a referral or its answer has.
const REFERRAL_WORDS: [&str; 10] = [
    "refer",
    "consult",
    "eval and treat",
    "evaluate and treat",
    "eval & treat",
    "new patient",
    "office visit",
    "clinic visit",
    "clinic note",
    "visit note",
];
/// Likewise, of a note that came back.
const NOTE_WORDS: [&str; 6] = ["note", "letter", "summary", "history and physical", "h&p", "correspondence"];
/// Beginnings of words that only a test, an image or a medicine has.
const OTHER_WORDS: [&str; 102] = [
    "a1c",
    "abo",
    "alt",
    "ana",
    "angiogra",
    "antibod",
    "antigen",
    "assay",
    "ast",
    "b12",
    "basic metabolic",
    "bilirubin",
    "blood count",
    "blood culture",
    "blood gas",
    "blood type",
    "bmp",
    "bnp",
    "bone density",
    "bun",
    "capsule",
    "cbc",
    "cell count",
    "chem",
    "cholesterol",
    "cmp",
    "comprehensive metabolic",
    "contrast",
    "covid",
    "creatinine",
    "crp",
    "ct",
    "culture",
    "cytolog",
    "dexa",
    "doppler",
    "dxa",
    "ecg",
    "echoc",
    "eeg",
    "egfr",
    "ekg",
    "electrolyte",
    "esr",
    "ferritin",
    "fluoroscop",
    "folate",
    "glucose",
    "gram stain",
    "hba1c",
    "hcg",
    "hematocrit",
    "hemoglobin",
    "hemogram",
    "hepatitis",
    "hiv",
    "holter",
    "imaging",
    "inr",
    "iron",
    "lab",
    "laboratory",
    "leukocyte",
    "magnetic resonance",
    "mammo",
    "mg",
    "ml",
    "mr",
    "mri",
    "nm",
    "panel",
    "pap",
    "pcr",
    "pet",
    "platelet",
    "potassium",
    "psa",
    "ptt",
    "radiograph",
    "scan",
    "smear",
    "sodium",
    "specimen",
    "strep",
    "tablet",
    "thyroid stim",
    "thyroxin",
    "titer",
    "tomograph",
    "troponin",
    "tsh",
    "ua",
    "ultraso",
    "urinal",
    "urine",
    "us",
    "vaccin",
    "views",
    "vitamin",
    "x ray",
    "xr",
    "xray",
];
/// OBR-24 (table 0074) of those who answer an order with a measurement, an image or a medicine.
const OTHER_SECTIONS: &str = "AU BG BLB CG CH CP CT CTH CUS EC EN GE HM ICU IMG IMM LAB MB MCB MYC NMR NMS NRS OUS PAR PAT PHR \
PT RAD RC RT RUS RX SP SR TX URN VR VUS XRC";
/// Segments of an order that is no referral: medicines, diets, supplies, specimens, blood products, images.
const OTHER_SEGMENTS: [&str; 12] = ["RXO", "RXE", "RXD", "RXG", "RXA", "ODS", "ODT", "RQD", "RQ1", "SPM", "BPO", "IPC"];

/// What a new order asks for, by OBR-4 and the visit types that the site sends elsewhere.
pub fn of_order(group: &[Segment<'_>], visit_types: &[Code], settings: &Settings) -> Service {
    of(group, visit_types, settings, false)
}

/// What a result reports. A group of measurements is none of a consultation's, whatever it is called.
pub fn of_result(group: &[Segment<'_>], settings: &Settings) -> Service {
    let said = of(group, &[], settings, true);
    let mut observations = group.iter().filter(|segment| segment.is("OBX")).peekable();
    let measured = observations.peek().is_some()
        && observations.all(|obx| matches!(obx.text(2, 1).as_str(), "NM" | "SN" | "NA" | "MA"));
    if said == Service::Unsaid && measured { Service::Other } else { said }
}

fn of(group: &[Segment<'_>], visit_types: &[Code], settings: &Settings, is_result: bool) -> Service {
    let obr = order::named(group, "OBR");
    let services: Vec<Value<'_>> = obr.iter().map(|obr| obr.field(4)).collect();
    let named = visit_types.iter().flat_map(|it| [it.code.clone(), it.display.clone()]);
    let texts = services.iter().flat_map(|service| [1, 2, 4, 5, 9].map(|component| service.part(component)));
    let texts: Vec<String> = texts.chain(named).collect();
    let listed = |list: &[String]| texts.iter().any(|text| !text.is_empty() && settings::names(list, text));
    if listed(&settings.referral_services) {
        return Service::Referral;
    }
    if listed(&settings.other_services) || OTHER_SEGMENTS.iter().any(|name| order::named(group, name).is_some()) {
        return Service::Other;
    }
    let coded = texts.iter().any(|text| REFERRAL_CODES.contains(&text.as_str()) || NOTE_CODES.contains(&text.as_str()));
    let words = format!(" {} ", texts.join(" ").to_lowercase().replace(['-', '_', '/', '(', ')', ',', '.'], " "));
    let says = |known: &[&str]| known.iter().any(|word| words.contains(&format!(" {word}")));
    if coded || says(&REFERRAL_WORDS) || (is_result && says(&NOTE_WORDS)) {
        return Service::Referral;
    }
    let Some(obr) = obr else { return Service::Unsaid };
    let section = obr.text(24, 1).to_uppercase();
    let department = OTHER_SECTIONS.split(' ').any(|known| known == section);
    // LOINC names what is measured or seen; what is not among the notes above is a test. Of a result without a name it is not
    // known: LOINC has a hundred kinds of consultation notes.
    let is_named = [2, 5, 9].iter().any(|&component| !obr.field(4).part(component).is_empty());
    let loinc = [3, 6].iter().any(|&component| obr.field(4).part(component) == "LN") && (is_named || !is_result);
    let specimen = !obr.field(15).is_empty();
    if department || loinc || specimen || says_word(&words) { Service::Other } else { Service::Unsaid }
}

/// Short words stand alone (`ct` is no `ctenotomy`), longer ones begin a word.
fn says_word(words: &str) -> bool {
    OTHER_WORDS.iter().any(|word| {
        let end = if word.len() <= WHOLE_WORD_MAX { " " } else { "" };
        words.contains(&format!(" {word}{end}"))
    })
}

const WHOLE_WORD_MAX: usize = 3;

/// An order that might be a referral is neither begun nor waved through.
pub fn unsaid(sequence: usize) -> Fault {
    Fault::at(
        Condition::DataType,
        Place { segment: "OBR", sequence, field: 4 },
        "nothing says whether this order is a referral".to_owned(),
        "send Referral or Consultation in OBR-4.2 or a section in OBR-24, or list OBR-4 in the trigger's settings",
    )
}

/// Where in the message a group's segment of this name stands among its like.
pub fn sequence_of(message: &Message<'_>, group: &[Segment<'_>], name: &str) -> usize {
    let Some(wanted) = order::named(group, name) else { return 1 };
    let same = |segment: &&Segment<'_>| std::ptr::eq(segment.raw(), wanted.raw());
    let like = message.segments().iter().filter(|segment| segment.is(name));
    like.enumerate().find(|(_, segment)| same(segment)).map_or(1, |(index, _)| index + 1)
}
