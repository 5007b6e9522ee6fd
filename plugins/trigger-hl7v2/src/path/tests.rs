use proptest::prelude::*;

use super::Path;
use crate::message::Message;

const MESSAGE: &str = "MSH|^~\\&|A|B\rPID|1||77^^^MR1^MR~A\\T\\9^^^SS1^SS\rPV1||||||||1^One~2^T\\S\\wo&x\rNTE|1||line one\r\
OBX|1|CE|REASON^Reason||R1^Pain\rOBX|2|CE|REFREASON^^L||R2^Ache&sub~R3^Burn\rOBX|3|TX|REFREASON||\"\"\rZRF|x|\"\"|U^Urgent| \r\
ZRF|y|S";

fn found(path: &str) -> String {
    let message = Message::parse(MESSAGE.as_bytes()).map_err(|_| ()).expect("the message is HL7");
    let path = Path::parse(path).expect("the path is one");
    path.find(message.segments()).iter().map(|value| value.line()).collect::<Vec<_>>().join(" | ")
}

#[test]
fn each_path_finds_what_stands_there() {
    let rows = [
        ("ZRF-1", "x | y"),
        ("ZRF(2)-2", "S"),
        // Null and blank are nothing; the next segment says something.
        ("ZRF-2", "S"),
        ("ZRF-3.1", "U"),
        ("ZRF-3.2", "Urgent"),
        ("ZRF-4", ""),
        ("ZRF-40.2.1", ""),
        ("PV1-8(2).1", "2"),
        ("PV1-8(2).2.1", "T^wo"),
        ("PV1-8(2).2.2", "x"),
        ("PV1-8(3).1", ""),
        ("PV1-8.1", "1 | 2"),
        ("OBX[OBX-3.1=REFREASON]-5.1", "R2 | R3"),
        ("OBX[3=refreason]-5(2).2", "Burn"),
        ("OBX[OBX-3.1=REFREASON](1)-5.2.2", "sub"),
        ("OBX[OBX-3.1=REFREASON][OBX-3.3=L]-5(1).1", "R2"),
        ("OBX[OBX-3.1=NONE]-5", ""),
        ("PID-3[5=MR].1", "77"),
        ("PID-3[4.1='SS1'].1", "A&9"),
        ("NTE-3", "line one"),
        ("MSH-3", "A"),
    ];
    for (path, expected) in rows {
        assert_eq!(found(path), expected, "{path}");
    }
}

#[test]
fn what_is_no_path_is_told_with_its_place() {
    let rows = [
        ("", 1, "HL7 has no such segment"),
        ("PVI-8", 1, "HL7 has no such segment"),
        ("pv1-8", 1, "HL7 has no such segment"),
        ("PV-8", 1, "HL7 has no such segment"),
        ("PV1", 4, "`-` is missing"),
        ("PV1.8", 4, "`-` is missing"),
        ("PV1-", 5, "a number from 1 to 999 is missing"),
        ("PV1-0", 5, "a number from 1 to 999 is missing"),
        ("PV1-1000", 5, "a number from 1 to 999 is missing"),
        ("PV1-8(0)", 7, "a number from 1 to 999 is missing"),
        ("PV1-8(2", 8, "`)` is missing"),
        ("PV1-8.1.2.3", 10, "the path goes on after its end"),
        ("OBX[PID-3=1]-5", 5, "this is another segment's field"),
        ("OBX[3.1]-5", 8, "`=` is missing"),
        ("OBX[3.1=]-5", 9, "nothing is looked for"),
        ("OBX[3.1='a]-5", 10, "a quote is not closed"),
        ("OBX[3.1=é", 10, "`]` is missing"),
    ];
    for (path, at, message) in rows {
        let fault = Path::parse(path).expect_err(path);
        assert_eq!((fault.at, fault.message.as_str()), (at, message), "{path}");
        assert!(!fault.help.is_empty(), "{path}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_path_or_a_fault_within_it(text in "(PID|OBX|ZZZ|pv1)?[-.()\\[\\]='0-9A-Zé~ ]{0,24}") {
        if let Err(fault) = Path::parse(&text) {
            prop_assert!(fault.at <= text.chars().count() + 1 && !fault.help.is_empty());
        }
    }

    #[test]
    fn any_path_finds_something_or_nothing_in_any_message(
        path in "(OBX|ZRF|PID)(\\(1\\)|\\[[1-5]=[A-Z]{1,2}\\])?-[1-9](\\([1-3]\\)|\\[[1-5]=M\\])?(\\.[1-9](\\.[1-9])?)?",
        lines in prop::collection::vec("(OBX|ZRF|PID)([|~&^\\\\\"][A-Z0-9]{0,3}){0,20}\r", 0..6),
    ) {
        let message = format!("MSH|^~\\&|A|B\r{}", lines.concat());
        let message = Message::parse(message.as_bytes()).map_err(|_| ()).expect("it begins with MSH");
        let path = Path::parse(&path).expect("the path is one");
        prop_assert_eq!(Path::parse(&path.to_string()), Ok(path.clone()));
        for value in path.find(message.segments()) {
            prop_assert!(!value.line().is_empty() && !value.is_null());
        }
    }
}
