//! The time zone of a home address in the United States, from its state and ZIP code.
//!
//! Never from a telephone number: numbers move with people. Boundaries as of 49 CFR part 71; ZIP codes by county. Some states lie in
//! two zones: there the ZIP code decides, and where none does, the patient may live in either.

use chrono_tz::Tz;
use chrono_tz::{America, Pacific};

use super::state::state_code;

const EASTERN: Tz = America::New_York;
const CENTRAL: Tz = America::Chicago;
const MOUNTAIN: Tz = America::Denver;
const PACIFIC: Tz = America::Los_Angeles;

/// Where somebody lives, as far as an address tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HomeZones {
    pub zone: Tz,
    /// Their state lies in this zone as well, and nothing says in which of the two they live.
    pub other: Option<Tz>,
}

/// By an address, each part as it was written or empty. `state` may be a code or a name, `postal_code` a ZIP or ZIP+4. `None` for military
/// and foreign addresses and for what is no state.
pub fn home_of(state: &str, postal_code: &str, country: &str) -> Option<HomeZones> {
    if !is_american(country) {
        return None;
    }
    let zip = zip5(postal_code);
    let by_zip = zip.and_then(state_of_zip);
    let written = state_code(state);
    if written.is_none() && MILITARY.contains(&state.trim().to_uppercase().as_str()) {
        return None;
    }
    // A ZIP code of another state is a slip of the pen in one of the two; the state is the coarser and surer word.
    let state = written.or(by_zip)?;
    let (_, zone) = STATES.iter().find(|(code, _)| *code == state)?;
    match zip.filter(|_| by_zip == Some(state)) {
        Some(zip) => {
            let elsewhere = ELSEWHERE.iter().find(|(from, to, _)| (*from..=*to).contains(&zip));
            Some(HomeZones { zone: elsewhere.map_or(*zone, |(_, _, zone)| *zone), other: None })
        }
        None => Some(HomeZones { zone: *zone, other: other_zone(state, *zone) }),
    }
}

/// Another than that of most of a state's people.
fn other_zone(state: &str, most: Tz) -> Option<Tz> {
    let there = |(from, _, zone): &&(u32, u32, Tz)| state_of_zip(*from) == Some(state) && *zone != most;
    ELSEWHERE.iter().find(there).map(|(_, _, zone)| *zone)
}

/// The armed forces' post: America, Europe, Pacific.
const MILITARY: [&str; 3] = ["AA", "AE", "AP"];

/// ISO 3166-1, the territories' own codes, and how people write it. An address without a country is one of ours.
fn is_american(country: &str) -> bool {
    const OURS: [&str; 20] = [
        "",
        "US",
        "USA",
        "840",
        "UNITEDSTATES",
        "UNITEDSTATESOFAMERICA",
        "AMERICA",
        "AS",
        "ASM",
        "FM",
        "FSM",
        "GU",
        "GUM",
        "MP",
        "MNP",
        "PR",
        "PRI",
        "VI",
        "VIR",
        "UM",
    ];
    let bare: String = country.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_uppercase();
    OURS.contains(&bare.as_str())
}

fn zip5(postal_code: &str) -> Option<u32> {
    let digits = postal_code.trim().get(..5)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn state_of_zip(zip: u32) -> Option<&'static str> {
    if let Some((_, _, island)) = ISLANDS.iter().find(|(from, to, _)| (*from..=*to).contains(&zip)) {
        return Some(island);
    }
    let prefix = zip / 100;
    PREFIXES.iter().find(|(from, to, _)| (*from..=*to).contains(&prefix)).map(|(_, _, state)| *state)
}

