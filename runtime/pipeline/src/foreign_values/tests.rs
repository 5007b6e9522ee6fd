use proptest::prelude::*;

use super::*;

fn checked(rule: fn(&str, &mut String) -> Result<(), Problem>, value: &str) -> Result<String, String> {
    let mut value = value.to_string();
    rule("place", &mut value).map(|()| value).map_err(|problem| problem.message)
}

#[test]
fn a_name_is_spelt_right_or_a_persons_to_look_at() {
    for (written, expected) in [
        ("Ana Cruz", Ok("Ana Cruz")),
        ("王小明", Ok("王小明")),
        ("O'Brien-Nguyễn, J.R., Ph.D", Ok("O'Brien-Nguyễn, J.R., Ph.D")),
        ("نیما می\u{200c}خواهد", Ok("نیما می\u{200c}خواهد")),
        (" Ana \t\r\n Cruz\u{a0}", Ok("Ana Cruz")),
        ("A\u{200b}na\u{feff}", Ok("Ana")),
        ("Dr.Paul McWilliams", Ok("Dr. Paul McWilliams")),
        ("ST.MARY/DR.WU", Ok("ST. MARY/DR. WU")),
        ("A.O.Smith", Ok("A.O. Smith")),
        ("Ortho @ Home", Ok("Ortho @ Home")),
        ("Clinic No.1, Suite 2200", Ok("Clinic No.1, Suite 2200")),
        // A domain with a blank in it is nothing that can be tapped on.
        ("Ana evil.com", Ok("Ana evil. com")),
        ("t.co evil\u{3002}com", Ok("t. co evil\u{3002} com")),
        ("Ana bit.ly/x7", Err("the value holds a link")),
        ("HTTPS://evil.example", Err("the value holds a link")),
        ("Ana www.evil", Err("the value holds a link")),
        ("ana@evil.com", Err("the value holds a link")),
        ("tel:911", Err("the value holds a link")),
        ("10.0.0.1", Err("the value holds a link")),
        ("Ana call 1-900-555-0100", Err("the value holds a telephone number")),
        ("Ana ١٢٣٤٥٦٧", Err("the value holds a telephone number")),
        ("Ana\u{7}", Err("the value holds a control character")),
        ("Ana\u{1b}[2J", Err("the value holds a control character")),
        ("Ana\u{202e}zurC", Err("the value holds a character that turns the text around it")),
        ("Ana\u{2066}Cruz", Err("the value holds a character that turns the text around it")),
    ] {
        assert_eq!(checked(name, written), expected.map(str::to_string).map_err(str::to_string), "{written:?}");
    }
    let long = "é".repeat(NAME_CHARS_MAX);
    assert_eq!(checked(name, &long), Ok(long.clone()));
    assert_eq!(checked(name, &format!("{long}é")), Err("the value is longer than 120 characters".to_string()));
}

#[test]
fn a_number_is_what_can_be_dialled() {
    for (written, expected) in [
        ("+12135550140", true),
        ("(213) 555-0140", true),
        ("213.555.0140 ext. 12", true),
        ("tel:+1-213-555-0140;ext=12", true),
        ("2135550140x7", true),
        ("5550140", true),
        ("", false),
        ("N/A", false),
        ("call the office", false),
        ("+1213555014021355501402", false),
        ("exit.to/12345", false),
        ("10.0.0.255", false),
        ("2135550140\r\n2135550141", false),
        ("http://1234567", false),
    ] {
        assert_eq!(is_telephone(written), expected, "{written:?}");
    }
}

#[test]
fn a_mail_address_is_one_mailbox() {
    for (written, expected) in [
        ("ana.cruz+ref@example.org", true),
        ("josé@correo.example", true),
        ("ana", false),
        ("@example.org", false),
        ("ana@", false),
        ("ana@example..org", false),
        ("ana@example.org, bo@example.org", false),
        ("Ana <ana@example.org>", false),
        ("ana@example.org\r\nBcc: bo@example.org", false),
        ("ana@b@example.org", false),
        ("ana@example.org/x", false),
    ] {
        assert_eq!(is_mail(written), expected, "{written:?}");
    }
}

proptest! {
    #[test]
    fn whatever_is_taken_is_one_line_that_turns_nothing_and_is_taken_again(written in "\\PC{0,40}|[ -~\\p{Cf}\r\n\t]{0,40}") {
        if let Ok(taken) = checked(name, &written) {
            prop_assert!(taken.chars().all(|c| !c.is_control() && !is_turning(c) && !is_unseen(c)));
            prop_assert!(!taken.contains("://"));
            prop_assert_eq!(checked(name, &taken), Ok(taken.clone()));
            // Nothing that people see is lost.
            let seen = |text: &str| text.chars().filter(|c| !c.is_whitespace() && !is_unseen(*c)).collect::<String>();
            prop_assert_eq!(seen(&taken), seen(&written));
        }
    }
}
