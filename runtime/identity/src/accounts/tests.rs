//! Accounts and signing in, without a network.

use std::cell::RefCell;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_store::{AccountChange, Record, SignInFault};
use handoff_vault::{Clear, MasterKey, Vault, system_dice};

use super::*;
use crate::account::{FAILURES_MAX, LOCKED_OUT_FOR};
use crate::session::{IDLE_MAX, LIFE_MAX, Sessions};
use crate::sign_in::{Admitted, Attempt, SignInError};

const CHOSEN: &str = "a horse that nobody rides";

/// People, and what the journal was told.
struct House {
    folder: tempfile::TempDir,
    people: People,
    journal: RefCell<Vec<Record>>,
}

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a moment")
}

fn master() -> MasterKey {
    MasterKey::parse(&"07".repeat(32)).expect("a key")
}

fn open(folder: &Path) -> People {
    try_open(folder).expect("people")
}

fn try_open(folder: &Path) -> Result<People, PeopleError> {
    let vault = Vault::open(folder, master(), system_dice(), 0).expect("a vault");
    People::open(folder, vault.people_key(), system_dice())
}

impl House {
    fn new() -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let people = open(folder.path());
        House { folder, people, journal: RefCell::default() }
    }

    fn record(&self, record: Record) -> Result<(), handoff_store::CommitError> {
        self.journal.borrow_mut().push(record);
        Ok(())
    }

    fn add(&self, name: &str, second_factor: bool) -> Told {
        let newcomer = Newcomer {
            name: name.parse().expect("a name"),
            role: Role::Coordinator,
            provider: None,
            password: None,
            second_factor,
        };
        self.people.add(newcomer, BECAUSE, &|record| self.record(record)).expect("added")
    }

    fn sign_in(
        &self,
        name: &str,
        password: &str,
        code: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Admitted, SignInError> {
        let password = password.to_string().into();
        let attempt = Attempt { name, password: &password, code, new_password: None, from: "10.0.0.1", now };
        self.people.sign_in(attempt, &|record| self.record(record))
    }

    fn choose(&self, name: &str, told: &Told, chosen: &str) -> Result<Admitted, SignInError> {
        let password = told.password.clone().expect("a password");
        let new_password = Some(chosen.to_string().into());
        let attempt = Attempt { name, password: &password, code: None, new_password, from: "10.0.0.1", now: noon() };
        self.people.sign_in(attempt, &|record| self.record(record))
    }

    /// Somebody who has signed in once.
    fn settled(name: &str) -> House {
        let house = House::new();
        let told = house.add(name, false);
        house.choose(name, &told, CHOSEN).expect("chosen");
        house
    }

    fn last(&self) -> Record {
        self.journal.borrow().last().expect("a record").clone()
    }
}

const BECAUSE: Because<'static> = Because { who: "root", why: "a test" };

#[test]
fn a_one_time_password_is_good_for_choosing_another() {
    let house = House::new();
    let told = house.add("ada", false);
    let once = told.password.as_ref().expect("one was made").as_str().to_string();
    assert!(matches!(house.sign_in("ada", &once, None, noon()), Err(SignInError::ChoiceNeeded)));
    assert!(matches!(house.choose("ada", &told, "too short"), Err(SignInError::Password(PasswordError::TooShort(_)))));
    assert!(matches!(house.choose("ada", &told, &once), Err(SignInError::Password(PasswordError::Unchanged))));
    let admitted = house.choose("ada", &told, CHOSEN).expect("chosen");
    assert_eq!((admitted.person.name.as_str(), admitted.person.role), ("ada", Role::Coordinator));
    assert!(matches!(house.last(), Record::SignedIn { .. }));
    assert!(matches!(house.sign_in("ada", &once, None, noon()), Err(SignInError::Refused)), "it was good for once");
    assert!(house.sign_in("ada", CHOSEN, None, noon()).is_ok());
}

#[test]
fn who_fails_is_not_told_why_and_the_journal_is() {
    let house = House::settled("ada");
    for (name, password, because) in
        [("ada", "a horse that somebody rides", SignInFault::WrongPassword), ("bob", CHOSEN, SignInFault::UnknownName)]
    {
        let told = house.sign_in(name, password, None, noon()).expect_err("refused").to_string();
        assert_eq!(told, "name, password or code is wrong, or the account is locked");
        let person = (name == "ada").then(|| "ada".to_string());
        assert_eq!(house.last(), Record::SignInRefused { person, because, from: "10.0.0.1".into() });
    }
}