/// Each state's zone, or that of most of its people.
const STATES: &[(&str, Tz)] = &[
    ("AK", America::Anchorage),
    ("AL", CENTRAL),
    ("AR", CENTRAL),
    ("AS", Pacific::Pago_Pago),
    ("AZ", America::Phoenix),
    ("CA", PACIFIC),
    ("CO", MOUNTAIN),
    ("CT", EASTERN),
    ("DC", EASTERN),
    ("DE", EASTERN),
    ("FL", EASTERN),
    ("FM", Pacific::Pohnpei),
    ("GA", EASTERN),
    ("GU", Pacific::Guam),
    ("HI", Pacific::Honolulu),
    ("IA", CENTRAL),
    ("ID", America::Boise),
    ("IL", CENTRAL),
    ("IN", America::Indiana::Indianapolis),
    ("KS", CENTRAL),
    ("KY", EASTERN),
    ("LA", CENTRAL),
    ("MA", EASTERN),
    ("MD", EASTERN),
    ("ME", EASTERN),
    ("MH", Pacific::Majuro),
    ("MI", America::Detroit),
    ("MN", CENTRAL),
    ("MO", CENTRAL),
    ("MP", Pacific::Saipan),
    ("MS", CENTRAL),
    ("MT", MOUNTAIN),
    ("NC", EASTERN),
    ("ND", CENTRAL),
    ("NE", CENTRAL),
    ("NH", EASTERN),
    ("NJ", EASTERN),
    ("NM", MOUNTAIN),
    ("NV", PACIFIC),
    ("NY", EASTERN),
    ("OH", EASTERN),
    ("OK", CENTRAL),
    ("OR", PACIFIC),
    ("PA", EASTERN),
    ("PR", America::Puerto_Rico),
    ("PW", Pacific::Palau),
    ("RI", EASTERN),
    ("SC", EASTERN),
    ("SD", CENTRAL),
    ("TN", CENTRAL),
    ("TX", CENTRAL),
    ("UT", MOUNTAIN),
    ("VA", EASTERN),
    ("VI", America::Puerto_Rico),
    ("VT", EASTERN),
    ("WA", PACIFIC),
    ("WI", CENTRAL),
    ("WV", EASTERN),
    ("WY", MOUNTAIN),
];

