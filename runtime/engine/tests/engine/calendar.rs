//! Permitted hours, zones and durations.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use handoff_engine::calendar::{Window, format_duration, home_of, next_allowed, parse_duration};

#[test]
fn letters_wait_for_permitted_hours() {
    let window: Window = "08:00-21:00".parse().expect("a window");
    let holidays: BTreeSet<NaiveDate> =
        [(12, 24), (12, 25)].into_iter().filter_map(|(month, day)| NaiveDate::from_ymd_opt(2026, month, day)).collect();
    let rows = "
        America/New_York     2026-03-02T12:59:59Z  2026-03-02T13:00:00Z  a second before eight
        America/New_York     2026-03-02T13:00:00Z  2026-03-02T13:00:00Z  eight
        America/New_York     2026-03-03T01:59:59Z  2026-03-03T01:59:59Z  a second before nine
        America/New_York     2026-03-03T02:00:00Z  2026-03-03T13:00:00Z  nine in the evening
        America/New_York     2026-03-08T02:30:00Z  2026-03-08T12:00:00Z  the night in which clocks go forward
        America/New_York     2026-11-01T02:30:00Z  2026-11-01T13:00:00Z  the night in which clocks go back
        America/Phoenix      2026-03-08T05:00:00Z  2026-03-08T15:00:00Z  no daylight saving time
        Pacific/Honolulu     2026-03-02T12:00:00Z  2026-03-02T18:00:00Z  two in the morning in Hawaii
        America/New_York     2026-12-24T15:00:00Z  2026-12-26T13:00:00Z  two holidays in a row
        America/New_York     2026-12-24T03:00:00Z  2026-12-26T13:00:00Z  the evening before them
        America/Los_Angeles  2026-12-26T07:00:00Z  2026-12-26T16:00:00Z  still the holiday over there
    ";
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let mut words = row.split_whitespace();
        let zone = words.next().and_then(|word| word.parse().ok()).expect("a zone");
        let mut moment = || words.next().and_then(|word| word.parse::<DateTime<Utc>>().ok()).expect("a moment");
        let (at, expected) = (moment(), moment());
        assert_eq!(next_allowed(at, zone, window, &holidays), expected, "{row}");
    }
}

#[test]
fn a_calendar_of_holidays_only_does_not_hang() {
    let window: Window = "08:00-21:00".parse().expect("a window");
    let first = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date");
    let holidays: BTreeSet<NaiveDate> = first.iter_days().take(400).collect();
    let at: DateTime<Utc> = "2026-01-05T12:00:00Z".parse().expect("a moment");
    assert!(next_allowed(at, chrono_tz::America::New_York, window, &holidays) > at);
}

#[test]
fn windows_that_are_none() {
    for text in ["", "8", "21:00-08:00", "08:00-08:00", "08:00-25:00", "08:00 21:00"] {
        assert!(text.parse::<Window>().is_err(), "{text}");
    }
}

#[test]
fn zones_by_state_and_zip() {
    let rows = [
        ("NY", "10001", Some("America/New_York")),
        ("ny", "", Some("America/New_York")),
        ("", "10001-1234", Some("America/New_York")),
        ("TX", "77002", Some("America/Chicago")),
        ("TX", "79901", Some("America/Denver")),
        ("TX", "79855", Some("America/Chicago")),
        ("FL", "33101", Some("America/New_York")),
        ("FL", "32501", Some("America/Chicago")),
        ("FL", "32456", Some("America/New_York")),
        ("TN", "37902", Some("America/New_York")),
        ("TN", "37203", Some("America/Chicago")),
        ("TN", "37398", Some("America/Chicago")),
        ("TN", "37402", Some("America/New_York")),
        ("KY", "40202", Some("America/New_York")),
        ("KY", "42101", Some("America/Chicago")),
        ("KY", "42701", Some("America/New_York")),
        ("IN", "46204", Some("America/Indiana/Indianapolis")),
        ("IN", "46402", Some("America/Chicago")),
        ("IN", "47708", Some("America/Chicago")),
        ("MI", "48201", Some("America/Detroit")),
        ("MI", "49801", Some("America/Chicago")),
        ("ND", "58102", Some("America/Chicago")),
        ("ND", "58601", Some("America/Denver")),
        ("SD", "57701", Some("America/Denver")),
        ("SD", "57601", Some("America/Chicago")),
        ("NE", "68102", Some("America/Chicago")),
        ("NE", "69361", Some("America/Denver")),
        ("KS", "67735", Some("America/Denver")),
        ("ID", "83702", Some("America/Boise")),
        ("ID", "83814", Some("America/Los_Angeles")),
        ("OR", "97204", Some("America/Los_Angeles")),
        ("OR", "97914", Some("America/Boise")),
        ("AZ", "85003", Some("America/Phoenix")),
        ("AZ", "86515", Some("America/Denver")),
        ("AK", "99501", Some("America/Anchorage")),
        ("AK", "99546", Some("America/Adak")),
        ("HI", "96813", Some("Pacific/Honolulu")),
        ("PR", "00901", Some("America/Puerto_Rico")),
        // The state outweighs a ZIP code that is not its own.
        ("NY", "79901", Some("America/New_York")),
        ("AE", "09012", None),
        ("", "", None),
        ("", "1234", None),
        ("Ontario", "K1A 0B1", None),
        ("", "１２３４５", None),
    ];
    for (state, zip, expected) in rows {
        assert_eq!(home_of(state, zip, "").map(|home| home.zone.name()), expected, "{state} {zip}");
    }
}

