//! Made-up specialists: the exchange (555-07xx) is one of fiction. No family name is found in another's name or in a text.

/// As many as there are names; a practice refers most of its patients to fewer.
pub const SPECIALISTS_MAX: usize = NAMES.len();

/// National Provider Identifier, name, organisation, telephone number.
pub(super) type Name = (&'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
pub(super) static NAMES: [Name; 30] = [
    ("1730155001", "Dr. Imogen Hartwell",        "Lakeshore Heart Group",     "+13125550701"),
    ("1730155002", "Dr. Rafael Quintero",        "Prairie Cardiology",        "+13125550702"),
    ("1730155003", "Dr. Konrad Ellsworth",       "Ellsworth Heart Clinic",    "+13125550703"),
    ("1730155004", "Dr. Beatriz Salcedo",        "Midtown Digestive Health",  "+13125550704"),
    ("1730155005", "Dr. Ulrich Pemberton",       "Pemberton Endoscopy",       "+13125550705"),
    ("1730155006", "Dr. Sunniva Oakes",          "Oakes Private GI",          "+13125550706"),
    ("1730155007", "Dr. Thaddeus Birch",         "Birch Bone and Joint",      "+13125550707"),
    ("1730155008", "Dr. Yesenia Caldera",        "Riverbend Orthopedics",     "+13125550708"),
    ("1730155009", "Dr. Magnus Thornbury",       "Thornbury Sports Medicine", "+13125550709"),
    ("1730155010", "Dr. Odalys Winslow",         "Winslow Skin Center",       "+13125550710"),
    ("1730155011", "Dr. Lucian Farrow",          "Farrow Dermatology",        "+13125550711"),
    ("1730155012", "Dr. Celestine Marlowe",      "Marlowe Aesthetic Skin",    "+13125550712"),
    ("1730155013", "Dr. Anselm Dufresne",        "Clearwater Eye Institute",  "+13125550713"),
    ("1730155014", "Dr. Perpetua Lindqvist",     "Lindqvist Retina",          "+13125550714"),
    ("1730155015", "Dr. Barnaby Osgood",         "Osgood Vision",             "+13125550715"),
    ("1730155016", "Dr. Leocadia Ashgrove",      "Ashgrove Associates",       "+13125550716"),
    ("1730155017", "Dr. Ignatius Fenwick",       "Fenwick Associates",        "+13125550717"),
    ("1730155018", "Dr. Marisol Trevino",        "Trevino Associates",        "+13125550718"),
    ("1730155019", "Dr. Evander Locksley",       "Locksley Associates",       "+13125550719"),
    ("1730155020", "Dr. Philippa Dunmore",       "Dunmore Associates",        "+13125550720"),
    ("1730155021", "Dr. Casimir Wolanski",       "Wolanski Associates",       "+13125550721"),
    ("1730155022", "Dr. Araceli Montoro",        "Montoro Associates",        "+13125550722"),
    ("1730155023", "Dr. Gideon Halloway",        "Halloway Associates",       "+13125550723"),
    ("1730155024", "Dr. Octavia Penrose",        "Penrose Associates",        "+13125550724"),
    ("1730155025", "Dr. Florian Vandermeer",     "Vandermeer Associates",     "+13125550725"),
    ("1730155026", "Dr. Henrietta Stokely",      "Stokely Associates",        "+13125550726"),
    ("1730155027", "Dr. Balthazar Quillfeather", "Quillfeather Associates",   "+13125550727"),
    ("1730155028", "Dr. Xiomara Bellido",        "Bellido Associates",        "+13125550728"),
    ("1730155029", "Dr. Rupert Cavanagh",        "Cavanagh Associates",       "+13125550729"),
    ("1730155030", "Dr. Seraphina Northcote",    "Northcote Associates",      "+13125550730"),
];