/// ZIP codes, both ends included, that keep another time than most of their state.
const ELSEWHERE: &[(u32, u32, Tz)] = &[
    // Florida west of the Apalachicola; the south of Gulf County stays Eastern.
    (32456, 32457, EASTERN),
    (32400, 32599, CENTRAL),
    // Tennessee: the east, with the Sequatchie valley and the Highland Rim of 373 on Central time.
    (37301, 37301, CENTRAL),
    (37305, 37306, CENTRAL),
    (37313, 37313, CENTRAL),
    (37318, 37318, CENTRAL),
    (37324, 37324, CENTRAL),
    (37327, 37328, CENTRAL),
    (37330, 37330, CENTRAL),
    (37334, 37335, CENTRAL),
    (37339, 37340, CENTRAL),
    (37342, 37342, CENTRAL),
    (37345, 37345, CENTRAL),
    (37347, 37349, CENTRAL),
    (37352, 37352, CENTRAL),
    (37355, 37357, CENTRAL),
    (37359, 37360, CENTRAL),
    (37365, 37367, CENTRAL),
    (37374, 37378, CENTRAL),
    (37380, 37380, CENTRAL),
    (37382, 37383, CENTRAL),
    (37387, 37389, CENTRAL),
    (37394, 37394, CENTRAL),
    (37396, 37398, CENTRAL),
    (37302, 37499, EASTERN),
    (37600, 37999, EASTERN),
    // Kentucky: Breckinridge County, the west, and the Green River country around it.
    (40111, 40111, CENTRAL),
    (40115, 40115, CENTRAL),
    (40119, 40119, CENTRAL),
    (40140, 40140, CENTRAL),
    (40143, 40146, CENTRAL),
    (40152, 40152, CENTRAL),
    (40170, 40171, CENTRAL),
    (40176, 40176, CENTRAL),
    (40178, 40178, CENTRAL),
    (42000, 42499, CENTRAL),
    (42602, 42603, CENTRAL),
    (42629, 42629, CENTRAL),
    (42642, 42642, CENTRAL),
    (42711, 42715, CENTRAL),
    (42717, 42717, CENTRAL),
    (42720, 42722, CENTRAL),
    (42726, 42731, CENTRAL),
    (42735, 42735, CENTRAL),
    (42741, 42743, CENTRAL),
    (42746, 42746, CENTRAL),
    (42749, 42749, CENTRAL),
    (42753, 42755, CENTRAL),
    (42759, 42762, CENTRAL),
    (42765, 42765, CENTRAL),
    (42782, 42782, CENTRAL),
    (42786, 42786, CENTRAL),
    // Indiana: the corner at Chicago, Starke County, and the corner at Evansville.
    (46300, 46499, CENTRAL),
    (46531, 46532, CENTRAL),
    (46534, 46534, CENTRAL),
    (46968, 46968, CENTRAL),
    (47513, 47515, CENTRAL),
    (47520, 47520, CENTRAL),
    (47523, 47523, CENTRAL),
    (47525, 47525, CENTRAL),
    (47531, 47531, CENTRAL),
    (47536, 47537, CENTRAL),
    (47550, 47552, CENTRAL),
    (47556, 47556, CENTRAL),
    (47574, 47574, CENTRAL),
    (47576, 47577, CENTRAL),
    (47579, 47579, CENTRAL),
    (47586, 47586, CENTRAL),
    (47588, 47588, CENTRAL),
    (47600, 47799, CENTRAL),
    (47922, 47922, CENTRAL),
    (47942, 47943, CENTRAL),
    (47948, 47948, CENTRAL),
    (47951, 47951, CENTRAL),
    (47963, 47964, CENTRAL),
    (47977, 47978, CENTRAL),
    // Michigan: Dickinson, Menominee, Gogebic and Iron, which border Wisconsin.
    (49801, 49802, CENTRAL),
    (49812, 49812, CENTRAL),
    (49815, 49815, CENTRAL),
    (49821, 49821, CENTRAL),
    (49831, 49831, CENTRAL),
    (49834, 49834, CENTRAL),
    (49845, 49845, CENTRAL),
    (49847, 49848, CENTRAL),
    (49852, 49852, CENTRAL),
    (49858, 49858, CENTRAL),
    (49863, 49863, CENTRAL),
    (49870, 49870, CENTRAL),
    (49873, 49874, CENTRAL),
    (49876, 49877, CENTRAL),
    (49881, 49881, CENTRAL),
    (49886, 49887, CENTRAL),
    (49892, 49893, CENTRAL),
    (49896, 49896, CENTRAL),
    (49902, 49903, CENTRAL),
    (49911, 49911, CENTRAL),
    (49915, 49915, CENTRAL),
    (49920, 49920, CENTRAL),
    (49927, 49927, CENTRAL),
    (49935, 49935, CENTRAL),
    (49938, 49938, CENTRAL),
    (49947, 49947, CENTRAL),
    (49959, 49959, CENTRAL),
    (49964, 49964, CENTRAL),
    (49968, 49969, CENTRAL),
    // South Dakota west of the Missouri, but for Todd, Mellette, Tripp, Jones, Lyman, Gregory and the river towns.
    (57521, 57521, MOUNTAIN),
    (57537, 57537, MOUNTAIN),
    (57543, 57543, MOUNTAIN),
    (57547, 57547, MOUNTAIN),
    (57551, 57553, MOUNTAIN),
    (57567, 57567, MOUNTAIN),
    (57574, 57574, MOUNTAIN),
    (57577, 57577, MOUNTAIN),
    (57601, 57601, CENTRAL),
    (57631, 57632, CENTRAL),
    (57646, 57646, CENTRAL),
    (57648, 57648, CENTRAL),
    (57600, 57799, MOUNTAIN),
    // North Dakota south and west of the Missouri: Dickinson and the Badlands, Grant County, western Sioux County.
    (58529, 58529, MOUNTAIN),
    (58533, 58533, MOUNTAIN),
    (58562, 58562, MOUNTAIN),
    (58564, 58564, MOUNTAIN),
    (58600, 58699, MOUNTAIN),
    // Kansas: Sherman, Wallace, Greeley and Hamilton.
    (67733, 67733, MOUNTAIN),
    (67735, 67735, MOUNTAIN),
    (67741, 67741, MOUNTAIN),
    (67758, 67758, MOUNTAIN),
    (67761, 67762, MOUNTAIN),
    (67836, 67836, MOUNTAIN),
    (67857, 67857, MOUNTAIN),
    (67878, 67879, MOUNTAIN),
    // Nebraska: the Panhandle, the Sandhills' west, Chase, Dundy, Perkins and Keith.
    (69021, 69021, MOUNTAIN),
    (69023, 69023, MOUNTAIN),
    (69027, 69027, MOUNTAIN),
    (69030, 69030, MOUNTAIN),
    (69033, 69033, MOUNTAIN),
    (69037, 69037, MOUNTAIN),
    (69041, 69041, MOUNTAIN),
    (69045, 69045, MOUNTAIN),
    (69121, 69122, MOUNTAIN),
    (69125, 69125, MOUNTAIN),
    (69127, 69129, MOUNTAIN),
    (69131, 69131, MOUNTAIN),
    (69133, 69134, MOUNTAIN),
    (69140, 69141, MOUNTAIN),
    (69144, 69150, MOUNTAIN),
    (69152, 69156, MOUNTAIN),
    (69160, 69160, MOUNTAIN),
    (69162, 69162, MOUNTAIN),
    (69168, 69168, MOUNTAIN),
    (69190, 69190, MOUNTAIN),
    (69211, 69211, MOUNTAIN),
    (69216, 69216, MOUNTAIN),
    (69218, 69219, MOUNTAIN),
    (69300, 69399, MOUNTAIN),
    // Texas: El Paso and Hudspeth.
    (79821, 79821, MOUNTAIN),
    (79835, 79839, MOUNTAIN),
    (79847, 79847, MOUNTAIN),
    (79849, 79849, MOUNTAIN),
    (79851, 79851, MOUNTAIN),
    (79853, 79853, MOUNTAIN),
    (79900, 79999, MOUNTAIN),
    (88500, 88599, MOUNTAIN),
    // Idaho north of the Salmon.
    (83500, 83548, PACIFIC),
    (83552, 83599, PACIFIC),
    (83800, 83899, PACIFIC),
    // Arizona: the Navajo Nation keeps daylight saving time; the Hopi Reservation inside it does not.
    (86020, 86020, MOUNTAIN),
    (86033, 86033, MOUNTAIN),
    (86035, 86035, MOUNTAIN),
    (86044, 86045, MOUNTAIN),
    (86053, 86054, MOUNTAIN),
    (86502, 86508, MOUNTAIN),
    (86510, 86510, MOUNTAIN),
    (86511, 86512, MOUNTAIN),
    (86514, 86515, MOUNTAIN),
    (86520, 86520, MOUNTAIN),
    (86535, 86535, MOUNTAIN),
    (86538, 86538, MOUNTAIN),
    (86540, 86540, MOUNTAIN),
    (86544, 86545, MOUNTAIN),
    (86547, 86547, MOUNTAIN),
    (86556, 86556, MOUNTAIN),
    // Nevada: Jackpot and West Wendover live by Idaho and Utah.
    (89825, 89825, MOUNTAIN),
    (89883, 89883, MOUNTAIN),
    // Oregon: Malheur County.
    (97901, 97903, America::Boise),
    (97905, 97911, America::Boise),
    (97913, 97920, America::Boise),
    // Alaska: the Aleutians west of 169°30′ W; Metlakatla follows Anchorage in every respect that matters here.
    (99546, 99547, America::Adak),
    // Chuuk and Yap keep an hour less than Pohnpei and Kosrae.
    (96942, 96943, Pacific::Chuuk),
];

