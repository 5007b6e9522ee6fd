//! The documents of a note: whole, in order, or refused.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use trigger_hl7v2::types::{Document, Event, Happening, Meaning, NoteStatus, VisitNote};

use crate::told::{header, message, read, tell};

const PID: &str = "PID|1||12^^^MR1^MR||Ng^Ann||1980";
const OBR: &str = "OBR|1|P1|F1|11488-4^Consultation note^LN|||20270112||||||||||||||||||F";

fn notes(body: &[u8]) -> Vec<VisitNote> {
    let reading = read(body, "{}");
    let Meaning::Events(events) = &reading.meaning else { panic!("{}", tell(&reading)) };
    let note = |event: &Event| match &event.what {
        Happening::Note(note) => note.clone(),
        other => panic!("no note: {other:?}"),
    };
    events.iter().map(note).collect()
}

/// The documents of the one note that there is.
fn documents(body: &[u8]) -> Vec<Document> {
    let notes = notes(body);
    assert_eq!(notes.len(), 1, "{notes:?}");
    notes.into_iter().flat_map(|note| note.documents).collect()
}

/// Each document of the one note: its type, and its text.
fn told(lines: &[&str]) -> Vec<String> {
    documents(&report(lines)).iter().map(|document| format!("{}: {}", document.media_type, text(document))).collect()
}

fn report(lines: &[&str]) -> Vec<u8> {
    let header = header("ORU^R01");
    message(&[&[header.as_str(), PID, OBR], lines].concat())
}

fn text(document: &Document) -> String {
    String::from_utf8(STANDARD.decode(&document.content).expect("Base64 with padding")).expect("UTF-8")
}

fn field(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/field").join(format!("{name}.hl7"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_file_is_whole_however_it_was_sent() {
    let names = [
        "01-pdf-in-pieces",
        "01b-pdf-in-pieces-of-four",
        "02-ed-in-first-component",
        "03-ed-with-tildes",
        "03c-base64-wrapped-by-crlf",
    ];
    for name in names {
        let notes = notes(&field(name));
        assert_eq!((notes.len(), notes[0].documents.len()), (1, 1), "{name}");
        let document = &notes[0].documents[0];
        assert_eq!(document.media_type, "application/pdf", "{name}");
        let text = text(document);
        assert!(text.starts_with("%PDF-1.4\n") && text.trim_end().ends_with("end marker ZZTOP"), "{name}: {text}");
        assert_eq!(notes[0].status, NoteStatus::Final, "{name}");
    }
}

#[test]
fn text_is_whole_and_in_order() {
    let rows = [
        (
            "08-note-in-nte",
            "Seen today for exertional chest pain.\nStress echo normal.\nPlan: continue beta blocker, review in six months.",
        ),
        (
            "08b-note-after-obx",
            "See comments\nSeen today for exertional chest pain.\nStress echo normal.\nPlan: continue beta blocker.",
        ),
        (
            "19-unescaped-in-text",
            "ECG & echo done. EF 55^60 %. See https://plumtree.example/r?a=1&b=2 and C:\\scan\\x. 5\nEnd.",
        ),
    ];
    for (name, expected) in rows {
        assert_eq!(documents(&field(name)).iter().map(text).collect::<Vec<_>>(), [expected], "{name}");
    }
}

#[test]
fn texts_and_files_are_all_kept() {
    let rows: [(&[&str], &[&str]); 9] = [
        (
            &[
                "OBX|1|TX|C||Seen.||||||F",
                "OBX|2|ED|C||^application^pdf^Base64^JVBERi0xLjQlJUVPRg==||||||F",
                "NTE|1||Call us.",
            ],
            &["text/plain; charset=utf-8: Seen.\nCall us.", "application/pdf: %PDF-1.4%%EOF"],
        ),
        (
            &["OBX|1|ED|C||^application^pdf^Base64^JVBERi0xLjQlJUVPRg==||||||F", "OBX|2|TX|C||Seen.||||||F"],
            &["text/plain; charset=utf-8: Seen.", "application/pdf: %PDF-1.4%%EOF"],
        ),
        // Two files, though they are counted like the pieces of one.
        (
            &[
                "OBX|1|ED|C|1|^application^pdf^Base64^JVBERi0xLjQlJUVPRg==||||||F",
                "OBX|2|ED|C|2|^application^pdf^Base64^JVBERi0xLjUlJUVPRg==||||||F",
            ],
            &["application/pdf: %PDF-1.4%%EOF", "application/pdf: %PDF-1.5%%EOF"],
        ),
        (
            &[
                "OBX|1|ED|C||^application^pdf^Base64^JVBERi0xLjQlJUVPRg==~^application^pdf^Base64^JVBERi0xLjUlJUVPRg==||||||F",
            ],
            &["application/pdf: %PDF-1.4%%EOF", "application/pdf: %PDF-1.5%%EOF"],
        ),
        // Pieces that come in another order, each encoded by itself.
        (
            &["OBX|1|ED|C|2|^text^plain^Base64^dHdv||||||F", "OBX|2|ED|C|1|^text^plain^Base64^b25lIA==||||||F"],
            &["text/plain; charset=utf-8: one two"],
        ),
        (&["OBX|1|ED|C||^text^plain^Base64^b25l~IHR3~bw==||||||F"], &["text/plain; charset=utf-8: one two"]),
        (
            &["OBX|1|ED|C||^text^plain^Base64^b25l\\.br\\IHR3\\X0D0A\\bw||||||F"],
            &["text/plain; charset=utf-8: one two"],
        ),
        (&["OBX|1|ED|C||^text^plain^A^one^two & three||||||F"], &["text/plain; charset=utf-8: one^two & three"]),
        (&["OBX|1|ST|C||JVBERi0xLjQlJUVPRg==||||||F"], &["application/pdf: %PDF-1.4%%EOF"]),
    ];
    for (lines, expected) in rows {
        assert_eq!(told(lines), expected, "{lines:?}");
    }
}

