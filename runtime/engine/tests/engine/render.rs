//! Letters: their length on the air, their words, and what they must not say.

use std::sync::Arc;

use handoff_engine::ids::{PatientId, Token};
use handoff_engine::referral::*;
use handoff_engine::render::{RenderError, SmsEncoding, measure_sms, render};

use crate::given;

/// A given name of twelve GSM-7 characters.
const GIVEN: &str = "ZPHIG00CAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn facts(specialty: &str) -> Facts {
    let starts_at = "2026-03-10T18:30:00Z".parse().expect("a moment");
    Facts {
        patient: Arc::new(Patient {
            id: PatientId("p".to_string()),
            given: Token(GIVEN.to_string()),
            family: Token("ZPHIG00DBBBBBBBBBBBBBBBBBBBBBBBBBB".to_string()),
            born: None,
            identifiers: vec![],
            reaches: vec![],
            languages: vec!["en".to_string()],
            preferred: None,
            zone: Some(chrono_tz::America::Los_Angeles),
            other_zone: None,
            deceased: false,
            refused: false,
            as_of: None,
            opted_out: Vec::new(),
        }),
        order: Arc::new(Order {
            numbers: vec![],
            priority: Priority::Routine,
            specialty: Code { system: String::new(), code: "1".to_string(), display: specialty.to_string() },
            services: vec![],
            diagnoses: vec![],
            plan_id: String::new(),
            plan_name: String::new(),
            referring: Provider::default(),
            specialist: Some(Provider {
                name: "Dr. Bartholomew Kowalski".to_string(),
                phone: "+15555550111".to_string(),
                ..Provider::default()
            }),
            expires_at: None,
            named: None,
            as_of: None,
            authored_at: None,
        }),
        appointment: Some(Appointment {
            numbers: vec![],
            starts_at,
            minutes: 30,
            status: AppointmentStatus::Booked,
            as_of: None,
        }),
        visit: None,
        note: None,
        last_letter: None,
        attempts: vec![],
        tried: vec![],
        rerouted: 0,
        withdrawn: None,
        marks: vec![],
        calls: vec![],
    }
}

/// Forty characters in GSM-7, as a person of the practice writes them.
fn words() -> Token {
    Token(format!("ZPHIG018{}", "C".repeat(26)))
}

/// An address that the chart has.
fn at(channel: Channel) -> ContactPoint {
    ContactPoint { channel, address: Token(GIVEN.to_string()), consent: Consent::Unknown, confirmed: true }
}

#[test]
fn text_messages_fit_and_say_how_to_stop_them() {
    let deployment = given::recipe();
    let workflow = &deployment.workflow;
    for specialty in ["Cardiology", "Psychiatry"] {
        for letter in workflow.letters.keys() {
            for language in workflow.language_tags() {
                let filled = render(workflow, &facts(specialty), letter, &at(Channel::Sms), &language, Some(&words()))
                    .expect("a text");
                let size = measure_sms(&filled.text);
                let most = match language.as_str() {
                    "en" | "es" => (SmsEncoding::Gsm7, 1),
                    "zh" => (SmsEncoding::Ucs2, 2),
                    _ => (SmsEncoding::Ucs2, 3),
                };
                assert_eq!(size.encoding, most.0, "{language} {letter}: {}", filled.text);
                assert!(size.parts <= most.1, "{language} {letter}: {size:?} {}", filled.text);
                assert!(filled.text.contains("STOP"), "{language} {letter} does not say how to stop it");
                assert!(!filled.text.to_uppercase().contains("CANCEL"), "{language} {letter} asks for an opt-out word");
                let mail = render(workflow, &facts(specialty), letter, &at(Channel::Email), &language, Some(&words()))
                    .expect("a mail");
                assert!(mail.text.contains("STOP"), "{language} {letter}");
            }
        }
    }
}

