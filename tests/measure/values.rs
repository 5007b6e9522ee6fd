//! The value sets are whole, and each code is one that its terminology could have given out.

use handoff_operations::reports::cms50::value_sets::{
    CONSULTANT_REPORT, INTERVENTION_CODES, INTERVENTIONS, REFERRAL, VISITS, ValueSet,
};

/// As each expansion's own `total` has it.
const SIZES: [(&str, usize); 10] = [
    ("Office Visit", 14),
    ("Ophthalmological Services", 8),
    ("Preventive Care Services Established Office Visit, 18 and Up", 3),
    ("Preventive Care Services, Initial Office Visit, 0 to 17", 4),
    ("Preventive Care Services Initial Office Visit, 18 and Up", 3),
    ("Preventive Care, Established Office Visit, 0 to 17", 4),
    ("Behavioral/Neuropsych Assessment", 2),
    ("Psych Visit Diagnostic Evaluation", 6),
    ("Referral", 209),
    ("Consultant Report", 251),
];

#[test]
fn every_set_has_as_many_codes_as_its_publisher_counts_and_none_twice() {
    let sets: Vec<&ValueSet> = VISITS.iter().chain(&INTERVENTIONS).chain([&REFERRAL, &CONSULTANT_REPORT]).collect();
    for (set, (title, size)) in sets.iter().zip(SIZES) {
        let mut codes: Vec<&str> = set.codes.iter().flat_map(|(_, codes)| codes.split_whitespace()).collect();
        assert_eq!((set.title, codes.len()), (title, size));
        assert_eq!(set.size(), size);
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), size, "{title} has a code twice");
        for (system, codes) in set.codes {
            for code in codes.split_whitespace() {
                assert!(is_sound(system, code), "{code} of {title} was mistyped");
                assert!(set.has(system, code) && !set.has("http://example.org", code), "{code} of {title}");
            }
        }
    }
    assert_eq!(sets.len(), SIZES.len());
    assert!(INTERVENTION_CODES.iter().all(|code| is_sound("http://www.ama-assn.org/go/cpt", code)));
}

fn is_sound(system: &str, code: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match system {
        "http://snomed.info/sct" => digits(code) && has_verhoeff_digit(code),
        "http://loinc.org" => code.split_once('-').is_some_and(|(number, check)| mod_10(number).to_string() == check),
        "http://www.ama-assn.org/go/cpt" => code.len() == 5 && digits(code),
        _ => false,
    }
}

/// LOINC's check digit, which is Luhn's.
fn mod_10(number: &str) -> u32 {
    let weighed = number.bytes().rev().enumerate().map(|(place, byte)| {
        let digit = u32::from(byte - b'0') * if place % 2 == 0 { 2 } else { 1 };
        digit / 10 + digit % 10
    });
    (10 - weighed.sum::<u32>() % 10) % 10
}

/// SNOMED CT's check digit: the dihedral group of ten (Release File Specification, "Check-digit").
fn has_verhoeff_digit(code: &str) -> bool {
    const PERMUTED: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let times = |one: usize, other: usize| match (one < 5, other < 5) {
        (true, true) => (one + other) % 5,
        (true, false) => 5 + (one + other) % 5,
        (false, true) => 5 + (one + 10 - other) % 5,
        (false, false) => (one + 5 - other) % 5,
    };
    let permuted = |digit: usize, times: usize| (0..times).fold(digit, |digit, _| PERMUTED[digit]);
    let digits = code.bytes().rev().map(|byte| usize::from(byte - b'0')).enumerate();
    digits.fold(0, |sum, (place, digit)| times(sum, permuted(digit, place % 8))) == 0
}
