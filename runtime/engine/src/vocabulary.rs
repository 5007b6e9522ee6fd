//! One table for each closed list of words. What is stored, what a workflow writes, what a guard compares, what a scenario
//! says and what a list prints are all read off the same table, so that a word is spelled once.

/// A word that its table does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is none of: {}", words.join(", "))]
pub struct UnknownWord {
    pub word: String,
    pub words: &'static [&'static str],
}

/// Makes an enum of words: `Booked = "booked"`. With `of "appointment"` each is an event's name as well.
///
/// Invariant: a word is what stands on disk. One that has ever been stored keeps its spelling; the case may be renamed.
macro_rules! vocabulary {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident of $family:literal { $($(#[$note:meta])* $case:ident = $word:literal),* $(,)? }
    ) => {
        $crate::vocabulary::vocabulary! {
            $(#[$attribute])*
            $visibility enum $name { $($(#[$note])* $case = $word),* }
        }

        impl $name {
            /// The events that these words are of, in the order of the table.
            pub const EVENT_NAMES: &'static [&'static str] = &[$(concat!($family, ".", $word)),*];

            /// The name by which a workflow handles it.
            pub const fn event_name(self) -> &'static str {
                match self { $($name::$case => concat!($family, ".", $word)),* }
            }
        }
    };
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident { $($(#[$note:meta])* $case:ident = $word:literal),* $(,)? }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        $visibility enum $name { $($(#[$note])* #[serde(rename = $word)] $case),* }

        impl $name {
            /// Every case, in the order of the table.
            pub const ALL: &'static [$name] = &[$($name::$case),*];

            /// Every word, in the order of the table.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word for it, wherever it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$case => $word),* }
            }
        }

        impl From<$name> for &'static str {
            fn from(case: $name) -> &'static str {
                case.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::vocabulary::UnknownWord;

            fn from_str(word: &str) -> Result<$name, Self::Err> {
                match word {
                    $($word => Ok($name::$case),)*
                    _ => Err($crate::vocabulary::UnknownWord { word: word.to_string(), words: $name::WORDS }),
                }
            }
        }
    };
}

pub(crate) use vocabulary;
