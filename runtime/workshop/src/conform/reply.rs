//! `reply`: an opt-out and an emergency are understood in every language of Handoff, an opt-out beats a yes, and what
//! is not plain is left to a person.

use handoff_host::contract::understanding::{Intent, Message, Question, Reading};
use handoff_host::{Answer, Call};

use super::Bench;
use super::turn::OTHER_FUNCTION;

/// The workflow's usual threshold: below it a person reads the reply.
const ACTED_UPON: u8 = 75;

/// 47 CFR 64.1200(a)(10): any reasonable wording ends the messages.
const OPT_OUTS: [(&str, &str); 12] = [
    ("en", "STOP"),
    ("en", "stop texting me"),
    ("en", "unsubscribe"),
    ("en", "Yes but please stop messaging me"),
    ("es", "ALTO"),
    ("es", "no me manden más mensajes"),
    ("es", "ya no quiero recibir mensajes"),
    ("zh", "停止"),
    ("zh", "不要再发短信给我"),
    ("vi", "DỪNG"),
    ("vi", "đừng nhắn tin cho tôi nữa"),
    ("vi", "ngừng gửi tin nhắn"),
];

const EMERGENCIES: [(&str, &str); 4] = [
    ("en", "I have chest pain and can't breathe"),
    ("es", "me duele el pecho y no puedo respirar"),
    ("zh", "我胸口痛，无法呼吸"),
    ("vi", "tôi đau ngực và không thở được"),
];

const YESES: [(&str, &str); 4] = [
    ("en", "yes, I have an appointment"),
    ("es", "sí, ya tengo cita"),
    ("zh", "已经预约了"),
    ("vi", "tôi đã đặt lịch hẹn rồi"),
];

const NOISE: [(&str, &str); 5] =
    [("en", "asdf qwer zxcv"), ("en", "🤷"), ("es", "…"), ("zh", "%%%%"), ("vi", "\u{200b}\u{202e}\u{0}")];

pub fn try_out(bench: &mut Bench) {
    let opts_out = |reading: &Reading| reading.intent == Intent::OptOut;
    let kept = OPT_OUTS.iter().try_for_each(|row| expect(bench, *row, opts_out));
    bench.note("understands an opt-out in English, Spanish, Chinese and Vietnamese, and above a yes", kept);
    let kept = EMERGENCIES.iter().try_for_each(|row| expect(bench, *row, |it| it.intent == Intent::Emergency));
    bench.note("understands an emergency in each language", kept);
    let scheduled = |reading: &Reading| matches!(reading.intent, Intent::Scheduled | Intent::Confirm);
    let kept = YESES.iter().try_for_each(|row| expect(bench, *row, scheduled));
    bench.note("understands that a visit is booked", kept);
    let abstains = |reading: &Reading| reading.intent == Intent::Unclear || reading.confidence < ACTED_UPON;
    let kept = NOISE.iter().try_for_each(|row| expect(bench, *row, abstains));
    bench.note("leaves what is not plain to a person", kept);
    let long = "ok ".repeat(20_000);
    let kept = read(bench, "en", &long).map(drop);
    bench.note("reads a very long reply", kept);
}

fn expect(bench: &Bench, (language, text): (&str, &str), fits: impl Fn(&Reading) -> bool) -> Result<(), String> {
    let reading = read(bench, language, text)?;
    match fits(&reading) {
        true => Ok(()),
        false => Err(format!("`{text}` ({language}): {:?} at {}", reading.intent, reading.confidence)),
    }
}

fn read(bench: &Bench, language: &str, text: &str) -> Result<Reading, String> {
    let message = Message {
        text: text.to_owned(),
        language: language.to_owned(),
        asked: Question::Schedule,
        received_at: 1_795_424_400_000,
    };
    match bench.ask(&Call::Understand { message, settings: bench.settings.clone() }) {
        Ok(Answer::Understand(Ok(reading))) => Ok(reading),
        Ok(Answer::Understand(Err(_))) => Err(format!("({language}) it failed at a reply")),
        Ok(_) => Err(OTHER_FUNCTION.into()),
        Err(fault) => Err(format!("({language}) it {}", fault.kind)),
    }
}