/// ZIP codes of islands that share their first three digits with another state.
const ISLANDS: &[(u32, u32, &str)] = &[
    (96799, 96799, "AS"),
    (96939, 96940, "PW"),
    (96941, 96944, "FM"),
    (96950, 96952, "MP"),
    (96960, 96960, "MH"),
    (96970, 96970, "MH"),
];

/// The first three digits of ZIP codes by state (USPS Publication 65).
const PREFIXES: &[(u32, u32, &str)] = &[
    (5, 5, "NY"),
    (6, 7, "PR"),
    (8, 8, "VI"),
    (9, 9, "PR"),
    (10, 27, "MA"),
    (28, 29, "RI"),
    (30, 38, "NH"),
    (39, 49, "ME"),
    (50, 54, "VT"),
    (55, 55, "MA"),
    (56, 59, "VT"),
    (63, 63, "NY"),
    (60, 69, "CT"),
    (70, 89, "NJ"),
    (100, 149, "NY"),
    (150, 196, "PA"),
    (197, 199, "DE"),
    (200, 200, "DC"),
    (201, 201, "VA"),
    (202, 205, "DC"),
    (206, 219, "MD"),
    (220, 246, "VA"),
    (247, 268, "WV"),
    (270, 289, "NC"),
    (290, 299, "SC"),
    (300, 319, "GA"),
    (320, 339, "FL"),
    (341, 349, "FL"),
    (350, 369, "AL"),
    (370, 385, "TN"),
    (386, 397, "MS"),
    (398, 399, "GA"),
    (400, 427, "KY"),
    (430, 459, "OH"),
    (460, 479, "IN"),
    (480, 499, "MI"),
    (500, 528, "IA"),
    (530, 549, "WI"),
    (550, 567, "MN"),
    (569, 569, "DC"),
    (570, 577, "SD"),
    (580, 588, "ND"),
    (590, 599, "MT"),
    (600, 629, "IL"),
    (630, 658, "MO"),
    (660, 679, "KS"),
    (680, 693, "NE"),
    (700, 714, "LA"),
    (716, 729, "AR"),
    (733, 733, "TX"),
    (730, 749, "OK"),
    (750, 799, "TX"),
    (800, 816, "CO"),
    (820, 831, "WY"),
    (832, 838, "ID"),
    (840, 847, "UT"),
    (850, 865, "AZ"),
    (870, 884, "NM"),
    (885, 885, "TX"),
    (889, 898, "NV"),
    (900, 961, "CA"),
    (967, 968, "HI"),
    (969, 969, "GU"),
    (970, 979, "OR"),
    (980, 994, "WA"),
    (995, 999, "AK"),
];