#[test]
fn too_many_failures_lock_the_account_for_a_while_across_a_restart() {
    let house = House::settled("ada");
    for _ in 0..FAILURES_MAX {
        assert!(house.sign_in("ada", "a horse that somebody rides", None, noon()).is_err());
    }
    assert_eq!(house.last(), Record::LockedOut { person: "ada".into(), until: noon() + LOCKED_OUT_FOR });
    let House { folder, people, journal } = house;
    drop(people);
    let house = House { people: open(folder.path()), folder, journal };
    let moment = TimeDelta::seconds(1);
    assert!(
        house.sign_in("ada", CHOSEN, None, noon() + LOCKED_OUT_FOR - moment).is_err(),
        "locked, also for the owner"
    );
    assert!(house.sign_in("ada", CHOSEN, None, noon() + LOCKED_OUT_FOR).is_ok(), "the lock ends by itself");
    // It begins anew: one slip is no lock.
    assert!(house.sign_in("ada", "x", None, noon() + LOCKED_OUT_FOR).is_err());
    assert!(house.sign_in("ada", CHOSEN, None, noon() + LOCKED_OUT_FOR).is_ok());
    for _ in 0..FAILURES_MAX {
        assert!(house.sign_in("ada", "x", None, noon() + TimeDelta::hours(1)).is_err());
    }
    house.people.unlock("ada", BECAUSE, &|record| house.record(record)).expect("unlocked");
    assert!(house.sign_in("ada", CHOSEN, None, noon() + TimeDelta::hours(1)).is_ok());
}

#[test]
fn a_code_is_asked_for_and_counts_once() {
    let house = House::new();
    let told = house.add("ada", true);
    let url = told.second_factor.as_ref().expect("a second factor").to_string();
    assert!(url.starts_with("otpauth://totp/Handoff:ada?secret="), "{url}");
    let once = told.password.as_ref().expect("a password").as_str();
    assert!(matches!(house.sign_in("ada", once, None, noon()), Err(SignInError::CodeNeeded)));
    let code = code_of(&house, noon());
    let password = told.password.clone().expect("a password");
    let attempt = |code| {
        let new_password = Some(CHOSEN.to_string().into());
        let attempt = Attempt { name: "ada", password: &password, code, new_password, from: "", now: noon() };
        house.people.sign_in(attempt, &|record| house.record(record))
    };
    assert!(matches!(attempt(Some("000000")), Err(SignInError::Refused)));
    assert!(attempt(Some(&code)).is_ok());
    assert!(matches!(house.sign_in("ada", CHOSEN, Some(&code), noon()), Err(SignInError::Refused)), "used up");
    assert_eq!(
        house.last(),
        Record::SignInRefused { person: Some("ada".into()), because: SignInFault::WrongCode, from: "10.0.0.1".into() }
    );
    let later = noon() + TimeDelta::minutes(1);
    assert!(house.sign_in("ada", CHOSEN, Some(&code_of(&house, later)), later).is_ok());
}

/// The code that fits, found by trying: a phone would know.
fn code_of(house: &House, now: DateTime<Utc>) -> String {
    let secret = house.people.book().people["ada"].second_factor.clone().expect("a second factor");
    let used = house.people.book().people["ada"].code_used;
    (0..1_000_000)
        .map(|code| format!("{code:06}"))
        .find(|code| secret.accepts(code, now, used).is_some())
        .expect("one fits")
}

#[test]
fn the_file_is_its_owners_and_tells_nothing_without_the_master_key() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::settled("ada");
    let path = house.folder.path().join(FILE);
    assert_eq!(std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&path).expect("it is there");
    for clear in ["ada", "coordinator", CHOSEN, "salt"] {
        assert!(!bytes.windows(clear.len()).any(|window| window == clear.as_bytes()), "{clear}");
    }
    let mut forged = bytes.clone();
    forged[bytes.len() / 2] ^= 1;
    std::fs::write(&path, forged).expect("written");
    let House { folder, people, .. } = house;
    drop(people);
    assert!(matches!(try_open(folder.path()), Err(PeopleError::File(FileError::Sealed { .. }))));
}

