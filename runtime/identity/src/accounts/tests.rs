//! Accounts and signing in, without a network.

use std::cell::RefCell;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_store::{AccountChange, Record, SignInFault};
use handoff_vault::{Clear, MasterKey, Vault, system_dice};

use super::*;
use crate::account::{FAILURES_MAX, LOCKED_OUT_FOR};
use crate::session::{IDLE_MAX, LIFE_MAX, Sessions};
use crate::sign_in::{Admitted, SignInAttempt, SignInError};

const CHOSEN: &str = "a horse that nobody rides";

/// Accounts, and what the journal was told.
struct Fixture {
    folder: tempfile::TempDir,
    accounts: Accounts,
    journal: RefCell<Vec<Record>>,
}

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a moment")
}

fn master() -> MasterKey {
    MasterKey::parse(&"07".repeat(32)).expect("a key")
}

fn open(folder: &Path) -> Accounts {
    try_open(folder).expect("people")
}

fn try_open(folder: &Path) -> Result<Accounts, AccountsError> {
    let vault = Vault::open(folder, master(), system_dice(), 0).expect("a vault");
    Accounts::open(folder, vault.people_seal(), system_dice())
}

impl Fixture {
    fn new() -> Fixture {
        let folder = tempfile::tempdir().expect("a folder");
        let accounts = open(folder.path());
        Fixture { folder, accounts, journal: RefCell::default() }
    }

    fn record(&self, record: Record) -> Result<(), handoff_store::CommitError> {
        self.journal.borrow_mut().push(record);
        Ok(())
    }

    fn add(&self, name: &str, second_factor: bool) -> IssuedCredentials {
        let newcomer = NewAccount {
            name: name.parse().expect("a name"),
            role: Role::Coordinator,
            provider: None,
            password: None,
            second_factor,
        };
        self.accounts.add(newcomer, CHANGED_BY, &|record| self.record(record)).expect("added")
    }

