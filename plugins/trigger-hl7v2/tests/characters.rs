//! Character sets by their names in MSH-18, and escapes that write bytes.

use encoding_rs::Encoding;

use crate::told::{read, tell};

/// A referral of a patient with this family name, in these bytes.
fn referral(charset: &str, family: &[u8]) -> Vec<u8> {
    let header = format!("MSH|^~\\&|EHR|CLINIC|HANDOFF|HERE|20260706080100-0500||REF^I12|77|P|2.5.1||||||{charset}\r");
    [header.as_bytes(), b"RF1|P|R|CAR|||R1\rPID|1||12^^^MR1^MR||", family, b"^Ann||1980\rIN1|1|P^Plan\r"].concat()
}

fn told(charset: &str, family: &[u8], settings: &str) -> String {
    tell(&read(&referral(charset, family), settings))
}

fn check(charset: &str, family: &[u8], expected: &str) {
    let told = told(charset, family, "{}");
    let said = format!("\"Ann\" {expected:?} born 1980");
    assert!(told.contains(&said) && told.contains("P / Plan"), "{charset}: {told}");
}

#[test]
fn every_name_of_table_0211_is_read() {
    let rows = [
        ("8859/1", "windows-1252", "Muñoz"),
        ("8859/2", "iso-8859-2", "Wiśniewska"),
        ("8859/3", "iso-8859-3", "Ħaġġar"),
        ("8859/4", "iso-8859-4", "Bērziņš"),
        ("8859/5", "iso-8859-5", "Иванова"),
        ("8859/6", "iso-8859-6", "حسين"),
        ("8859/7", "iso-8859-7", "Παπαδόπουλος"),
        ("8859/8", "iso-8859-8", "כהן"),
        ("8859/9", "windows-1254", "Yıldız"),
        ("8859/15", "iso-8859-15", "Lefœuvre"),
        ("ISO-8859-2", "iso-8859-2", "Wiśniewska"),
        ("WINDOWS-1250", "windows-1250", "Šťastná"),
        ("WINDOWS-1251", "windows-1251", "Иванова"),
        ("CP1253", "windows-1253", "Ωρίων"),
        ("WINDOWS-1257", "windows-1257", "Bērziņš"),
        ("GB 18030-2000", "gb18030", "欧阳"),
        ("BIG-5", "big5", "許功蓋"),
        ("KS X 1001", "euc-kr", "김뷁"),
        ("~ISO IR87", "iso-2022-jp", "山田"),
        ("ISO IR14", "shift_jis", "ソ表ﾔﾏ"),
        ("UNICODE UTF-8", "utf-8", "Nguyễn"),
        ("UNICODE UTF-8~8859/1", "utf-8", "Nguyễn"),
        ("", "utf-8", "Nguyễn"),
        ("ASCII", "utf-8", "Nguyễn"),
        ("", "windows-1252", "Muñoz"),
    ];
    for (name, label, family) in rows {
        let encoding = Encoding::for_label(label.as_bytes()).expect("a known label");
        let (bytes, _, unmapped) = encoding.encode(family);
        assert!(!unmapped, "{family} in {label}");
        check(name, &bytes, family);
    }
}

#[test]
fn what_cannot_be_told_for_certain_is_refused() {
    let unknown = "unreadable at MSH-18: MSH-18 names a character set that is not known here; ";
    let other = "unreadable at MSH-18: the message has bytes that the character set of MSH-18 does not have; ";
    let switches = "unreadable at MSH-18: the message switches character sets on its way";
    let rows: [(&str, &[u8], &str); 10] = [
        ("", b"\x1B$B;3ED\x1B(B", switches),
        ("8859/1~ISO IR87", b"\x1B$B;3ED\x1B(B", switches),
        ("CNS 11643-1992", b"Mu\xF1oz", unknown),
        ("EBCDIC", b"Mu\xF1oz", unknown),
        ("UNICODE UTF-32", b"Mu\x1B$Boz", unknown),
        ("UNICODE UTF-8", b"Mu\xF1oz", other),
        ("UNICODE UTF-16", b"Mu\xF1oz", other),
        // Windows-1250 that says 8859-2.
        ("8859/2", b"\x8Atastn\xE1", other),
        ("8859/7", b"\xD2", other),
        ("BIG-5", b"\xFF\xFF", other),
    ];
    for (charset, family, expected) in rows {
        let told = told(charset, family, "{}");
        assert!(told.starts_with(expected), "{charset}: {told}");
    }
    for charset in ["CNS 11643-1992", "EBCDIC", "~ISO IR87", "UNICODE UTF-16", "GB 18030-2000"] {
        check(charset, b"Munoz", "Munoz");
    }
}

#[test]
fn the_settings_name_the_set_of_a_sender_that_does_not() {
    let settings = r#"{"charset": "8859/5"}"#;
    assert!(told("", b"\xB8\xD2\xD0\xDD", settings).contains("\"Иван\""));
    assert!(told("8859/1", b"Mu\xF1oz", settings).contains("\"Muñoz\""));
}

#[test]
fn escapes_write_bytes_of_the_set_or_code_units() {
    let rows: [(&str, &str, &str); 15] = [
        ("8859/1", r"Nicol\XE0\", "Nicolà"),
        ("8859/1", r"Nicol\X00E0\", "Nicolà"),
        ("8859/1", r"Wi\X015B\niewska", "Wiśniewska"),
        ("8859/2", r"Wi\XB6\niewska", "Wiśniewska"),
        ("UNICODE UTF-8", r"Nicol\XC3A0\", "Nicolà"),
        ("UNICODE UTF-8", r"Nicol\XC3\\XA0\", "Nicolà"),
        ("UNICODE UTF-8", r"Nicol\X00E0\", "Nicolà"),
        ("UNICODE UTF-16", r"\X59275C71\", "大山"),
        ("GB 18030-2000", r"\XC5B7D1F4\", "欧阳"),
        ("", r"Nicol\XE0\", "Nicolà"),
        ("~ISO IR87", r"\M2442\;3ED\C2842\ T", "山田 T"),
        ("8859/1", r"\C2D4C\\XB8D2D0DD\\C2842\ T", "Иван T"),
        ("8859/1", r"A\X00\B\X07\C", "ABC"),
        ("8859/1", r"A\.br\B\X0A\C", "A B C"),
        ("8859/1", r"A\T\B", "A&B"),
    ];
    for (charset, family, expected) in rows {
        check(charset, family.as_bytes(), expected);
    }
}

#[test]
fn control_characters_reach_no_value() {
    check("8859/1", b"A\0B\x07C\x7FD\x9D", "ABCD");
    check("UNICODE UTF-8", "A\u{85}B\u{FEFF}C".as_bytes(), "ABC");
}
