//! `templates:`: languages, inline or from a folder of one file per language.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::Files;
use super::letters::LetterRule;
use super::node::{At, Node, NodeKind};
use super::reader::{Block, WorkflowReader};
use crate::problem::{Code, did_you_mean};
use crate::referral::Channel;
use crate::template::{
    ClockStyle, Language, LetterTexts, LocalCalendar, MailText, Template, TemplatePlace, Translation, Words,
};

const LANGUAGE_KEYS: &[&str] = &["language", "translation", "words", "calendar", "specialties", "letters"];
const TRANSLATION_KEYS: &[&str] = &["translator", "reviewed_on"];
const WORD_KEYS: &[&str] = &["specialist", "specialty", "yes", "help", "stop"];
const CALENDAR_KEYS: &[&str] = &["weekdays", "months", "date", "am", "pm"];
const MAIL_KEYS: &[&str] = &["subject", "text"];

pub(super) fn read(
    reader: &mut WorkflowReader,
    node: Option<&Node>,
    letters: &BTreeMap<String, LetterRule>,
    files: &Files,
) -> BTreeMap<String, Language> {
    match node {
        None => BTreeMap::new(),
        Some(node) => match &node.kind {
            NodeKind::Text(folder) => read_folder(reader, node.at, folder, letters, files),
            NodeKind::Nothing | NodeKind::Bool(_) | NodeKind::Number(_) | NodeKind::List(_) | NodeKind::Map(_) => {
                let entries = reader.entries("templates", node);
                let languages =
                    entries.into_iter().map(|(key, node)| read_language(reader, Some(&key.name), node, letters));
                languages.flatten().map(|language| (language.tag.clone(), language)).collect()
            }
        },
    }
}

fn read_folder(
    reader: &mut WorkflowReader,
    at: At,
    folder: &str,
    letters: &BTreeMap<String, LetterRule>,
    files: &Files,
) -> BTreeMap<String, Language> {
    let prefix = format!("{}/", folder.trim_end_matches('/'));
    let mut languages = BTreeMap::new();
    let mut found = false;
    for (path, text) in files.iter().filter(|(path, _)| path.starts_with(&prefix) && path.ends_with(".yaml")) {
        found = true;
        match Node::parse(path, text) {
            Ok(tree) => {
                let mut within = WorkflowReader::new(path);
                let language = read_language(&mut within, None, &tree, letters);
                reader.problems.append(&mut within.problems);
                languages.extend(language.map(|language| (language.tag.clone(), language)));
            }
            Err(problem) => reader.problems.push(problem),
        }
    }
    if !found {
        let message = format!("there are no templates in `{folder}`");
        reader.report(at, Code::MISSING_TEMPLATE, message, format!("add `{prefix}en.yaml`"));
    }
    languages
}

fn read_language(
    reader: &mut WorkflowReader,
    tag: Option<&str>,
    node: &Node,
    letters: &BTreeMap<String, LetterRule>,
) -> Option<Language> {
    let block = reader.block("the language", node, LANGUAGE_KEYS);
    let tag = match tag {
        Some(tag) => Some(tag.to_string()),
        None => block.required_text(reader, "language"),
    };
    let translation = block.get("translation").and_then(|node| read_translation(reader, node));
    let words = block.required(reader, "words").map(|node| read_words(reader, node)).unwrap_or_default();
    let calendar = block.required(reader, "calendar").and_then(|node| read_calendar(reader, node));
    let mut specialties = BTreeMap::new();
    if let Some(node) = block.get("specialties") {
        for (key, node) in reader.entries("specialties", node) {
            if let Some(text) = reader.text(&key.name, node) {
                specialties.insert(key.name.to_lowercase(), text);
            }
        }
    }
    let mut texts = BTreeMap::new();
    if let Some(node) = block.required(reader, "letters") {
        for (key, node) in reader.entries("letters", node) {
            if !letters.contains_key(&key.name) {
                let help = did_you_mean(&key.name, letters.keys().map(String::as_str));
                let message = format!("the workflow has no letter `{}`", key.name);
                reader.report(key.at, Code::UNKNOWN_LETTER, message, help);
            }
            texts.insert(key.name.clone(), read_texts(reader, &key.name, node));
        }
    }
    Some(Language { tag: tag?, translation, words, calendar: calendar?, specialties, letters: texts })
}

