//! What is written can be read, and what is no moment is nothing.

use moment::{date, read_mail_date, read_rfc3339, rfc3339};
use proptest::prelude::*;

#[test]
fn rfc3339_is_written_in_utc() {
    let rows = [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_783_324_860_000, "2026-07-06T08:01:00.000Z"),
        (i64::MAX, "9999-12-31T23:59:59.999Z"),
        (i64::MIN, "0000-01-01T00:00:00.000Z"),
    ];
    for (instant, text) in rows {
        assert_eq!(rfc3339(instant), text);
        assert_eq!(date(instant), text[..10]);
    }
}

#[test]
fn rfc3339_is_read_with_any_offset() {
    let rows = [
        ("2026-07-06T08:01:00.000Z", Some(1_783_324_860_000)),
        ("2026-07-06T08:01:00Z", Some(1_783_324_860_000)),
        ("2026-07-06T08:01:00.000+00:00", Some(1_783_324_860_000)),
        ("2026-07-06T04:01:00-04:00", Some(1_783_324_860_000)),
        ("2026-07-06T13:31:00+05:30", Some(1_783_324_860_000)),
        ("2026-07-06T08:01:00.5Z", Some(1_783_324_860_500)),
        ("2026-07-06T08:01:00.123456789Z", Some(1_783_324_860_123)),
        ("2026-07-06", None),
        ("2026-07-06T08:01:00", None),
        ("2026-07-06T08:01Z", None),
        ("2026-02-30T08:01:00Z", None),
        ("2025-02-29T08:01:00Z", None),
        ("2026-13-01T08:01:00Z", None),
        ("2026-07-06T24:01:00Z", None),
        ("2026-07-06T08:01:00.Z", None),
        ("2026-07-06T08:01:00+0530", None),
        ("+2026-07-06T08:01:00Z", None),
        ("T", None),
        ("", None),
    ];
    for (text, instant) in rows {
        assert_eq!(read_rfc3339(text), instant, "{text}");
    }
}

#[test]
fn mail_dates_are_read() {
    let rows = [
        ("Fri, 24 May 2019 17:44:46 +0000", Some(1_558_719_886_000)),
        ("24 May 2019 13:44:46 -0400", Some(1_558_719_886_000)),
        ("Fri, 24 May 2019 17:44:46 GMT", Some(1_558_719_886_000)),
        ("Fri, 24 May 2019 17:44 +0000", Some(1_558_719_840_000)),
        ("Fri, 24 Mai 2019 17:44:46 +0000", None),
        ("Fri, 24 May 2019 17:44:46", None),
        ("Fri, 24 May 2019 17:44:46 0000", None),
        ("Fri, 31 Feb 2019 17:44:46 +0000", None),
        ("", None),
    ];
    for (text, instant) in rows {
        assert_eq!(read_mail_date(text), instant, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_written_can_be_read(instant in 0..253_402_300_799_999_i64) {
        prop_assert_eq!(read_rfc3339(&rfc3339(instant)), Some(instant));
    }

    #[test]
    fn no_text_makes_it_panic(text in ".*", digits in "[-0-9TZ:+. ,A-Za-z]{0,40}") {
        let _ = (read_rfc3339(&text), read_rfc3339(&digits), read_mail_date(&text), read_mail_date(&digits));
    }
}
