//! `outreach`: the patient's number and words pass through untouched, a vendor that wants to be left alone is, a letter
//! in doubt can be found again or not be sent twice, and nobody's callback is believed unsigned.

use handoff_host::contract::carrier::{Callback, InboundEvent, Letter};
use handoff_host::contract::exchange::Ask;
use handoff_host::contract::types::Failure;
use handoff_host::{Answer, Call};

use super::Bench;
use super::turn::{self, OTHER_FUNCTION, asks, said, texts};
use crate::begin::starter::letter;

/// What breaks a form, a JSON string, a URL and a mail header that is put together by hand.
const ODD: &str = "It's \"ok\" & 100 % <b>\\n</b>; já, 您好, 👍 +1 ZPHIG00C00000000000000000000000002\n.\nBcc: x";

pub fn try_out(bench: &mut Bench) {
    let plain = ordinary(bench);
    let opening = compose(bench, &plain);
    let conversation = turn::converse(bench, &opening);
    let asked = asks(bench, &opening);
    bench.note("asks its vendor to carry an ordinary letter", asked.clone().map(drop));
    let Ok(asked) = asked else { return };
    let kept = carries(&asked, &plain);
    bench.note("puts the address and the text where the host can fill them in", kept);
    let odd = Letter { text: ODD.to_owned(), ..plain.clone() };
    let kept = asks(bench, &compose(bench, &odd)).and_then(|ask| carries(&ask, &odd));
    bench.note("leaves every character of a text as it is", kept);
    match conversation {
        // What a success without a word in it means is the vendor's affair.
        Ok(conversation) => turn::try_out(bench, &conversation, &opening, |_, _| false),
        Err(why) => bench.note("goes on from each of its vendor's answers", Err(why)),
    }
    let kept = finds_again(bench, &plain);
    bench.note("finds a letter in doubt again, or says `no-lookup`", kept);
    let kept = believes_nobody(bench);
    bench.note("believes no callback that is not signed", kept);
    let kept = passes_on(bench);
    bench.note("passes replies on as they came: STOP and HELP are Handoff's to read", kept);
}

/// The author's own, for a vendor's plugin carries one channel; the starter's where none of theirs is carried.
fn ordinary(bench: &Bench) -> Letter {
    let mut own = bench.calls.iter().filter_map(|call| {
        let Call::Compose { letter, .. } = call else { return None };
        Some(letter.clone())
    });
    own.find(|letter| asks(bench, &compose(bench, letter)).is_ok()).unwrap_or_else(letter)
}

fn compose(bench: &Bench, letter: &Letter) -> Call {
    Call::Compose { letter: letter.clone(), settings: bench.settings.clone() }
}

fn carries(ask: &Ask, letter: &Letter) -> Result<(), String> {
    let texts = texts(ask);
    let has = |wanted: &str| texts.iter().any(|text| text.contains(wanted));
    match (has(&letter.to), has(&letter.text)) {
        (true, true) => Ok(()),
        (false, _) => Err("the address token is not in the request".into()),
        (_, false) => Err("the text is not in the request as it was given".into()),
    }
}

fn finds_again(bench: &Bench, letter: &Letter) -> Result<(), String> {
    match turn::turn(bench, &Call::Lookup { letter: letter.clone(), settings: bench.settings.clone() })? {
        Ok(_) => Ok(()),
        Err(Failure::Refused(refusal)) if refusal.code == "no-lookup" => Ok(()),
        Err(failure) => Err(said(&failure)),
    }
}

fn believes_nobody(bench: &Bench) -> Result<(), String> {
    let callback = Callback { headers: vec![], fields: vec![], received_at: 0 };
    let call = Call::AuthenticateCallback { callback, settings: bench.settings.clone() };
    let Answer::AuthenticateCallback(checks) = bench.answer(&call)? else { return Err(OTHER_FUNCTION.into()) };
    // The host refuses an empty list, and a signature that is not there.
    let refused = checks.is_empty() || checks.iter().any(|check| check.signature.is_empty());
    if refused { Ok(()) } else { Err("a callback without any header has a signature to check".into()) }
}

/// Only the author knows what the vendor's callbacks look like: the promise is tried on the cases.
fn passes_on(bench: &Bench) -> Result<(), String> {
    for call in bench.calls {
        let Call::Receive { callback, .. } = call else { continue };
        let Ok(Answer::Receive(Ok(inbound))) = bench.ask(call) else { continue };
        for event in inbound.events {
            let InboundEvent::Reply(reply) = event else { continue };
            let is_field = |text: &str| callback.fields.iter().any(|field| field.value == text);
            if !is_field(&reply.text) || !is_field(&reply.from) {
                return Err("a reply's words or address are none of the callback's fields".into());
            }
        }
    }
    Ok(())
}