fn read_translation(reader: &mut WorkflowReader, node: &Node) -> Option<Translation> {
    let block = reader.block("translation", node, TRANSLATION_KEYS);
    let translator = block.required_text(reader, "translator");
    let reviewed_on = block.required(reader, "reviewed_on").and_then(|node| {
        let text = reader.text("reviewed_on", node)?;
        let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
        if date.is_none() {
            let message = format!("`{text}` is no date");
            reader.report(node.at, Code::BAD_VALUE, message, "write dates as `2026-12-25`");
        }
        date
    });
    Some(Translation { translator: translator?, reviewed_on: reviewed_on? })
}

fn read_words(reader: &mut WorkflowReader, node: &Node) -> Words {
    let block = reader.block("words", node, WORD_KEYS);
    let mut word = |key: &str| block.required_text(reader, key).unwrap_or_default();
    Words {
        specialist: word("specialist"),
        specialty: word("specialty"),
        yes: word("yes"),
        help: word("help"),
        stop: word("stop"),
    }
}

fn read_calendar(reader: &mut WorkflowReader, node: &Node) -> Option<LocalCalendar> {
    let block = reader.block("calendar", node, CALENDAR_KEYS);
    let weekdays = words_of::<7>(reader, &block, "weekdays");
    let months = words_of::<12>(reader, &block, "months");
    let date = block.required_text(reader, "date");
    let clock = match (block.text(reader, "am"), block.text(reader, "pm")) {
        (Some(am), Some(pm)) => ClockStyle::Hours12 { am, pm },
        (None, None) => ClockStyle::Hours24,
        (Some(_), None) | (None, Some(_)) => {
            let help = "write both for a 12-hour clock, neither for a 24-hour clock";
            reader.report(block.at, Code::MISSING_KEY, "`am` and `pm` go together", help);
            ClockStyle::Hours24
        }
    };
    Some(LocalCalendar { weekdays: weekdays?, months: months?, date: date?, clock })
}

fn words_of<const N: usize>(reader: &mut WorkflowReader, block: &Block<'_>, key: &str) -> Option<[String; N]> {
    let node = block.required(reader, key)?;
    let words = reader.texts(key, node);
    let count = words.len();
    let words = <[String; N]>::try_from(words).ok();
    if words.is_none() {
        let message = format!("`{key}` has {count} words instead of {N}");
        reader.report(node.at, Code::BAD_VALUE, message, format!("list all {N}, Monday or January first"));
    }
    words
}

fn read_texts(reader: &mut WorkflowReader, name: &str, node: &Node) -> LetterTexts {
    let block = reader.block(name, node, Channel::WORDS);
    let [sms, email, portal] = [Channel::Sms, Channel::Email, Channel::Portal].map(Channel::as_str);
    let sms = block.get(sms).and_then(|node| read_template(reader, sms, node));
    let email = block.get(email).and_then(|node| read_mail(reader, email, node));
    let portal = block.get(portal).and_then(|node| read_mail(reader, portal, node));
    LetterTexts { sms, email, portal }
}

fn read_mail(reader: &mut WorkflowReader, what: &str, node: &Node) -> Option<MailText> {
    let block = reader.block(what, node, MAIL_KEYS);
    let subject = block.required(reader, "subject").and_then(|node| read_template(reader, "subject", node));
    let text = block.required(reader, "text").and_then(|node| read_template(reader, "text", node));
    Some(MailText { subject: subject?, text: text? })
}

fn read_template(reader: &mut WorkflowReader, what: &str, node: &Node) -> Option<Template> {
    let text = reader.text(what, node)?;
    compile(reader, node.at, &text, TemplatePlace::Letter)
}

pub(super) fn compile(reader: &mut WorkflowReader, at: At, text: &str, place: TemplatePlace) -> Option<Template> {
    match Template::compile(text, place) {
        Ok(template) => Some(template),
        Err(fault) => {
            reader.report(at, Code::UNKNOWN_PLACEHOLDER, fault.to_string(), fault.help());
            None
        }
    }
}