#[test]
fn a_home_is_found_by_any_name_of_its_state_or_by_its_zip_alone() {
    let zone = |state, zip, country| {
        home_of(state, zip, country).map(|home| (home.zone.name(), home.other.map(|other| other.name())))
    };
    let rows = [
        ("California", "90012", "", Some(("America/Los_Angeles", None))),
        ("Calif.", "90012", "US", Some(("America/Los_Angeles", None))),
        ("california", "", "USA", Some(("America/Los_Angeles", None))),
        ("US-CA", "", "", Some(("America/Los_Angeles", None))),
        ("Arizona", "85004", "", Some(("America/Phoenix", None))),
        ("Guam", "96910", "", Some(("Pacific/Guam", None))),
        ("Guam", "", "GU", Some(("Pacific/Guam", None))),
        ("N. Mariana Islands", "96950", "", Some(("Pacific/Saipan", None))),
        ("", "96799", "", Some(("Pacific/Pago_Pago", None))),
        ("U.S. Virgin Islands", "", "", Some(("America/Puerto_Rico", None))),
        ("Washington, D.C.", "", "", Some(("America/New_York", None))),
        ("Washington", "", "", Some(("America/Los_Angeles", None))),
        ("W. Va.", "", "", Some(("America/New_York", None))),
        ("no state at all", "60601", "", Some(("America/Chicago", None))),
        // In two zones, and nothing says in which.
        ("TN", "", "", Some(("America/Chicago", Some("America/New_York")))),
        ("Tennessee", "37902", "", Some(("America/New_York", None))),
        ("Texas", "90210", "", Some(("America/Chicago", Some("America/Denver")))),
        ("FL", "", "", Some(("America/New_York", Some("America/Chicago")))),
        ("ID", "", "", Some(("America/Boise", Some("America/Los_Angeles")))),
        ("OH", "", "", Some(("America/New_York", None))),
        // Elsewhere.
        ("Jalisco", "44100", "MX", None),
        ("AP", "96201", "", None),
        ("Ontario", "K1A 0B1", "Canada", None),
    ];
    for (state, zip, country, expected) in rows {
        assert_eq!(zone(state, zip, country), expected, "{state} {zip} {country}");
    }
}

/// Every state and territory, by its two letters and by its name; those in two zones have both where nothing tells.
#[test]
fn no_state_is_without_a_zone() {
    const NAMES: &str = "Alabama AL;Alaska AK;American Samoa AS;Arizona AZ;Arkansas AR;California CA;Colorado CO;Connecticut CT;\
        Delaware DE;District of Columbia DC;Florida FL;Georgia GA;Guam GU;Hawaii HI;Idaho ID;Illinois IL;Indiana IN;Iowa IA;Kansas KS;\
        Kentucky KY;Louisiana LA;Maine ME;Maryland MD;Massachusetts MA;Michigan MI;Minnesota MN;Mississippi MS;Missouri MO;Montana MT;\
        Nebraska NE;Nevada NV;New Hampshire NH;New Jersey NJ;New Mexico NM;New York NY;North Carolina NC;North Dakota ND;\
        Northern Mariana Islands MP;Ohio OH;Oklahoma OK;Oregon OR;Pennsylvania PA;Puerto Rico PR;Rhode Island RI;South Carolina SC;\
        South Dakota SD;Tennessee TN;Texas TX;Utah UT;Vermont VT;Virginia VA;Virgin Islands VI;Washington WA;West Virginia WV;\
        Wisconsin WI;Wyoming WY;Palau PW;Marshall Islands MH;Federated States of Micronesia FM";
    let mut split = Vec::new();
    for state in NAMES.split(';') {
        let (name, code) = state.trim().rsplit_once(' ').expect("a name and a code");
        let home = home_of(code, "", "").unwrap_or_else(|| panic!("{code}"));
        assert_eq!(home_of(name, "", "US"), Some(home), "{name}");
        split.extend(home.other.map(|_| code));
    }
    assert_eq!(split.join(" "), "AK AZ FL ID IN KS KY MI NE NV ND OR SD TN TX FM");
}

#[test]
fn durations_read_and_written() {
    for text in ["3d", "2h", "30m", "1d12h", "1d2h3m", "0h", "731d"] {
        assert_eq!(parse_duration(text).map(format_duration).as_deref(), Ok(text));
    }
    for text in
        ["", "3", "d", "-3d", "3 d", "2h3d", "1h1h", "3w", "732d", "99999999999999999999d", "9223372036854775807d", "é"]
    {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}
