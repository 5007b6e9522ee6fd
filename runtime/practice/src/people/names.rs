//! Names and homes to draw from.

use chrono_tz::Tz;

use super::phrases::PatientLanguage;
use crate::dice::Dice;

/// Where a patient lives.
#[derive(Debug, PartialEq)]
pub struct Home {
    pub city: &'static str,
    pub state: &'static str,
    pub postal_code: &'static str,
    pub area_code: &'static str,
    pub zone: Tz,
}

impl Home {
    /// A number in another town than this one. The last four digits tell telephones of one town apart.
    pub(crate) fn number_elsewhere(&self, last_digits: usize, dice: &mut Dice) -> String {
        let others = HOMES.iter().map(|(_, home)| home.area_code).filter(|code| *code != self.area_code);
        let others: Vec<&str> = others.collect();
        format!("+1{}555{last_digits:04}", dice.pick(&others))
    }
}

const fn home(
    city: &'static str,
    state: &'static str,
    postal_code: &'static str,
    area_code: &'static str,
    zone: Tz,
) -> Home {
    Home { city, state, postal_code, area_code, zone }
}

/// Most live nearby; some winter or study elsewhere, in every zone of the mainland and beyond.
#[rustfmt::skip]
pub(super) static HOMES: [(u32, Home); 10] = [
    (46, home("Evanston",    "IL", "60201", "847", chrono_tz::America::Chicago)),
    (18, home("Chicago",     "IL", "60622", "312", chrono_tz::America::Chicago)),
    (10, home("Kenosha",     "WI", "53140", "262", chrono_tz::America::Chicago)),
    (8,  home("South Bend",  "IN", "46601", "574", chrono_tz::America::Indiana::Indianapolis)),
    (5,  home("Ann Arbor",   "MI", "48104", "734", chrono_tz::America::Detroit)),
    (4,  home("Fort Myers",  "FL", "33901", "239", chrono_tz::America::New_York)),
    (3,  home("Phoenix",     "AZ", "85004", "602", chrono_tz::America::Phoenix)),
    (2,  home("Boulder",     "CO", "80302", "303", chrono_tz::America::Denver)),
    (3,  home("San Diego",   "CA", "92101", "619", chrono_tz::America::Los_Angeles)),
    (1,  home("Honolulu",    "HI", "96813", "808", chrono_tz::Pacific::Honolulu)),
];

pub(super) const STREETS: [&str; 10] = [
    "Larkspur Lane",
    "N Hollis Street",
    "W Juniper Avenue",
    "Quarry Road",
    "Tamarack Court",
    "Old Mill Drive",
    "S Bellweather Street",
    "Foxglove Terrace",
    "E Granary Row",
    "Heron Pond Way",
];

/// Given and family name. Unusual ones, so that one found in a log is no accident.
#[expect(clippy::too_many_lines, reason = "a list of names")]
pub(super) fn name(language: PatientLanguage, sex: char, dice: &mut Dice) -> (&'static str, &'static str) {
    let (women, men, families): (&[&str], &[&str], &[&str]) = match language {
        PatientLanguage::English => (
            &[
                "Araminta",
                "Clementine",
                "Dorothea",
                "Euphemia",
                "Genevra",
                "Hepzibah",
                "Isadora",
                "Lavender",
                "Ottoline",
                "Rosamund",
            ],
            &[
                "Ambrose",
                "Barnabas",
                "Cornelius",
                "Ezekiel",
                "Fitzgerald",
                "Hezekiah",
                "Leopold",
                "Phineas",
                "Sylvester",
                "Zebedee",
            ],
            &[
                "Applewhite",
                "Birdwhistell",
                "Crickmore",
                "Dunwoody",
                "Everdene",
                "Fothergill",
                "Gadsby",
                "Hollingberry",
                "Inkpen",
                "Kettleburn",
                "Lovibond",
                "Merriwether",
                "Nettlefold",
                "O'Shaughnessy",
                "Pettigrew",
                "Quennell",
                "Ravenscroft",
                "Stillwagon",
                "Thistlewood",
                "Umfreville",
                "Vavasour",
                "Wigglesworth",
                "Yarborough",
                "Zellweger",
            ],
        ),
        PatientLanguage::Spanish => (
            &["Altagracia", "Consuelo", "Esperanza", "Guadalupe", "Inmaculada", "Milagros", "Soledad", "Xiomara"],
            &["Anastasio", "Cuauhtémoc", "Evaristo", "Fulgencio", "Hermenegildo", "Nicanor", "Policarpo", "Wenceslao"],
            &[
                "Abascal",
                "Barrientos",
                "Cienfuegos",
                "Echeverría",
                "Fuentealba",
                "Goicoechea",
                "Huamán",
                "Iturralde",
                "Larrañaga",
                "Montecinos",
                "Ocampo",
                "Peñaloza",
                "Quiñones",
                "Sandoval",
                "Urrutia",
                "Zumárraga",
            ],
        ),
        PatientLanguage::Chinese => (
            &["Xiaoqing", "Meilin", "Yuehua", "Shuzhen"],
            &["Guoliang", "Jianfeng", "Zhiqiang", "Wenbo"],
            &["Ouyang", "Zhuge", "Sima", "Xuanyuan", "Dongfang", "Huangfu"],
        ),
        PatientLanguage::Vietnamese => (
            &["Thị Hạnh", "Bích Ngọc", "Thu Hương", "Mỹ Duyên"],
            &["Văn Đức", "Quốc Khánh", "Minh Triết", "Hữu Phước"],
            &["Nguyễn", "Huỳnh", "Trương", "Đặng", "Vũ", "Lương"],
        ),
    };
    (dice.pick(if sex == 'F' { women } else { men }), dice.pick(families))
}

/// As a mail address would spell it.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase()).collect()
}
