//! What a folder of a site's own messages comes to, before any of them is sent here: how many of each type, what becomes of them,
//! what is refused and why, and what stands in them that nothing uses. Of a patient nothing: messages are named by their file and
//! control id, places by their path.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use handoff_host::contract::interpreter::{Meaning, Problem};
use serde_json::{Value, json};

use super::explanation::Explanation;
use super::facts::becomes;
use super::places::Places;
use super::reader::{Alone, Looks, Trigger, TriggerReader};

/// To find out what a message leaves over, the plugin is asked about each of its places: of each type, so many messages are.
const EXPLAINED_OF_A_KIND: usize = 20;

/// Messages that are named where something is told of many.
const NAMED_MAX: usize = 5;

#[derive(Default)]
pub(super) struct Survey {
    files: usize,
    kinds: BTreeMap<String, Kind>,
    refused: Refusals,
}

/// In the order in which they were first met.
#[derive(Default)]
struct Refusals(Vec<Refusal>);

impl Refusals {
    fn note(&mut self, kind: &str, problem: &Problem, message: &str) {
        match self.0.iter_mut().find(|it| it.kind == kind && it.problem == *problem) {
            Some(known) => known.messages.push(message.to_string()),
            None => self.0.push(Refusal {
                kind: kind.to_string(),
                problem: problem.clone(),
                messages: vec![message.to_string()],
            }),
        }
    }
}

/// One type of message: `REF^I12`.
#[derive(Default)]
struct Kind {
    messages: usize,
    becomes: BTreeMap<String, usize>,
    not_for_us: BTreeMap<String, usize>,
    refused: usize,
    /// How many were looked into, the places that told or decided something in any of them, and in how many each other stood.
    explained: usize,
    used: BTreeSet<String>,
    unused: BTreeMap<String, usize>,
}

struct Refusal {
    kind: String,
    problem: Problem,
    messages: Vec<String>,
}

/// One message of a file, and by what it is named.
struct Found {
    name: String,
    looks: Looks,
    body: Vec<u8>,
}

impl Survey {
    /// # Errors
    /// When the folder or a file in it cannot be read, or the plugin fails.
    pub fn of(folder: &Path, trigger: &Trigger) -> anyhow::Result<Survey> {
        let mut survey = Survey::default();
        let (mut hl7, mut json) = (None, None);
        for file in files(folder)? {
            survey.files += 1;
            let content = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            for found in messages(&content, &file) {
                let reader: &mut Option<TriggerReader> = match found.looks {
                    Looks::Hl7 => &mut hl7,
                    Looks::Json => &mut json,
                };
                if reader.is_none() {
                    *reader = Some(trigger.reader(found.looks)?);
                }
                if let Some(reader) = reader {
                    survey.take(reader, found)?;
                }
            }
        }
        Ok(survey)
    }

    fn take(&mut self, reader: &TriggerReader, found: Found) -> anyhow::Result<()> {
        let (whole, each) = reader.read_each(found.body)?;
        let kind = self.kinds.entry(whole.kind.clone()).or_default();
        kind.messages += 1;
        for Alone { body, reading: meant } in each {
            match &meant.meaning {
                Meaning::Events(events) => {
                    events.iter().for_each(|event| *kind.becomes.entry(becomes(event)).or_default() += 1);
                    if kind.explained < EXPLAINED_OF_A_KIND {
                        kind.explain(Explanation::of(reader, &body, &meant)?);
                    }
                }
                Meaning::NotForUs(why) => *kind.not_for_us.entry(why.clone()).or_default() += 1,
                Meaning::Unreadable(problem) => {
                    kind.refused += 1;
                    self.refused.note(&whole.kind, problem, &found.name);
                }
                // A part is not cut again.
                Meaning::Parts(_) => {}
            }
        }
        Ok(())
    }

