//! Takes patient data out of what a vendor answered: every text that was not granted in clear becomes a token.

use handoff_engine::ids::PatientId;
use serde_json::Value;

use crate::Sealing;
use crate::substitute::Placed;

/// What responses are sealed as, wherever in them a value stood: the same value is the same token in all of them.
const SEALED_AS: &str = "response";

/// Nothing in MSA-1 and MSA-2 (acknowledgement code, message control id) is a patient's; MSA-3 is free text.
const MSA_CLEAR_FIELDS: usize = 2;

/// ERR-1 to ERR-5 are locations, codes and a severity; from ERR-6 on a sender quotes what it likes.
const ERR_CLEAR_FIELDS: usize = 5;

/// Paths that may be read in clear: `entry[].resource.status`.
#[derive(Clone, Debug, Default)]
pub struct Reveal(Vec<Vec<Step>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Each,
}

impl Reveal {
    pub fn new(paths: &[String]) -> Reveal {
        Reveal(paths.iter().map(|path| steps(path)).collect())
    }

    fn paths(&self) -> Vec<&[Step]> {
        self.0.iter().map(Vec::as_slice).collect()
    }
}

/// What is left of the paths that lead on by such a step.
fn beyond<'p>(paths: &[&'p [Step]], leads_on: impl Fn(&Step) -> bool) -> Vec<&'p [Step]> {
    let rest = |path: &&'p [Step]| path.split_first().filter(|(step, _)| leads_on(step)).map(|(_, rest)| rest);
    paths.iter().filter_map(rest).collect()
}

fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let name = part.trim_end_matches("[]");
        if !name.is_empty() {
            steps.push(Step::Member(name.to_string()));
        }
        steps.extend(std::iter::repeat_n(Step::Each, (part.len() - name.len()) / 2));
    }
    steps
}

/// Turns one response into what its stage may see.
pub struct Tokeniser<'t, 'v> {
    pub patient: &'t PatientId,
    pub sealing: &'t mut Sealing<'v>,
    /// What the request carried: recognised even where a text is granted in clear.
    pub placed: &'t Placed,
}

impl Tokeniser<'_, '_> {
    /// A body by its media type: JSON member by member, any other text as one token, nothing for what is not text.
    pub fn body(&mut self, content_type: &str, body: &[u8], reveal: &Reveal) -> String {
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let json = media_type == "application/json" || media_type.ends_with("+json");
        let value = json.then(|| serde_json::from_slice::<Value>(body).ok()).flatten();
        match value {
            Some(mut value) => {
                self.walk(&mut value, &reveal.paths());
                value.to_string()
            }
            None => std::str::from_utf8(body).map(|text| self.text(text)).unwrap_or_default(),
        }
    }

    /// A whole text as one token; nothing stays nothing.
    pub fn text(&mut self, text: &str) -> String {
        match text.is_empty() {
            true => String::new(),
            false => self.sealing.seal(self.patient, SEALED_AS, text).0,
        }
    }

    /// An HL7 v2 acknowledgement (2.5.1, 2.9): MSH, MSA and ERR, their free texts as tokens. Whatever else came along,
    /// such as the answer to a query, is not an acknowledgement and is left out.
    pub fn acknowledgement(&mut self, message: &str) -> String {
        let message = message.trim_start_matches('\u{feff}');
        let Some(separator) = message.strip_prefix("MSH").and_then(|rest| rest.chars().next()) else {
            return self.text(message);
        };
        let mut segments = Vec::new();
        for segment in message.split(['\r', '\n']) {
            let clear = match segment.split(separator).next() {
                Some("MSH") => usize::MAX,
                Some("MSA") => MSA_CLEAR_FIELDS,
                Some("ERR") => ERR_CLEAR_FIELDS,
                Some(_) | None => continue,
            };
            let fields = segment.split(separator).enumerate();
            let fields = fields.map(|(at, field)| if at <= clear { field.to_string() } else { self.text(field) });
            segments.push(fields.collect::<Vec<_>>().join(&separator.to_string()));
        }
        segments.iter().map(|segment| format!("{segment}\r")).collect()
    }

