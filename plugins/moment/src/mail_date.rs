//! `Fri, 24 May 2019 17:44:46 +0000`: RFC 5322, 3.3, and HTTP's preferred date (RFC 9110, 5.6.7) with `GMT`.

use crate::civil::{day_of, number, time_of};
use crate::{DAY, HOUR, MINUTE};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Nothing when it is not a date of this form. The day's name may be missing and is not checked.
pub fn read_mail_date(text: &str) -> Option<i64> {
    let text = text.split_once(',').map_or(text, |(_weekday, rest)| rest);
    let mut words = text.split_whitespace();
    let day = number(words.next()?)?;
    let name = words.next()?;
    let month = 1 + i64::try_from(MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?).ok()?;
    let year = number(words.next()?)?;
    let mut time = words.next()?.split(':');
    let (hour, minute) = (number(time.next()?)?, number(time.next()?)?);
    let second = time.next().map_or(Some(0), number)?;
    let offset = offset(words.next()?)?;
    if words.next().is_some() || time.next().is_some() {
        return None;
    }
    Some(day_of(year, month, day)? * DAY + time_of(hour, minute, second, 0)? - offset)
}

fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "GMT" | "UT" | "UTC" | "Z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = zone.get(1..).filter(|digits| digits.len() == 4)?;
    let number = number(digits)?;
    Some(sign * (number / 100 * HOUR + number % 100 * MINUTE))
}