#[test]
fn an_account_is_made_well_or_not_at_all() {
    let house = House::settled("ada");
    let add = |role, provider: Option<&str>, name: &str| {
        let name = name.parse()?;
        let provider = provider.map(str::to_string);
        let newcomer = Newcomer { name, role, provider, password: None, second_factor: false };
        house.people.add(newcomer, BECAUSE, &|record| house.record(record))
    };
    for (role, provider, name, good) in [
        (Role::It, None, "ada", false),
        (Role::Physician, None, "dr", false),
        (Role::Physician, Some(" "), "dr", false),
        (Role::Physician, Some("1932745621"), "dr", true),
        (Role::Auditor, Some("1932745621"), "eve", false),
        (Role::It, None, "Bob", false),
        (Role::It, None, "bob jones", false),
        (Role::It, None, "b.jones@clinic.example", true),
        (Role::It, None, "", false),
    ] {
        assert_eq!(add(role, provider, name).is_ok(), good, "{role} {provider:?} {name}");
    }
    assert!(matches!(house.last(), Record::Account { change: AccountChange::Added, .. }));
    let names: Vec<String> = house.people.list().into_iter().map(|listed| listed.name).collect();
    assert_eq!(names, ["ada", "b.jones@clinic.example", "dr"]);
}

#[test]
fn what_the_journal_does_not_take_is_not_done() {
    let house = House::settled("ada");
    let broken = |_: Record| Err(handoff_store::CommitError::Closed);
    assert!(house.people.lock("ada", BECAUSE, &broken).is_err());
    assert!(house.people.remove("ada", BECAUSE, &broken).is_err());
    assert!(house.people.reset("ada", None, false, BECAUSE, &broken).is_err());
    let password = CHOSEN.to_string().into();
    let attempt = Attempt { name: "ada", password: &password, code: None, new_password: None, from: "", now: noon() };
    assert!(matches!(house.people.sign_in(attempt, &broken), Err(SignInError::Commit(_))));
    assert!(house.sign_in("ada", CHOSEN, None, noon()).is_ok());
}

#[test]
fn a_session_ends_when_it_idles_when_it_is_old_and_when_its_account_changes() {
    let house = House::settled("ada");
    let sessions = Sessions::new(system_dice());
    let begin = |now| sessions.begin(&house.sign_in("ada", CHOSEN, None, now).expect("let in"), now);
    let who = |token, now| sessions.person(token, now, &house.people).map(|person| person.name);
    let moment = TimeDelta::seconds(1);
    let token = begin(noon());
    assert_eq!(who(&token, noon() + IDLE_MAX - moment).as_deref(), Some("ada"));
    assert_eq!(who(&token, noon() + IDLE_MAX).as_deref(), Some("ada"), "it was used meanwhile");
    assert_eq!(who(&token, noon() + IDLE_MAX + IDLE_MAX), None);
    assert_eq!(who(&token, noon() + IDLE_MAX), None, "an ended session does not come back");

    let token = begin(noon());
    let mut now = noon();
    while now - noon() < LIFE_MAX - IDLE_MAX {
        now += TimeDelta::minutes(10);
        assert!(who(&token, now).is_some());
    }
    assert!(who(&token, noon() + LIFE_MAX - moment).is_some());
    assert_eq!(who(&token, noon() + LIFE_MAX), None);

    for change in ["lock", "reset", "remove"] {
        let house = House::settled("ada");
        let token = sessions.begin(&house.sign_in("ada", CHOSEN, None, noon()).expect("let in"), noon());
        assert!(sessions.person(&token, noon(), &house.people).is_some());
        let record = |record| house.record(record);
        match change {
            "lock" => house.people.lock("ada", BECAUSE, &record).expect("locked"),
            "reset" => drop(house.people.reset("ada", None, false, BECAUSE, &record).expect("reset")),
            _ => house.people.remove("ada", BECAUSE, &record).expect("removed"),
        }
        assert!(sessions.person(&token, noon(), &house.people).is_none(), "{change}");
    }
}

#[test]
fn what_a_page_must_send_along_fits_its_own_session_alone() {
    let house = House::settled("ada");
    let sessions = Sessions::new(system_dice());
    let admitted = house.sign_in("ada", CHOSEN, None, noon()).expect("let in");
    let (one, other) = (sessions.begin(&admitted, noon()), sessions.begin(&admitted, noon()));
    assert!(one.vouches_for(&one.csrf()) && !one.vouches_for(&other.csrf()) && !one.vouches_for(""));
    let again = crate::session::Token::read(&one.as_text()).expect("a token");
    assert!(sessions.person(&again, noon(), &house.people).is_some());
    for text in ["", "x", &one.as_text()[1..], &format!("{}A", *one.as_text())] {
        assert!(crate::session::Token::read(text).is_none(), "{text}");
    }
    sessions.end(&one);
    assert!(sessions.person(&one, noon(), &house.people).is_none());
    assert_eq!(sessions.count(noon()), 1);
    assert_eq!(format!("{one:?} {:?}", Clear::new("x".into())), "Token(…) Clear(…)");
}
