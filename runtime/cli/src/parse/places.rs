//! The places of a message at which something stands, by the names that `map` in a trigger's settings knows them by, and the same
//! message with something else there.

mod hl7;
mod json;

use std::ops::Range;

/// A message, cut into its places.
pub(super) struct Places {
    content: Content,
    /// Where something stands.
    pub leaves: Vec<Leaf>,
    /// What belongs together, from the message down to fields and members: what a whole does not change, no part of it does.
    pub whole: Group,
}

pub(super) struct Leaf {
    /// `PID-3.1`, `extension[url=urn:x].valueCode`.
    pub place: String,
    pub text: String,
}

pub(super) struct Group {
    pub leaves: Range<usize>,
    pub groups: Vec<Group>,
}

enum Content {
    /// Where each leaf stands in the bytes, in order.
    Hl7 { bytes: Vec<u8>, ranges: Vec<Range<usize>> },
    /// By which members and elements each leaf is found.
    Json { document: serde_json::Value, pointers: Vec<String> },
}

impl Places {
    /// Nothing where the message is neither HL7 v2 nor JSON.
    pub fn of(body: &[u8]) -> Option<Places> {
        hl7::cut(body).or_else(|| json::cut(body))
    }

    /// The message with other texts at these leaves, which are in ascending order.
    pub fn with(&self, changes: &[(usize, String)]) -> Vec<u8> {
        match &self.content {
            Content::Hl7 { bytes, ranges } => {
                let (mut out, mut from) = (Vec::with_capacity(bytes.len()), 0);
                for (leaf, text) in changes {
                    let range = &ranges[*leaf];
                    out.extend_from_slice(&bytes[from..range.start]);
                    out.extend_from_slice(text.as_bytes());
                    from = range.end;
                }
                out.extend_from_slice(&bytes[from..]);
                out
            }
            Content::Json { document, pointers } => {
                let mut document = document.clone();
                for (leaf, text) in changes {
                    if let Some(value) = document.pointer_mut(&pointers[*leaf]) {
                        *value = json::like(value, text);
                    }
                }
                document.to_string().into_bytes()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    fn told(body: &str) -> Vec<String> {
        let places = Places::of(body.as_bytes()).expect("a message");
        places.leaves.iter().map(|leaf| format!("{} {}", leaf.place, leaf.text)).collect()
    }

    #[test]
    fn a_message_has_a_place_wherever_something_stands() {
        let message = "\x0bMSH|^~\\&|A|B\rPID|1||7^^^C&x^MR~8||Ng^Ann\nOBX|1|TX|REASON^x||one\rOBX|2|TX|Y||two\rtwo\rNTE|1||a\rNTE|2||b\r";
        let expected = [
            "MSH-3 A",
            "MSH-4 B",
            "PID-1 1",
            "PID-3(1).1 7",
            "PID-3(1).4.1 C",
            "PID-3(1).4.2 x",
            "PID-3(1).5 MR",
            "PID-3(2) 8",
            "PID-5.1 Ng",
            "PID-5.2 Ann",
            "OBX[OBX-3.1=REASON]-1 1",
            "OBX[OBX-3.1=REASON]-2 TX",
            "OBX[OBX-3.1=REASON]-3.1 REASON",
            "OBX[OBX-3.1=REASON]-3.2 x",
            "OBX[OBX-3.1=REASON]-5 one",
            "OBX[OBX-3.1=Y]-1 2",
            "OBX[OBX-3.1=Y]-2 TX",
            "OBX[OBX-3.1=Y]-3 Y",
            "OBX[OBX-3.1=Y]-5 two\rtwo",
            "NTE(1)-1 1",
            "NTE(1)-3 a",
            "NTE(2)-1 2",
            "NTE(2)-3 b",
        ];
        assert_eq!(told(message), expected);
        let places = Places::of(message.as_bytes()).expect("a message");
        assert_eq!(places.with(&[]), message.as_bytes());
        let other = places.with(&[(0, "Z".into()), (9, String::new())]);
        assert_eq!(other, message.replace("|A|", "|Z|").replace("Ng^Ann", "Ng^").into_bytes());
    }

    #[test]
    fn a_resource_has_a_place_wherever_something_stands() {
        let document = r#"{"resourceType":"ServiceRequest","extension":[{"url":"urn:x","valueCode":"U"},{"url":"urn:y","valueInteger":3}],
            "identifier":[{"system":"a","value":"1"},{"system":"a","value":"2"}],"note":[{"text":"t"}]}"#;
        let expected = [
            "resourceType ServiceRequest",
            "extension[url=urn:x].url urn:x",
            "extension[url=urn:x].valueCode U",
            "extension[url=urn:y].url urn:y",
            "extension[url=urn:y].valueInteger 3",
            "identifier[0].system a",
            "identifier[0].value 1",
            "identifier[1].system a",
            "identifier[1].value 2",
            "note.text t",
        ];
        assert_eq!(told(document), expected);
        let bundle = r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"p"}},{"fullUrl":"u","resource":
            {"resourceType":"Task","id":"t"}}]}"#;
        let expected = [
            "resourceType Bundle",
            "entry[0] Patient.resourceType Patient",
            "entry[0] Patient.id p",
            "entry[1].fullUrl u",
            "entry[1] Task.resourceType Task",
            "entry[1] Task.id t",
        ];
        assert_eq!(told(bundle), expected);
    }

    #[test]
    fn what_is_no_message_has_no_places() {
        for body in ["", "MSH", "MSH|", "hello", "[1, 2]", "{"] {
            assert!(Places::of(body.as_bytes()).is_none_or(|places| places.leaves.is_empty()), "{body}");
        }
    }
}
