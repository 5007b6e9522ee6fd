//! A state or territory of the United States, however a chart writes it: the two letters of the USPS, the name, an older abbreviation.

/// The USPS's two letters (Publication 28, appendix B), the name, and the abbreviations of the GPO's and AP's style manuals that differ.
const STATES: &[(&str, &str, &str)] = &[
    ("AK", "alaska", "alas"),
    ("AL", "alabama", "ala"),
    ("AR", "arkansas", "ark"),
    ("AS", "american samoa", "samoa"),
    ("AZ", "arizona", "ariz"),
    ("CA", "california", "calif cal"),
    ("CO", "colorado", "colo"),
    ("CT", "connecticut", "conn"),
    ("DC", "district of columbia", "washingtondc washdc"),
    ("DE", "delaware", "del"),
    ("FL", "florida", "fla"),
    ("FM", "federated states of micronesia", "micronesia"),
    ("GA", "georgia", ""),
    ("GU", "guam", ""),
    ("HI", "hawaii", "hawai'i hawaiʻi"),
    ("IA", "iowa", ""),
    ("ID", "idaho", "ida"),
    ("IL", "illinois", "ill"),
    ("IN", "indiana", "ind"),
    ("KS", "kansas", "kan kans"),
    ("KY", "kentucky", "ken"),
    ("LA", "louisiana", ""),
    ("MA", "massachusetts", "mass"),
    ("MD", "maryland", ""),
    ("ME", "maine", ""),
    ("MH", "marshall islands", ""),
    ("MI", "michigan", "mich"),
    ("MN", "minnesota", "minn"),
    ("MO", "missouri", ""),
    ("MP", "northern mariana islands", "cnmi nmarianaislands marianaislands"),
    ("MS", "mississippi", "miss"),
    ("MT", "montana", "mont"),
    ("NC", "north carolina", "ncar"),
    ("ND", "north dakota", "ndak"),
    ("NE", "nebraska", "neb nebr"),
    ("NH", "new hampshire", ""),
    ("NJ", "new jersey", ""),
    ("NM", "new mexico", "nmex"),
    ("NV", "nevada", "nev"),
    ("NY", "new york", ""),
    ("OH", "ohio", ""),
    ("OK", "oklahoma", "okla"),
    ("OR", "oregon", "ore oreg"),
    ("PA", "pennsylvania", "penn penna"),
    ("PR", "puerto rico", ""),
    ("PW", "palau", ""),
    ("RI", "rhode island", ""),
    ("SC", "south carolina", "scar"),
    ("SD", "south dakota", "sdak"),
    ("TN", "tennessee", "tenn"),
    ("TX", "texas", "tex"),
    ("UT", "utah", ""),
    ("VA", "virginia", ""),
    ("VI", "virgin islands", "usvi usvirginislands unitedstatesvirginislands virginislandsus"),
    ("VT", "vermont", ""),
    ("WA", "washington", "wash"),
    ("WI", "wisconsin", "wis wisc"),
    ("WV", "west virginia", "wva wvirginia"),
    ("WY", "wyoming", "wyo"),
];

/// The two letters of what is written: `CA`, `ca`, `California`, `Calif.`, `US-CA`, `N. Dak.`, `Commonwealth of Virginia`.
pub fn state_code(written: &str) -> Option<&'static str> {
    let lower = written.trim().to_lowercase();
    let bare: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let meant = ["us", "stateof", "commonwealthof", "territoryof"];
    let short = meant.iter().find_map(|prefix| bare.strip_prefix(prefix)).filter(|rest| rest.len() > 1);
    // First as it stands: `USVI` is no state that begins with `US`.
    [Some(bare.as_str()), short].into_iter().flatten().find_map(|bare| {
        let is_meant = |(code, name, others): &&(&str, &str, &str)| {
            code.eq_ignore_ascii_case(bare)
                || same_letters(name, bare)
                || others.split(' ').any(|other| same_letters(other, bare))
        };
        STATES.iter().find(is_meant).map(|(code, _, _)| *code)
    })
}

fn same_letters(name: &str, bare: &str) -> bool {
    !bare.is_empty() && name.chars().filter(|c| c.is_alphanumeric()).eq(bare.chars())
}
