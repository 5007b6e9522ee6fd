//! The stable number of each error that an operator can read: what manuals, searches and `handoff explain` refer to.
//!
//! Numbers are never given out twice. Those below 100 are of the workflow language, where a problem stands at a line
//! and a column; the others go by subject, a hundred each.
//!
//! [`Problem`]: crate::workflow::Problem

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

/// `H0123`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ErrorCode(u16);

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "H{:04}", self.0)
    }
}

/// An error that has a page in `docs/errors/`.
pub trait Coded {
    fn code(&self) -> ErrorCode;

    /// The file, stage, endpoint or key that it is about, where there is one.
    fn place(&self) -> Option<String> {
        None
    }
}

/// An error without a type of its own: its code and its words. Also a context for one that has none.
#[derive(Debug)]
pub struct Failure {
    code: ErrorCode,
    text: String,
}

impl Failure {
    pub fn new(code: ErrorCode, text: impl Into<String>) -> Failure {
        Failure { code, text: text.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Failure {}

impl Coded for Failure {
    fn code(&self) -> ErrorCode {
        self.code
    }
}

macro_rules! codes {
    ($($number:literal $name:ident $title:literal;)*) => {
        impl ErrorCode {
            $(pub const $name: ErrorCode = ErrorCode($number);)*

            /// All there are, with their titles, in ascending order.
            pub const ALL: &'static [(ErrorCode, &'static str)] = &[$((ErrorCode($number), $title)),*];
        }
    };
}

codes! {
    1 NOT_YAML "the file is not YAML that can be read";
    2 DUPLICATE_KEY "a key is written twice";
    3 UNKNOWN_KEY "there is no such key here";
    4 WRONG_KIND "another kind of value is expected";
    5 MISSING_KEY "a key is missing";
    6 WRONG_FORMAT "the workflow has another format version";
    8 BAD_NAME "a name is not written as names are";
    9 BAD_VALUE "a value cannot stand here";
    10 UNKNOWN_STATE "there is no such state";
    11 UNKNOWN_EVENT "there is no such event";
    12 UNKNOWN_ACTION "there is no such action";
    13 UNKNOWN_LETTER "there is no such letter";
    14 UNKNOWN_TIMER "there is no such timer";
    15 UNUSED_TIMER "nothing waits for this timer";
    16 MISSING_STAGE "a stage is missing that the workflow needs";
    17 NO_FILE "a file that the workflow names is missing";
    18 UNKNOWN_ACT "there is no such action of a person's";
    19 UNKNOWN_TASK "no such task is raised";
    20 BAD_DURATION "a duration cannot be read";
    21 BAD_ZONE "there is no such time zone";
    22 BAD_GUARD "a condition cannot be evaluated";
    23 UNKNOWN_VARIABLE "a condition names an unknown variable";
    24 WRONG_SETTING "a plugin cannot use one of its settings";
    30 UNREACHABLE_STATE "no path leads to this state";
    31 NO_WAY_TO_AN_END "no path leads from this state to an end";
    32 WAITS_FOR_EVER "a referral could wait in this state for ever";
    33 NOT_AT_AN_END "an end cannot have this";
    34 NEVER_TAKEN "this is never reached";
    35 BAD_MOVE "a rule under `moves:` moves nobody";
    36 UNANSWERED "an event can come that no state takes";
    37 NEVER_SET "this timer is never set";
    38 UNUSED_ACT "no state takes this action of a person's";
    39 UNHEARD "a patient may be written to about what is no longer so";
    40 UNKNOWN_PLACEHOLDER "a template has an unknown placeholder";
    41 MISSING_TEMPLATE "a letter has no text";

    101 CONFIG_UNREADABLE "the configuration cannot be read";
    102 CONFIG_MALFORMED "the configuration is not valid";
    103 CONFIG_FORMAT "the configuration has another format version";
    104 RETENTION_TOO_SHORT "the retention is shorter than the law allows";
    105 COMMAND_LINE "the command line cannot be understood";
    106 NO_REASON "a reason is missing";
    107 NOT_RUNNING "no instance runs in this data folder";
    108 OTHER_INSTANCE "configuration and data folder belong to different instances";
    109 CONTROL_SOCKET "the control socket cannot be used";
    110 OTHER_VERSION "the running instance did not understand or did not answer";
    111 ALREADY_THERE "a configuration or journal is there already";
    112 TELEMETRY "traces or logs cannot be set up";
    113 CLOCK "the machine's clock is wrong";
    114 EMPTY_REASON "a reason in the configuration says nothing";
    190 FILE "a file, folder or connection cannot be used";
    199 UNEXPECTED "something failed that has no code of its own";

    201 SECRET_UNREADABLE "a secret cannot be read";
    202 SECRET_EXPOSED "a secret's file can be read by others";
    203 SECRET_UNSET "a secret's environment variable is not set";
    204 SECRET_COMMAND "a secret's command failed";
    205 SECRET_EMPTY "a secret is empty or not text";
    206 MASTER_KEY_MALFORMED "the master key is not a key";
    207 SIGNING_KEY "the signing key cannot be used";
    208 PUBLIC_KEY "a public key cannot be used";
    209 NO_SUCH_SECRET "a secret is used that is not configured";
    210 OTHER_SIGNING_KEY "the journal is signed by another key";
    211 ROTATION_UNFINISHED "a key was not changed, or not wholly";
    212 SECRET_FACTORY "a secret is still the one that everybody knows";

    301 WORKFLOW_UNREADABLE "the workflow file cannot be read";
    302 SCENARIOS_FAIL "a scenario does not come true";
    303 STRANDS_REFERRALS "the change would strand referrals";
    304 IN_FORCE_ALREADY "the deployment is in force already";
    305 NO_SUCH_DEPLOYMENT "there is no such deployment";
    306 NOTHING_BEFORE "there is no earlier deployment";
    307 RECORDED_WORKFLOW "a recorded workflow cannot be read";
    308 DEPLOYMENT_NOT_READY "a deployment cannot be made ready";
    309 NO_SUCH_STAGE "the workflow has no such stage";
    310 CLEAR_WITH_WAY_OUT "a stage reads patient data in clear and may reach an endpoint";
    311 UNREHEARSABLE_ENDPOINT "a rehearsal cannot play what an endpoint leads to";
    312 NO_HL7_TRIGGER "a rehearsal has nothing that reads its orders";
    313 NO_SETTINGS_FILE "a rehearsal needs the stage's settings in a file";
    314 PRACTICE_UNREADABLE "the description of the practice cannot be read";
    315 REHEARSAL_BROKEN "the rehearsal broke off";
    316 NOT_IN_FORCE "another workflow is in force than the configuration names";

    401 NO_SUCH_PLUGIN "there is no such plugin";
    402 PLUGIN_NOT_PULLED "the plugin was not pulled";
    403 PLUGIN_UNTRUSTED "nobody who is trusted signed the plugin";
    404 NOT_A_COMPONENT "the file is not a WebAssembly component";
    405 PLUGIN_IMPORTS "the plugin imports something";
    406 SERVES_NO_STAGE "the plugin serves no stage";
    407 OTHER_CONTRACT "the plugin was built for another contract";
    408 PLUGIN_TOO_LARGE "the plugin needs more than the limits allow";
    409 PLUGIN_DOES_NOT_START "the plugin does not start";
    410 OTHER_WORLD "the plugin serves another stage";
    411 PLUGIN_REPLACED "the plugin's file changed while it was read";
    412 COMPONENT_DAMAGED "a kept component is damaged";
    413 COMPONENT_NOT_KEPT "a component cannot be kept";
    414 PLUGIN_FAULT "a plugin failed in a call";
    415 PLUGIN_RESTS "a plugin keeps failing and is left alone for a while";
    416 OTHER_ANSWER "a plugin answered another question";
    417 SANDBOX "the sandbox for plugins cannot be set up";
    418 COMPILED_FOLDER "the folder of compiled plugins is not safe";
    419 PLUGINS_BUSY "every place for plugin calls is taken";
    420 PLUGIN_KEY "a key for plugins cannot be used";

    501 NO_SUCH_ENDPOINT "the endpoint is not configured";
    502 ENDPOINT_URL "the endpoint's URL cannot be used";
    503 ENDPOINT_UNENCRYPTED "the endpoint is not encrypted";
    504 ENDPOINT_PRIVATE "the endpoint leads to a private address";
    505 ENDPOINT_CREDENTIALS "the endpoint's credentials do not fit its protocol";
    506 ENDPOINT_SETTING "a setting of the endpoint cannot be used";
    507 ENDPOINT_NO_AUTHORITY "the endpoint names no certificate authority";
    508 ENDPOINT_SIGNING_KEY "the endpoint's signing key cannot be used";
    509 ENDPOINT_TLS "the endpoint's TLS files cannot be used";
    510 ENDPOINT_NOT_GRANTED "the workflow does not let the stage reach the endpoint";
    511 REVEAL_NOT_GRANTED "the workflow does not let the stage read this in clear";
    512 NO_AGREEMENT "no business associate agreement is named for the endpoint";
    513 AGREEMENT_EXPIRED "the business associate agreement has expired";
    514 METHOD_NOT_ALLOWED "the endpoint does not allow this HTTP method";
    515 PATH_NOT_ALLOWED "the endpoint does not allow this path";
    516 OTHER_PROTOCOL "the endpoint speaks another protocol than the plugin";
    517 RESPONSE_TOO_LONG "the endpoint answered with too much";
    518 NO_ACCESS_TOKEN "the endpoint got no access token";
    519 NO_STARTTLS "the mail server offers no encryption";
    520 LOGIN_REFUSED "the mail server refused the login";
    521 FOREIGN_TOKEN "a plugin placed another patient's data";
    522 OTHER_RECIPIENT "a plugin chose the recipient itself";
    523 REQUEST_UNFIT "a plugin made a request that cannot be sent";
    524 ENDPOINT_SILENT "nothing answers where the endpoint leads";

    601 LISTENER_UNENCRYPTED "a listener on the network has no TLS";
    602 LISTENER_CERTIFICATE "a listener's certificate or key cannot be used";
    603 CLIENT_AUTHORITY "the authority for clients cannot be used";
    604 CLIENT_NAMES "the names of clients cannot be used";
    605 LISTENER_LIMIT "a listener's limit is zero";
    606 CANNOT_LISTEN "the address cannot be listened on";
    607 SIGNATURE_REFUSED "a delivery's signature was refused";
    608 SOURCE_UNREAD "a listener takes in what the workflow does not read";
    609 SOURCE_UNPROTECTED "anybody could speak for a source";

    701 NO_SUCH_PERSON "nobody has this name";
    702 NAME_TAKEN "somebody has this name already";
    703 PERSON_NAME "the name cannot be an account's";
    704 PASSWORD_UNFIT "the password cannot be taken";
    705 PROVIDER_NUMBER "a physician's number is missing or misplaced";
    706 TOO_MANY_PEOPLE "there are as many accounts as there can be";
    707 ACCOUNTS_FILE "the accounts cannot be used";
    708 ACCOUNTS_DAMAGED "the accounts are damaged or of another instance";
    709 SIGN_IN_REFUSED "the sign-in was refused";
    710 CODE_NEEDED "a code of the authenticator app is needed";
    711 CHOICE_NEEDED "the one-time password was already used";
    712 OIDC_CONFIG "the directory is not configured rightly";
    713 DIRECTORY_UNREACHABLE "the directory cannot be asked";
    714 DIRECTORY_UNTRUSTED "the directory's answer cannot be trusted";
    715 NO_ROLE "the directory gives this person no role";
    716 PASSWORD_MEMORY "a password cannot be checked for want of memory";
    717 ACCESS_REASON "the reason for emergency access cannot be taken";
    718 TWO_FACTORS "this role takes two factors to sign in";

    801 NO_JOURNAL "the folder holds no journal";
    802 IN_USE "another process uses the data folder";
    803 JOURNAL_DAMAGED "the journal is damaged";
    804 JOURNAL_STOPPED "the journal stopped after a disk error";
    805 JOURNAL_FILE "the journal's files cannot be read or written";
    806 ENTRY_TOO_LARGE "an entry is too large for the journal";
    807 INDEX_UNUSABLE "the index cannot be used";
    808 NO_SUCH_ENTRY "the journal has no such entry";
    809 STORE_CLOSED "the journal is closed";
    810 ENTRY_UNWRITABLE "an entry cannot be written as JSON";
    811 KEYRING_MISSING "the key ring is missing or too old";
    812 WRONG_MASTER_KEY "the master key does not open the key ring";
    813 KEYRING_DAMAGED "the key ring is damaged";
    814 KEYRING_FILE "the key ring cannot be read or written";
    815 TOKEN_UNKNOWN "a token stands for nothing that can be shown";
    816 ERASED "the data has been erased";
    817 SEALED_DAMAGED "sealed data is damaged";
    818 VALUE_TOO_LONG "a value is too long to be sealed";
    819 FOLDER_NOT_EMPTY "the folder is not empty";
    820 BACKUP_UNFIT "the backup is not whole";
    821 SEGMENT_BUSY "a segment of the journal changed or is still open";

    901 NO_SUCH_REFERRAL "there is no such referral";
    902 REFERRAL_ID "this is not a referral's id";
    903 NOT_DEAD "this does not wait for a person";
    904 REFERRAL_ENDED "the letter's referral has ended";
    905 LETTER_EXPIRED "the letter has expired";
    906 STILL_UNREADABLE "the delivery still cannot be read";
    907 BYTES_NOT_KEPT "the delivery's bytes were not kept";
    908 NOT_HELD "the referral is not under legal hold";
    909 STEP_REJECTED "the workflow does not take this event";
    910 NO_SUCH_PATIENT "this names no patient";
    913 NOTHING_PAUSED "nothing is paused for this cause";
    914 NOT_LIVE "the instance has not gone live yet";
    920 NO_SUCH_ACT "the workflow has no such action";
    921 ACT_NOT_TAKEN "the referral does not take this action where it stands";
    922 ACT_NOT_YOURS "the action is for another role";
    923 ANSWER_UNFIT "an answer is missing or cannot be taken";
    924 NO_SUCH_TASK "there is no such task";
    925 TASK_ENDED "the task does not take this";
    930 NOT_UNMATCHED "this is no delivery that waits for its referral";
    931 ORDER_OF_ITS_OWN "an order begins a referral of its own";

    1001 REFERENCE "the reference to a registry is not whole";
    1002 PLAIN_HTTP "a registry elsewhere may not be asked without encryption";
    1003 REGISTRY_REFUSED "the registry does not give the plugin";
    1004 PUSH_REFUSED "the registry does not take the plugin";
    1005 NOT_AN_ARTIFACT "the registry holds something that is not a plugin";
    1006 ARTIFACT_TOO_LARGE "what the registry offers is too large";
    1007 OTHER_BYTES "the registry gave other bytes than were named";
    1008 PULLED_DAMAGED "a pulled plugin is damaged";
    1009 NO_PLUGINS_FOLDER "the configuration names no plugins folder";
    1010 REGISTRY_PASSWORD "the registry's password is missing";
    1011 NO_TAG "a push needs a tag";
    1012 NOT_SIGNED "the plugin is not signed";
    1020 PROJECT_THERE "the folder is there already";
    1021 PLUGIN_NAME "this cannot be a plugin's name";
    1022 NO_PROJECT "the folder is not a plugin project";
    1023 CONTRACT "the project's copy of the contract cannot be read";
    1024 BUILD_FAILED "the plugin does not build";
    1025 CASE "a case cannot be used";
    1026 NOT_BUILT "the plugin is not built";

    1101 OTHER_PUBLIC_KEY "the journal was never signed by the given key";
    1102 END_MISSING "the end of the backup's journal is missing";

    1201 MEASUREMENT_PERIOD "this is no measurement period";
    1202 NOT_A_BUNDLE "the file is no FHIR bundle";
    1203 SEVERAL_PATIENTS "the bundle has several patients";
    1204 NO_SUCH_CLINICIAN "nobody of this number referred a patient in the year";
}

// Two errors of one number would send an operator to the wrong page.
const _: () = {
    let mut at = 1;
    while at < ErrorCode::ALL.len() {
        assert!(ErrorCode::ALL[at - 1].0.0 < ErrorCode::ALL[at].0.0, "numbers ascend, and none is there twice");
        at += 1;
    }
};