#[test]
fn what_is_not_whole_is_refused() {
    let rows: [(&[&str], &str); 12] = [
        (&["OBX|1|TX|C||BP 120|80 today||||||F"], "OBX-5: the text is cut"),
        (&["OBX|1|FT|C||BP 120|80, pulse|60|||||F"], "OBX-5: the text is cut"),
        (&["OBX|1|ED|C||^application^pdf^Base64^||||||F"], "OBX-5: OBX-5 holds no data"),
        (&["OBX|1|TX|C||Seen.||||||F", "OBX|2|ED|C||Report||||||F"], "OBX[2]-5: OBX[2]-5 holds no data"),
        (&["OBX|1|ED|C||^application^pdf^Base64^JVBERi0xLj!||||||F"], "OBX-5: the document is not Base64"),
        (&["OBX|1|ED|C||^application^pdf^Hex^25504||||||F"], "OBX-5: the document is not hexadecimal"),
        // The first of two pieces was lost.
        (
            &["OBX|1|ED|C|2|^application^pdf^Base64^JSVFT0YK||||||F"],
            "OBX-5: a document is not whole: it is no beginning",
        ),
        // Cut where Base64 can be: nothing but the PDF itself says so.
        (
            &["OBX|1|ED|C||^application^pdf^Base64^JVBERi0xLjQK||||||F"],
            "OBX-5: a document is not whole: it is no end of a PDF",
        ),
        (
            &[
                "OBX|1|ED|C|1|^application^pdf^Base64^JVBERi0x||||||F",
                "OBX|2|ED|C|3|^application^pdf^Base64^LjQK||||||F",
            ],
            "OBX[2]-4: a document in pieces is not whole",
        ),
        (
            &[
                "OBX|1|ED|C|1|^application^pdf^Base64^JVBERi0x||||||F",
                "OBX|2|ED|C|2|^application^pdf^Base64^LjQK||||||F",
            ],
            "OBX[2]-5: a document in pieces is not whole: its last piece is no end of a PDF",
        ),
        (&["OBX|1|RP|C||link^app^application^pdf||||||F"], "OBX-5: the note is final, and OBX-5 only points at it"),
        (&["OBX|1|TX|C||||||||F"], "OBX-5: OBX-5 is empty"),
    ];
    for (lines, expected) in rows {
        let told = tell(&read(&report(lines), "{}"));
        assert!(told.starts_with(&format!("unreadable at {expected}")), "{lines:?}: {told}");
    }
}

#[test]
fn what_is_taken_back_is_left_out() {
    let lines = ["OBX|1|TX|C|1|Wrong.||||||D", "NTE|1||Wrong too.", "OBX|2|TX|C|2|Right.||||||F", "NTE|1||And this."];
    assert_eq!(told(&lines), ["text/plain; charset=utf-8: Right.\nAnd this."]);
    let wrong = tell(&read(&report(&["OBX|1|TX|C||Wrong.||||||W", "NTE|1||Wrong too."]), "{}"));
    assert_eq!(wrong, "note taken back [order P1 F1 | appointment  | patient  | document F1]");
}

