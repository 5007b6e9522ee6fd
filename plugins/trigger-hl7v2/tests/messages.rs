//! The parser: delimiters, escapes, character sets and line breaks, as senders really write them.

use trigger_hl7v2::message::{Charset, Message, NotHl7};

fn field(bytes: &[u8], segment: &str, number: usize) -> String {
    let message = Message::parse(bytes).unwrap_or_else(|error| panic!("{error:?}"));
    message.segment(segment).map(|segment| segment.field(number).text()).unwrap_or_else(|| "no segment".to_owned())
}

#[test]
fn escapes_are_resolved() {
    let rows = [
        (r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f"),
        (r"two\.br\lines\.sp+2\more", "two\nlines\nmore"),
        (r"\H\bold\N\ face", "bold face"),
        (r"\X0D0A\x", "\nx"),
        (r"caf\XC3A9\", "café"),
        (r"C:\temp\new", r"C:\temp\new"),
        (r"a lone \ stays", r"a lone \ stays"),
        (r"\X0\odd", r"\X0\odd"),
        (r"\Zlocal\kept out", "kept out"),
        (r"\C2842\\M244E32\gone", "gone"),
    ];
    for (sent, expected) in rows {
        let message = format!("MSH|^~\\&|A\rNTE|1||{sent}");
        assert_eq!(field(message.as_bytes(), "NTE", 3), expected, "{sent}");
    }
}

#[test]
fn delimiters_are_the_senders() {
    let message = b"MSH#*+!%@#APP*X\rPID#1##A%sub*B+C*D##!S!star!R!plus!P!";
    let parsed = Message::parse(message).unwrap_or_else(|error| panic!("{error:?}"));
    let pid = parsed.segment("PID").unwrap_or_else(|| panic!("PID"));
    assert_eq!(pid.field(3).repetitions().map(|cx| cx.part(2)).collect::<Vec<_>>(), ["B", "D"]);
    assert_eq!(pid.field(3).component(1).subcomponent(2).text(), "sub");
    assert_eq!(pid.field(5).text(), "*star+plus@");
    assert_eq!(parsed.header().field(1).text(), "#");
    assert_eq!(parsed.header().field(2).text(), "*+!%@");
    assert_eq!(parsed.header().text(3, 2), "X");
    assert_eq!(parsed.encode(), message);
}

#[test]
fn short_encoding_characters_leave_the_standard_ones() {
    assert_eq!(field(b"MSH|^|A\rPID|a~b", "PID", 1), "a~b");
    let message = Message::parse(b"MSH|^|A\rPID|a~b&c").unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(message.segment("PID").map(|pid| pid.field(1).repetitions().count()), Some(2));
}

#[test]
fn line_breaks_end_a_segment_only_before_another() {
    let rows: [(&[u8], usize); 9] = [
        (b"MSH|^~\\&|A\rPID|1\rPV1|1\r", 3),
        (b"MSH|^~\\&|A\nPID|1\nPV1|1\n", 3),
        (b"MSH|^~\\&|A\r\nPID|1\r\nPV1|1\r\n", 3),
        (b"\xEF\xBB\xBFMSH|^~\\&|A\rPID|1", 2),
        (b"\x0BMSH|^~\\&|A\rPID|1\r\x1C\r", 2),
        (b"\r\n MSH|^~\\&|A\r\r\rPID|1\r\n\0", 2),
        (b"MSH|^~\\&|A\rNTE|1||first line\nsecond line\rPID|1", 3),
        (b"MSH|^~\\&|A\rNTE|1||first line\rsecond line\rPID|1", 3),
        (b"MSH|^~\\&|A\rPID|1\rtrailing garbage", 2),
    ];
    for (bytes, expected) in rows {
        let message = Message::parse(bytes).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(message.segments().len(), expected, "{}", bytes.escape_ascii());
        assert_eq!(message.encode(), bytes);
    }
}

#[test]
fn character_sets_are_declared_or_guessed() {
    let rows: [(&[u8], Charset, &str); 5] = [
        (b"MSH|^~\\&|||||||||||||||\rPID|Mu\xC3\xB1oz", Charset::Utf8, "Muñoz"),
        (b"MSH|^~\\&|||||||||||||||\rPID|Mu\xF1oz", Charset::Latin1, "Muñoz"),
        (b"MSH|^~\\&||||||||||||||||8859/1\rPID|Mu\xF1oz \x93x\x94", Charset::Latin1, "Muñoz “x”"),
        (b"MSH|^~\\&||||||||||||||||UNICODE UTF-8\rPID|Mu\xF1oz", Charset::Utf8, "Muñoz"),
        (b"MSH|^~\\&||||||||||||||||ASCII\rPID|Mu\\XF1\\oz", Charset::Utf8, "Muñoz"),
    ];
    for (bytes, charset, expected) in rows {
        assert_eq!(Message::parse(bytes).map(|message| message.charset()), Ok(charset), "{}", bytes.escape_ascii());
        assert_eq!(field(bytes, "PID", 1), expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn null_is_not_empty_and_reads_as_nothing() {
    let message = Message::parse(b"MSH|^~\\&|A\rPID|\"\"||\"\"^B").unwrap_or_else(|error| panic!("{error:?}"));
    let pid = message.segment("PID").unwrap_or_else(|| panic!("PID"));
    assert!(pid.field(1).is_null() && pid.field(1).is_empty() && pid.field(1).text().is_empty());
    assert!(!pid.field(2).is_null() && pid.field(2).is_empty());
    assert!(!pid.field(3).is_empty() && pid.text(3, 1).is_empty());
    assert!(pid.field(99).is_empty() && pid.field(0).is_empty());
}

#[test]
fn what_is_no_message_is_refused_for_its_reason() {
    let rows: [(&[u8], NotHl7); 8] = [
        (b"", NotHl7::Empty),
        (b"\x0B\r\n", NotHl7::Empty),
        (b"\xFF\xFEM\0S\0H\0", NotHl7::Utf16),
        (b"BHS|^~\\&|A", NotHl7::Batch),
        (b"FHS|^~\\&|A", NotHl7::Batch),
        (b"{\"MSH\":1}", NotHl7::NoHeader),
        (b"MSH", NotHl7::Delimiters),
        (b"MSHA^~\\&", NotHl7::Delimiters),
    ];
    for (bytes, expected) in rows {
        assert_eq!(Message::parse(bytes).err(), Some(expected), "{}", bytes.escape_ascii());
    }
}