    pub fn json(&self) -> Value {
        let kinds = self.kinds.iter().map(|(name, kind)| {
            let left_over: Vec<_> =
                kind.left_over().map(|(place, count)| json!({ "place": place, "messages": count })).collect();
            json!({
                "kind": name, "messages": kind.messages, "becomes": kind.becomes, "not_for_us": kind.not_for_us,
                "refused": kind.refused, "explained": kind.explained, "left_over": left_over,
            })
        });
        let refused = self.refused.0.iter().map(|Refusal { kind, problem, messages }| {
            json!({
                "kind": kind, "location": problem.location, "message": problem.message, "help": problem.help,
                "count": messages.len(), "messages": messages,
            })
        });
        json!({
            "files": self.files, "messages": self.messages(),
            "kinds": kinds.collect::<Vec<_>>(), "refused": refused.collect::<Vec<_>>(),
        })
    }

    pub fn print(&self) -> anyhow::Result<()> {
        say!("{} messages in {} files", self.messages(), self.files);
        for (name, kind) in &self.kinds {
            say!("\n{name}: {}", kind.messages);
            kind.becomes.iter().try_for_each(|(what, count)| -> anyhow::Result<()> {
                say!("  {count:5}  {what}");
                Ok(())
            })?;
            for (why, count) in &kind.not_for_us {
                say!("  {count:5}  not for us: {why}");
            }
            if kind.refused > 0 {
                say!("  {:5}  refused", kind.refused);
            }
            let left_over: Vec<_> = kind.left_over().map(|(place, count)| format!("{place} ({count})")).collect();
            if !left_over.is_empty() {
                say!("  left over in {} that were looked into:\n    {}", kind.explained, left_over.join(", "));
            }
        }
        if !self.refused.0.is_empty() {
            say!("\nrefused:");
        }
        for Refusal { kind, problem, messages } in &self.refused.0 {
            let named = messages.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
            let more = if messages.len() > NAMED_MAX { ", …" } else { "" };
            say!("  {:5}  {kind}, at {}: {}", messages.len(), problem.location, problem.message);
            say!("         help: {}\n         {named}{more}", problem.help);
        }
        Ok(())
    }

    fn messages(&self) -> usize {
        self.kinds.values().map(|kind| kind.messages).sum()
    }
}

impl Kind {
    fn explain(&mut self, explanation: Explanation) {
        self.explained += 1;
        let told = explanation.told.into_iter().flat_map(|(_, places)| places);
        self.used.extend(told.chain(explanation.deciding).map(|place| general(&place)));
        let unused: BTreeSet<String> = explanation.unused.iter().map(|place| general(place)).collect();
        unused.into_iter().for_each(|place| *self.unused.entry(place).or_default() += 1);
    }

    /// What stood somewhere and was used nowhere, the site's own segments first: they are what nobody else would know.
    fn left_over(&self) -> impl Iterator<Item = (&String, usize)> {
        let mut left: Vec<_> = self.unused.iter().filter(|(place, _)| !self.used.contains(*place)).collect();
        left.sort_by_key(|(place, _)| (!place.starts_with('Z'), *place));
        left.into_iter().map(|(place, count)| (place, *count))
    }
}

/// The same place in every message, without which repetition or element it was.
fn general(place: &str) -> String {
    let (mut out, mut rest) = (String::new(), place);
    while let Some(open) = rest.find(['(', '[']) {
        let close = if rest[open..].starts_with('(') { ')' } else { ']' };
        let Some(length) = rest[open..].find(close) else { break };
        let inside = &rest[open + 1..open + length];
        out.push_str(&rest[..open]);
        if !inside.bytes().all(|byte| byte.is_ascii_digit()) {
            out.push_str(&rest[open..=open + length]);
        }
        rest = &rest[open + length + 1..];
    }
    out + rest
}