#[test]
fn a_file_has_its_heading_and_its_name() {
    let file = "OBX|2|ED|ECHO^Echocardiogram^L||^application^pdf^Base64^JVBERi0xLjQlJUVPRg==||||||F";
    let titles = |body: &[u8]| documents(body).into_iter().map(|document| document.title).collect::<Vec<_>>();
    assert_eq!(titles(&report(&["OBX|1|TX|C^Note||Seen.||||||F", file])), ["", "Echocardiogram"]);
    let header = header("MDM^T02");
    let txa = "TXA|1|CN||||||||||D7||P1||note-77.pdf|LA";
    assert_eq!(titles(&message(&[&header, PID, txa, file])), ["note-77.pdf"]);
}

#[test]
fn a_comment_about_the_next_patient_is_in_no_others_note() {
    let other = [
        "OBX|1|TX|C||Seen.||||||F",
        "PID|2||13^^^MR1^MR||Lee^Bo",
        "NTE|1||About Bo.",
        OBR,
        "OBX|1|TX|C||Bo seen.||||||F",
    ];
    let texts: Vec<String> = notes(&report(&other)).iter().flat_map(|note| &note.documents).map(text).collect();
    assert_eq!(texts, ["Seen.", "Bo seen."]);
}

#[test]
fn three_letters_on_a_line_of_text_are_text() {
    let lines = ["OBX|1|TX|C||Done:\rEKG\rnormal||||||F"];
    assert_eq!(told(&lines), ["text/plain; charset=utf-8: Done:\nEKG\nnormal"]);
    let lines = [
        "OBX|1|ED|C||^text^plain^Base64^b25lIHR3\r\nb28||||||F",
        "OBX|2|ED|D||^text^plain^Base64^ZWlnaHQ\r\nWFN||||||F",
    ];
    assert_eq!(told(&lines).len(), 2);
}

#[test]
fn a_note_is_final_when_somebody_says_so_and_nobody_says_otherwise() {
    let rows: [(&str, &[&str], &str); 6] = [
        ("F", &["OBX|1|TX|C||Seen."], "final by"),
        ("F", &["OBX|1|TX|C||Seen.||||||P"], "preliminary by"),
        ("", &["OBX|1|TX|C||Seen.||||||F"], "final by"),
        ("", &["OBX|1|TX|C||Seen.||||||F", "OBX|2|TX|C||More."], "unreadable at OBR-25: "),
        ("", &["OBX|1|TX|C||Seen.||||||P", "OBX|2|TX|C||More."], "preliminary by"),
        ("", &["NTE|1||Seen."], "unreadable at OBR-25: "),
    ];
    for (status, lines, expected) in rows {
        let (header, obr) = (header("ORU^R01"), OBR.trim_end_matches('F').to_owned() + status);
        let told = tell(&read(&message(&[&[header.as_str(), PID, obr.as_str()], lines].concat()), "{}"));
        assert!(told.contains(expected), "{status} {lines:?}: {told}");
    }
}

#[test]
fn author_and_date_come_from_wherever_they_stand() {
    let rows = [
        ("OBX|1|TX|C||Seen.||||||F|||20270111|V^Valley Heart|9^Who^Doc", "by 9 / Doc Who / Valley Heart"),
        ("OBX|1|TX|C||Seen.||||||F|||20270111|V^Valley Heart", "by  /  / Valley Heart"),
    ];
    for (obx, expected) in rows {
        let (header, obr) = (header("ORU^R01"), OBR.replace("|20270112|", "||"));
        let told = tell(&read(&message(&[&header, PID, &obr, obx]), "{}"));
        assert!(told.contains(expected) && told.contains("visited 2027-01-11T05:00:00.000Z"), "{obx}: {told}");
    }
}

#[test]
fn base64_that_is_not_as_it_should_be_is_made_so() {
    let rows =
        [("b25lIHR3bw", "b25lIHR3bw=="), ("b25lIHR3bx==", "b25lIHR3bw=="), ("b25l\\.br\\IHR3bw==", "b25lIHR3bw==")];
    for (sent, expected) in rows {
        let notes = documents(&report(&[&format!("OBX|1|ED|C||^text^plain^Base64^{sent}||||||F")]));
        assert_eq!(notes[0].content, expected, "{sent}");
    }
    // Padding in the middle of a long text, where a check by chunks could overlook it.
    let long = format!("{}b25=b25l", "b25l".repeat(1_023));
    let told = tell(&read(&report(&[&format!("OBX|1|ED|C||^text^plain^Base64^{long}||||||F")]), "{}"));
    assert!(told.starts_with("unreadable at OBX-5: the document is not Base64"), "{told}");
    let whole = "b25l".repeat(5_000);
    assert_eq!(documents(&report(&[&format!("OBX|1|ED|C||^text^plain^Base64^{whole}||||||F")]))[0].content, whole);
}
