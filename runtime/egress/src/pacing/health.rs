//! What the end of an exchange says about its endpoint, whatever it says about the letter.

use chrono::{DateTime, TimeDelta, Utc};
use handoff_host::contract::exchange::{HttpResponse, Response};

use crate::egress::Performed;

/// A longer Retry-After is no plan but a mistake.
const PAUSE_MAX: TimeDelta = TimeDelta::days(1);

/// RFC 5321, 4.2.3: the server is closing down.
const MAIL_CLOSING: u16 = 421;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It works.
    Answered,
    /// It works, and wants to be left alone for so long.
    NotBefore(TimeDelta),
    /// Nobody is there, or only whoever stands before it.
    Unanswered,
}

impl Health {
    pub fn of(performed: &Performed, now: DateTime<Utc>) -> Health {
        match performed {
            Performed::NotSent(_) | Performed::InDoubt(_) => Health::Unanswered,
            Performed::Answered(Response::Http(response)) => Health::of_http(response, now),
            Performed::Answered(Response::Mail(mail)) if mail.code == MAIL_CLOSING => Health::Unanswered,
            Performed::Answered(Response::Mail(_) | Response::Mllp(_)) => Health::Answered,
        }
    }

    fn of_http(response: &HttpResponse, now: DateTime<Utc>) -> Health {
        match (response.status, retry_after(response, now)) {
            (429 | 503, Some(wait)) => Health::NotBefore(wait.clamp(TimeDelta::zero(), PAUSE_MAX)),
            // RFC 9110, 15.6: a gateway without a server behind it, or a server that cannot serve anybody.
            (502..=504, _) => Health::Unanswered,
            _ => Health::Answered,
        }
    }
}

/// RFC 9110, 10.2.3: seconds, or a date, by the sender's own clock where it tells us.
fn retry_after(response: &HttpResponse, now: DateTime<Utc>) -> Option<TimeDelta> {
    let header = |name: &str| response.headers.iter().find(|header| header.name == name).map(|it| it.value.trim());
    let value = header("retry-after")?;
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(TimeDelta::seconds(seconds.into()));
    }
    let date = |text| DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc());
    Some(date(value)? - header("date").and_then(date).unwrap_or(now))
}

#[cfg(test)]
mod tests {
    use handoff_host::contract::exchange::MailResponse;
    use handoff_host::contract::types::Attribute;

    use super::*;

    #[test]
    fn an_endpoint_is_judged_by_how_an_exchange_ended() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).expect("a moment");
        let http = |status, headers: &[(&str, &str)]| {
            let headers =
                headers.iter().map(|(name, value)| Attribute { name: (*name).into(), value: (*value).into() });
            Performed::Answered(Response::Http(HttpResponse {
                status,
                headers: headers.collect(),
                body: String::new(),
            }))
        };
        let mail = |code| {
            let (enhanced, text) = (String::new(), String::new());
            Performed::Answered(Response::Mail(MailResponse { code, enhanced, text }))
        };
        let later = |seconds| Health::NotBefore(TimeDelta::seconds(seconds));
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (what, performed, expected) in [
            ("created", http(201, &[]), Health::Answered),
            ("a fault of the letter's", http(400, &[]), Health::Answered),
            ("a fault at the vendor's", http(500, &[]), Health::Answered),
            ("too many", http(429, &[]), Health::Answered),
            ("too many, for a minute", http(429, &[("retry-after", "60")]), later(60)),
            ("closed for two minutes", http(503, &[("retry-after", "120")]), later(120)),
            ("until a date", http(503, &[("retry-after", "Sun, 06 Nov 1994 08:51:07 GMT"), date]), later(90)),
            ("until yesterday", http(503, &[("retry-after", "Sat, 05 Nov 1994 08:49:37 GMT"), date]), later(0)),
            ("for a year", http(503, &[("retry-after", "31536000")]), later(86_400)),
            ("nonsense", http(503, &[("retry-after", "soon")]), Health::Unanswered),
            ("closed", http(503, &[]), Health::Unanswered),
            ("a gateway alone", http(502, &[("retry-after", "60")]), Health::Unanswered),
            ("a mail taken", mail(250), Health::Answered),
            ("a mail refused", mail(550), Health::Answered),
            ("a mail server that closes", mail(421), Health::Unanswered),
            ("an acknowledgement", Performed::Answered(Response::Mllp(String::new())), Health::Answered),
            ("no connection", Performed::NotSent(String::new()), Health::Unanswered),
            ("no answer", Performed::InDoubt(String::new()), Health::Unanswered),
        ] {
            assert_eq!(Health::of(&performed, now), expected, "{what}");
        }
    }
}