#[test]
fn a_sensitive_referral_names_nobody() {
    let deployment = given::recipe();
    let workflow = &deployment.workflow;
    for specialty in ["Psychiatry", "Medical Oncology", "Infectious Disease", "Addiction Medicine", ""] {
        for letter in workflow.letters.keys() {
            for channel in [Channel::Sms, Channel::Email, Channel::Portal] {
                let filled =
                    render(workflow, &facts(specialty), letter, &at(channel), "en", Some(&words())).expect("a letter");
                let said = format!("{} {}", filled.subject, filled.text);
                assert!(!said.contains("Kowalski") && !said.contains("5555550111"), "{specialty} {letter}: {said}");
            }
        }
    }
    let open = render(workflow, &facts("Cardiology"), "first-contact", &at(Channel::Sms), "en", None).expect("a text");
    assert!(open.text.contains("Dr. Bartholomew Kowalski"), "{}", open.text);
}

#[test]
fn an_address_that_nobody_has_confirmed_learns_no_specialist() {
    let deployment = given::recipe();
    for letter in deployment.workflow.letters.keys() {
        for channel in [Channel::Sms, Channel::Email, Channel::Portal] {
            let unconfirmed = ContactPoint { confirmed: false, ..at(channel) };
            let filled = render(&deployment.workflow, &facts("Cardiology"), letter, &unconfirmed, "en", Some(&words()));
            let filled = filled.expect("a letter");
            let said = format!("{} {}", filled.subject, filled.text);
            assert!(!said.contains("Kowalski") && !said.contains("5555550111"), "{letter}: {said}");
            assert!(!said.to_lowercase().contains("cardio") && !said.contains("heart"), "{letter}: {said}");
        }
    }
}

#[test]
fn appointments_are_told_in_the_patients_zone_and_language() {
    let deployment = given::recipe();
    let said = |language: &str| {
        let filled =
            render(&deployment.workflow, &facts("Cardiology"), "visit-tomorrow", &at(Channel::Email), language, None);
        filled.expect("a letter").text
    };
    let rows = [
        ("en-US", "Tuesday, Mar 10 at 11:30 AM"),
        ("es-MX", "10 de marzo a las 11:30 de la mañana"),
        ("zh-Hans", "3月10日星期二11:30"),
        ("vi", "thứ Ba 10/3 lúc 11:30"),
        ("tlh", "Tuesday, Mar 10 at 11:30 AM"),
    ];
    for (language, expected) in rows {
        let text = said(language);
        assert!(text.contains(expected), "{language}: {text}");
    }
}

#[test]
fn a_letter_about_no_appointment_is_not_written() {
    let deployment = given::recipe();
    let without = Facts { appointment: None, ..facts("Cardiology") };
    let letter = "visit-soon".to_string();
    let error = render(&deployment.workflow, &without, &letter, &at(Channel::Sms), "en", None);
    assert_eq!(error, Err(RenderError::NoAppointment { letter }));
}

#[test]
fn a_letter_that_carries_a_persons_words_is_not_written_without() {
    let deployment = given::recipe();
    let render = |words| render(&deployment.workflow, &facts("Cardiology"), "message", &at(Channel::Sms), "es", words);
    assert_eq!(render(None), Err(RenderError::NoWords { letter: "message".to_string() }));
    let filled = render(Some(&words())).expect("a text");
    assert_eq!(
        filled.text,
        format!("Cedar Family Medicine: {} Preguntas: 555-555-0199. No recibir textos: STOP.", words())
    );
}

#[test]
fn sms_sizes() {
    let name = |set: char, digits: &str| format!("ZPHI{set}{digits}{}", "A".repeat(26));
    let rows: [(String, SmsEncoding, usize, usize); 9] = [
        ("a".repeat(160), SmsEncoding::Gsm7, 160, 1),
        ("a".repeat(161), SmsEncoding::Gsm7, 161, 2),
        ("é".repeat(160), SmsEncoding::Gsm7, 160, 1),
        ("€".repeat(80), SmsEncoding::Gsm7, 160, 1),
        ("á".repeat(70), SmsEncoding::Ucs2, 70, 1),
        ("á".repeat(71), SmsEncoding::Ucs2, 71, 2),
        ("😀".to_string(), SmsEncoding::Ucs2, 2, 1),
        (name('G', "00C"), SmsEncoding::Gsm7, 12, 1),
        (name('U', "010"), SmsEncoding::Ucs2, 32, 1),
    ];
    for (text, encoding, units, parts) in rows {
        let size = measure_sms(&text);
        assert_eq!((size.encoding, size.units, size.parts), (encoding, units, parts), "{text}");
    }
}