    /// `granted` lead from here to what may be read in clear.
    fn walk(&mut self, value: &mut Value, granted: &[&[Step]]) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) if granted.iter().any(|path| path.is_empty()) => *text = self.placed.mask(text),
            Value::String(text) => *text = self.text(text),
            Value::Array(members) => {
                let granted = beyond(granted, |step| *step == Step::Each);
                members.iter_mut().for_each(|member| self.walk(member, &granted));
            }
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    self.walk(member, &beyond(granted, |step| matches!(step, Step::Member(it) if it == name)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use handoff_engine::ids::Token;

    use super::*;
    use crate::testing::vault;
    use crate::{MemoryLookup, token};

    /// What the stage sees, each token written as `<its value>`.
    fn seen(work: impl FnOnce(&mut Tokeniser<'_, '_>) -> String) -> String {
        let dir = tempfile::tempdir().expect("a directory");
        let (vault, index) = (vault(dir.path()), MemoryLookup::default());
        let patient = vault.patient_id("MAIN", "1");
        let mut sealing = vault.sealing(&index);
        let mut tokeniser = Tokeniser { patient: &patient, sealing: &mut sealing, placed: &Placed::default() };
        let text = work(&mut tokeniser);
        let mut shown = String::new();
        let mut from = 0;
        for range in token::find(&text) {
            let clear = sealing.reveal(&Token(text[range.clone()].to_string())).expect("sealed here");
            shown += &format!("{}<{}>", &text[from..range.start], clear.as_str());
            from = range.end;
        }
        shown + &text[from..]
    }

    #[test]
    fn json_is_clear_only_where_it_was_granted() {
        let bundle = r#"{"resourceType":"Bundle","total":1,"entry":[{"resource":{"status":"booked","id":"7","minutesDuration":30,
            "active":true,"text":null,"name":[{"family":"Cruz","given":["Ana","B"]}]}}],"a.b":"x","a":{"b":"y"}}"#;
        for (reveal, expected) in [
            (
                &["resourceType", "entry[].resource.status", "a.b"][..],
                r#"{"resourceType":"Bundle","total":1,"entry":[{"resource":{"status":"booked","id":"<7>","minutesDuration":30,"active":true,"text":null,"name":[{"family":"<Cruz>","given":["<Ana>","<B>"]}]}}],"a.b":"<x>","a":{"b":"y"}}"#,
            ),
            (
                &["entry.resource.status", "entry[].resource.name[].given[]", "status"],
                r#"{"resourceType":"<Bundle>","total":1,"entry":[{"resource":{"status":"<booked>","id":"<7>","minutesDuration":30,"active":true,"text":null,"name":[{"family":"<Cruz>","given":["Ana","B"]}]}}],"a.b":"<x>","a":{"b":"<y>"}}"#,
            ),
        ] {
            let reveal = Reveal::new(&reveal.iter().map(ToString::to_string).collect::<Vec<_>>());
            let shown = seen(|tokeniser| tokeniser.body("application/fhir+json", bundle.as_bytes(), &reveal));
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn other_bodies_are_one_token_or_nothing() {
        let all = Reveal::new(&[String::new(), "[]".into()]);
        for (content_type, body, expected) in [
            ("application/json", &br#"["a",1]"#[..], r#"["a",1]"#),
            ("application/json", b"\"Ana\"", "\"Ana\""),
            ("application/json", b"[1111111111111111111111,0.1,-7]", "[1.1111111111111111e+21,0.1,-7]"),
            ("application/json; charset=utf-8", b"not json: Ana", "<not json: Ana>"),
            ("text/html", b"<p>Ana</p>", "<<p>Ana</p>>"),
            ("", b"Ana", "<Ana>"),
            ("application/json", b"", ""),
            ("image/png", b"\x89PNG\r\n\xFF", ""),
        ] {
            assert_eq!(seen(|tokeniser| tokeniser.body(content_type, body, &all)), expected);
        }
        assert_eq!(seen(|tokeniser| tokeniser.body("application/json", b"\"Ana\"", &Reveal::default())), "\"<Ana>\"");
    }

    #[test]
    fn an_acknowledgement_keeps_its_codes_and_loses_its_words() {
        for (message, expected) in [
            (
                "MSH|^~\\&|EHR|MAIN|HANDOFF||2026||ACK|9|P|2.5.1\rMSA|AE|42|Ana Cruz unknown\rERR||PID^1^3|204^Unknown key^HL70357|E|||Ana Cruz\r",
                "MSH|^~\\&|EHR|MAIN|HANDOFF||2026||ACK|9|P|2.5.1\rMSA|AE|42|<Ana Cruz unknown>\rERR||PID^1^3|204^Unknown key^HL70357|E|||<Ana Cruz>\r",
            ),
            ("\u{feff}MSH#^~\\&#A\nMSA#AA#1\nPID#1##7^^^M\n", "MSH#^~\\&#A\rMSA#AA#1\r"),
            ("Ana Cruz", "<Ana Cruz>"),
            ("", ""),
        ] {
            assert_eq!(seen(|tokeniser| tokeniser.acknowledgement(message)), expected);
        }
    }
}