    fn sign_in(
        &self,
        name: &str,
        password: &str,
        code: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Admitted, SignInError> {
        let password = password.to_string().into();
        let attempt = SignInAttempt { name, password: &password, code, new_password: None, from: "10.0.0.1", now };
        self.accounts.sign_in(attempt, &|record| self.record(record))
    }

    fn choose(&self, name: &str, told: &IssuedCredentials, chosen: &str) -> Result<Admitted, SignInError> {
        let password = told.password.clone().expect("a password");
        let new_password = Some(chosen.to_string().into());
        let attempt =
            SignInAttempt { name, password: &password, code: None, new_password, from: "10.0.0.1", now: noon() };
        self.accounts.sign_in(attempt, &|record| self.record(record))
    }

    /// Somebody who has signed in once.
    fn settled(name: &str) -> Fixture {
        let fixture = Fixture::new();
        let told = fixture.add(name, false);
        fixture.choose(name, &told, CHOSEN).expect("chosen");
        fixture
    }

    fn last(&self) -> Record {
        self.journal.borrow().last().expect("a record").clone()
    }
}

const CHANGED_BY: ChangedBy<'static> = ChangedBy { who: "root", why: "a test" };

#[test]
fn a_one_time_password_is_good_for_choosing_another() {
    let fixture = Fixture::new();
    let told = fixture.add("ada", false);
    let once = told.password.as_ref().expect("one was made").as_str().to_string();
    assert!(matches!(fixture.sign_in("ada", &once, None, noon()), Err(SignInError::ChoiceNeeded)));
    assert!(matches!(
        fixture.choose("ada", &told, "too short"),
        Err(SignInError::Password(PasswordError::TooShort(_)))
    ));
    assert!(matches!(fixture.choose("ada", &told, &once), Err(SignInError::Password(PasswordError::Unchanged))));
    let admitted = fixture.choose("ada", &told, CHOSEN).expect("chosen");
    assert_eq!((admitted.person.name.as_str(), admitted.person.role), ("ada", Role::Coordinator));
    assert!(matches!(fixture.last(), Record::SignedIn { .. }));
    assert!(matches!(fixture.sign_in("ada", &once, None, noon()), Err(SignInError::Refused)), "it was good for once");
    assert!(fixture.sign_in("ada", CHOSEN, None, noon()).is_ok());
}

#[test]
fn who_fails_is_not_told_why_and_the_journal_is() {
    let fixture = Fixture::settled("ada");
    for (name, password, because) in
        [("ada", "a horse that somebody rides", SignInFault::WrongPassword), ("bob", CHOSEN, SignInFault::UnknownName)]
    {
        let told = fixture.sign_in(name, password, None, noon()).expect_err("refused").to_string();
        assert_eq!(told, "name, password or code is wrong, or the account is locked");
        let person = (name == "ada").then(|| "ada".to_string());
        assert_eq!(fixture.last(), Record::SignInRefused { person, because, from: "10.0.0.1".into() });
    }
}

#[test]
fn too_many_failures_lock_the_account_for_a_while_across_a_restart() {
    let fixture = Fixture::settled("ada");
    for _ in 0..FAILURES_MAX {
        assert!(fixture.sign_in("ada", "a horse that somebody rides", None, noon()).is_err());
    }
    assert_eq!(fixture.last(), Record::LockedOut { person: "ada".into(), until: noon() + LOCKED_OUT_FOR });
    let Fixture { folder, accounts, journal } = fixture;
    drop(accounts);
    let fixture = Fixture { accounts: open(folder.path()), folder, journal };
    let moment = TimeDelta::seconds(1);
    assert!(
        fixture.sign_in("ada", CHOSEN, None, noon() + LOCKED_OUT_FOR - moment).is_err(),
        "locked, also for the owner"
    );
    assert!(fixture.sign_in("ada", CHOSEN, None, noon() + LOCKED_OUT_FOR).is_ok(), "the lock ends by itself");
    // It begins anew: one slip is no lock.
    assert!(fixture.sign_in("ada", "x", None, noon() + LOCKED_OUT_FOR).is_err());
    assert!(fixture.sign_in("ada", CHOSEN, None, noon() + LOCKED_OUT_FOR).is_ok());
    for _ in 0..FAILURES_MAX {
        assert!(fixture.sign_in("ada", "x", None, noon() + TimeDelta::hours(1)).is_err());
    }
    fixture.accounts.unlock("ada", CHANGED_BY, &|record| fixture.record(record)).expect("unlocked");
    assert!(fixture.sign_in("ada", CHOSEN, None, noon() + TimeDelta::hours(1)).is_ok());
}

#[test]
fn a_code_is_asked_for_and_counts_once() {
    let fixture = Fixture::new();
    let told = fixture.add("ada", true);
    let url = told.second_factor.as_ref().expect("a second factor").to_string();
    assert!(url.starts_with("otpauth://totp/Handoff:ada?secret="), "{url}");
    let once = told.password.as_ref().expect("a password").as_str();
    assert!(matches!(fixture.sign_in("ada", once, None, noon()), Err(SignInError::CodeNeeded)));
    let code = code_of(&fixture, noon());
    let password = told.password.clone().expect("a password");
    let attempt = |code| {
        let new_password = Some(CHOSEN.to_string().into());
        let attempt = SignInAttempt { name: "ada", password: &password, code, new_password, from: "", now: noon() };
        fixture.accounts.sign_in(attempt, &|record| fixture.record(record))
    };
    assert!(matches!(attempt(Some("000000")), Err(SignInError::Refused)));
    assert!(attempt(Some(&code)).is_ok());
    assert!(matches!(fixture.sign_in("ada", CHOSEN, Some(&code), noon()), Err(SignInError::Refused)), "used up");
    assert_eq!(
        fixture.last(),
        Record::SignInRefused { person: Some("ada".into()), because: SignInFault::WrongCode, from: "10.0.0.1".into() }
    );
    let later = noon() + TimeDelta::minutes(1);
    assert!(fixture.sign_in("ada", CHOSEN, Some(&code_of(&fixture, later)), later).is_ok());
}

/// The code that Ada's phone shows.
fn code_of(fixture: &Fixture, now: DateTime<Utc>) -> String {
    let accounts = fixture.accounts.accounts();
    accounts.by_name["ada"].second_factor.as_ref().expect("a second factor").code(now)
}

#[test]
fn the_file_is_its_owners_and_tells_nothing_without_the_master_key() {
    use std::os::unix::fs::PermissionsExt as _;
    let fixture = Fixture::settled("ada");
    let path = fixture.folder.path().join(FILE);
    assert_eq!(std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&path).expect("it is there");
    for clear in ["ada", "coordinator", CHOSEN, "salt"] {
        assert!(!bytes.windows(clear.len()).any(|window| window == clear.as_bytes()), "{clear}");
    }
    let mut forged = bytes.clone();
    forged[bytes.len() / 2] ^= 1;
    std::fs::write(&path, forged).expect("written");
    let Fixture { folder, accounts, .. } = fixture;
    drop(accounts);
    assert!(matches!(try_open(folder.path()), Err(AccountsError::File(AccountFileError::Sealed { .. }))));
}

#[test]
fn an_account_is_made_well_or_not_at_all() {
    let fixture = Fixture::settled("ada");
    let add = |role, provider: Option<&str>, name: &str| {
        let name = name.parse()?;
        let provider = provider.map(str::to_string);
        let newcomer = NewAccount { name, role, provider, password: None, second_factor: false };
        fixture.accounts.add(newcomer, CHANGED_BY, &|record| fixture.record(record))
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
    assert!(matches!(fixture.last(), Record::Account { change: AccountChange::Added, .. }));
    let names: Vec<String> = fixture.accounts.list().into_iter().map(|listed| listed.name).collect();
    assert_eq!(names, ["ada", "b.jones@clinic.example", "dr"]);
}

#[test]
fn what_the_journal_does_not_take_is_not_done() {
    let fixture = Fixture::settled("ada");
    let broken = |_: Record| Err(handoff_store::CommitError::Closed);
    assert!(fixture.accounts.lock("ada", CHANGED_BY, &broken).is_err());
    assert!(fixture.accounts.remove("ada", CHANGED_BY, &broken).is_err());
    assert!(fixture.accounts.reset("ada", None, false, CHANGED_BY, &broken).is_err());
    let password = CHOSEN.to_string().into();
    let attempt =
        SignInAttempt { name: "ada", password: &password, code: None, new_password: None, from: "", now: noon() };
    assert!(matches!(fixture.accounts.sign_in(attempt, &broken), Err(SignInError::Commit(_))));
    assert!(fixture.sign_in("ada", CHOSEN, None, noon()).is_ok());
}

#[test]
fn a_session_ends_when_it_idles_when_it_is_old_and_when_its_account_changes() {
    let fixture = Fixture::settled("ada");
    let sessions = Sessions::new(system_dice());
    let begin = |now| sessions.begin(&fixture.sign_in("ada", CHOSEN, None, now).expect("let in"), now);
    let who = |token, now| sessions.person(token, now, &fixture.accounts).map(|person| person.name);
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
        let fixture = Fixture::settled("ada");
        let token = sessions.begin(&fixture.sign_in("ada", CHOSEN, None, noon()).expect("let in"), noon());
        assert!(sessions.person(&token, noon(), &fixture.accounts).is_some());
        let record = |record| fixture.record(record);
        match change {
            "lock" => fixture.accounts.lock("ada", CHANGED_BY, &record).expect("locked"),
            "reset" => drop(fixture.accounts.reset("ada", None, false, CHANGED_BY, &record).expect("reset")),
            _ => fixture.accounts.remove("ada", CHANGED_BY, &record).expect("removed"),
        }
        assert!(sessions.person(&token, noon(), &fixture.accounts).is_none(), "{change}");
    }
}

#[test]
fn what_a_page_must_send_along_fits_its_own_session_alone() {
    let fixture = Fixture::settled("ada");
    let sessions = Sessions::new(system_dice());
    let admitted = fixture.sign_in("ada", CHOSEN, None, noon()).expect("let in");
    let (one, other) = (sessions.begin(&admitted, noon()), sessions.begin(&admitted, noon()));
    assert!(one.accepts_csrf(&one.csrf()) && !one.accepts_csrf(&other.csrf()) && !one.accepts_csrf(""));
    let again = crate::session::SessionToken::read(&one.as_text()).expect("a token");
    assert!(sessions.person(&again, noon(), &fixture.accounts).is_some());
    for text in ["", "x", &one.as_text()[1..], &format!("{}A", *one.as_text())] {
        assert!(crate::session::SessionToken::read(text).is_none(), "{text}");
    }
    sessions.end(&one);
    assert!(sessions.person(&one, noon(), &fixture.accounts).is_none());
    assert_eq!(sessions.count(noon()), 1);
    assert_eq!(format!("{one:?} {:?}", Clear::new("x".into())), "SessionToken(…) Clear(…)");
}

#[test]
fn a_role_may_take_two_factors_and_the_journal_knows_who_showed_how_many() {
    let mut fixture = Fixture::settled("ada");
    fixture.accounts.require_two_factors(&[Role::Coordinator]);
    assert!(matches!(fixture.sign_in("ada", CHOSEN, None, noon()), Err(SignInError::OneFactor)));
    let refused = |because| Record::SignInRefused { person: Some("ada".into()), because, from: "10.0.0.1".into() };
    assert_eq!(fixture.last(), refused(SignInFault::OneFactor));
    let record = |record| fixture.record(record);
    let reset = |second_factor| fixture.accounts.reset("ada", None, second_factor, CHANGED_BY, &record);
    assert!(matches!(reset(false), Err(AccountsError::OneFactor(Role::Coordinator))));
    let told = reset(true).expect("reset");
    assert!(matches!(fixture.last(), Record::Account { change: AccountChange::Reset, second_factor: true, .. }));
    let password = told.password.expect("a password");
    assert!(matches!(fixture.sign_in("ada", password.as_str(), None, noon()), Err(SignInError::CodeNeeded)));
    assert_eq!(fixture.last(), refused(SignInFault::NoCode));
    let code = code_of(&fixture, noon());
    let new_password = Some(CHOSEN.to_string().into());
    let attempt =
        SignInAttempt { name: "ada", password: &password, code: Some(&code), new_password, from: "", now: noon() };
    fixture.accounts.sign_in(attempt, &record).expect("both factors");
    assert!(matches!(fixture.last(), Record::SignedIn { second_factor: true, .. }));
}

#[test]
fn a_name_that_nobody_has_and_a_locked_one_cost_the_disk_as_much_as_a_wrong_password() {
    use std::os::unix::fs::MetadataExt as _;
    let fixture = Fixture::settled("ada");
    // The file is replaced whole whenever it is written.
    let file = || std::fs::metadata(fixture.folder.path().join(FILE)).expect("it is there").ino();
    for (name, what) in [("ada", "a wrong password"), ("bob", "nobody"), ("ada", "a wrong password again")] {
        let (before, noted) = (file(), fixture.journal.borrow().len());
        assert!(fixture.sign_in(name, "a wrong one", None, noon()).is_err());
        assert_ne!(file(), before, "{what}");
        assert_eq!(fixture.journal.borrow().len(), noted + 1, "{what}");
    }
    fixture.accounts.lock("ada", CHANGED_BY, &|record| fixture.record(record)).expect("locked");
    let before = file();
    assert!(fixture.sign_in("ada", CHOSEN, None, noon()).is_err());
    assert_ne!(file(), before, "locked");
}