/// By name. Hidden ones are no messages.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unreadable = || format!("cannot read {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        let is_hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if path.is_file() && !is_hidden {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A file has one message, or several: HL7 one after the other, as engines write them, or JSON line by line.
fn messages(content: &[u8], file: &Path) -> Vec<Found> {
    let looks = Looks::of(content, file);
    let bodies = match looks {
        Looks::Hl7 => hl7_messages(content),
        Looks::Json => json_messages(content),
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let several = bodies.len() > 1;
    let named = (1..).zip(bodies).map(|(number, body)| {
        let name = if several { format!("{name} no. {number}") } else { name.clone() };
        let name = control_id(&body).map_or(name.clone(), |id| format!("{name} ({id})"));
        Found { name, looks, body }
    });
    named.collect()
}

/// Each begins with MSH; the frames of MLLP and the envelopes of a batch file stand between them.
fn hl7_messages(content: &[u8]) -> Vec<Vec<u8>> {
    let is_envelope = |line: &[u8]| [b"FHS", b"BHS", b"BTS", b"FTS"].iter().any(|name| line.starts_with(*name));
    let mut messages: Vec<Vec<u8>> = Vec::new();
    for line in content.split_inclusive(|byte| b"\r\n".contains(byte)) {
        let bare: &[u8] = line.trim_ascii_start().strip_prefix(b"\x0B").unwrap_or(line.trim_ascii_start());
        let bare = bare.strip_prefix(b"\x1C").unwrap_or(bare);
        match messages.last_mut() {
            _ if bare.starts_with(b"MSH") => messages.push(bare.to_vec()),
            _ if is_envelope(bare) => {}
            Some(message) => message.extend_from_slice(line),
            None if bare.is_empty() => {}
            None => messages.push(line.to_vec()),
        }
    }
    messages
}

fn json_messages(content: &[u8]) -> Vec<Vec<u8>> {
    if serde_json::from_slice::<Value>(content).is_ok() {
        return vec![content.to_vec()];
    }
    let lines: Vec<_> = content.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let each = lines.len() > 1 && lines.iter().all(|line| serde_json::from_slice::<Value>(line).is_ok());
    if each { lines.into_iter().map(<[u8]>::to_vec).collect() } else { vec![content.to_vec()] }
}

/// MSH-10. What else stands there might be anything, and is not repeated.
fn control_id(body: &[u8]) -> Option<String> {
    let places = Places::of(body)?;
    let id = places.leaves.into_iter().find(|leaf| leaf.place == "MSH-10")?.text;
    let is_id = id.len() <= 40 && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c));
    is_id.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::{general, hl7_messages, json_messages};

    #[test]
    fn a_file_is_cut_into_its_messages() {
        let one = "MSH|^~\\&|A\rPID|1\r";
        let rows = [
            (one.to_string(), 1),
            (format!("{one}{one}"), 2),
            (format!("\x0b{one}\x1c\r\x0b{one}\x1c\r"), 2),
            (format!("FHS|^~\\&\rBHS|^~\\&\r{one}{}BTS|2\rFTS|1\r", one.replace('\r', "\n")), 2),
            ("no message\n".to_string(), 1),
            (String::new(), 0),
        ];
        for (content, count) in rows {
            assert_eq!(hl7_messages(content.as_bytes()).len(), count, "{content:?}");
        }
        assert_eq!(json_messages(b"{\"a\":\n1}").len(), 1);
        assert_eq!(json_messages(b"{\"a\":1}\n\n{\"b\":2}\n").len(), 2);
        assert_eq!(json_messages(b"{\"a\":").len(), 1);
    }

    #[test]
    fn a_place_is_the_same_in_every_message() {
        let rows = [
            ("PID-3(2).1", "PID-3.1"),
            ("NTE(2)-3", "NTE-3"),
            ("OBX[OBX-3.1=REASON]-5", "OBX[OBX-3.1=REASON]-5"),
            ("extension[url=urn:x(1)].extension[0].valueCode", "extension[url=urn:x(1)].extension.valueCode"),
            ("ZRF-2", "ZRF-2"),
            ("a[b", "a[b"),
        ];
        for (place, expected) in rows {
            assert_eq!(general(place), expected);
        }
    }
}
