//! Where a site tells what: the `map` of a trigger's settings. It says for a fact in which places of a message it stands, what its
//! codes mean, and what counts where nothing is said. How a place is written is the plugin's matter, and so is what a fact becomes.
//!
//! All of it is read before the first message: a place that is none, a fact that nobody knows or a word that a fact cannot be is an
//! error of the settings, with its key and its cure.

mod fact;
mod settings;

pub use fact::{Fact, Takes};
pub use settings::{PathFault, SettingFault};

/// A site's own places, one rule for a fact. `P` is a place as a plugin writes it.
pub struct Mapping<P> {
    rules: Vec<Rule<P>>,
}

/// Where one fact is told.
pub struct Rule<P> {
    pub fact: Fact,
    /// The first that holds something counts.
    from: Vec<P>,
    codes: Vec<(String, Coded)>,
    default: Option<Coded>,
    /// The terminology of codes that name none.
    system: String,
}

/// What a code table says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coded {
    pub system: String,
    pub code: String,
    pub display: String,
}

/// One value of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told<V> {
    /// As it stands in the message.
    Written(V),
    /// As the settings say.
    Meant(Coded),
}

/// A code stands in the message that the table does not have, and the settings do not say what counts then.
#[derive(Debug, PartialEq, Eq)]
pub struct NotInTable<'a, P> {
    pub fact: Fact,
    pub place: &'a P,
}

impl<P> NotInTable<'_, P> {
    /// A code that nobody gave a meaning to is not guessed at: an urgent referral would wait like any other.
    pub fn message(&self) -> String {
        format!("the settings do not say which {} the code here means", self.fact)
    }

    pub fn help(&self) -> String {
        let fact = self.fact;
        let words = match fact.takes() {
            Takes::Words(words) => format!(" as {}", words.join(", ")),
            Takes::Code | Takes::Text => String::new(),
        };
        format!("list the code under `map.{fact}.codes` of the trigger's settings{words}, or set `map.{fact}.default`")
    }
}

/// Puts what a site tells in its own place before what the standard's says, each once.
pub fn put_first<T: PartialEq>(known: &mut Vec<T>, first: Vec<T>) {
    known.retain(|one| !first.contains(one));
    known.splice(0..0, first);
}

impl<P> Default for Mapping<P> {
    fn default() -> Mapping<P> {
        Mapping { rules: Vec::new() }
    }
}

impl<P> Mapping<P> {
    /// Where a site tells this fact, if anywhere.
    pub fn rule(&self, fact: Fact) -> Option<&Rule<P>> {
        self.rules.iter().find(|rule| rule.fact == fact)
    }
}

impl<P> Rule<P> {
    /// The values of the first place that has any; `find` leaves out what is empty, and `code` is by what the table knows a value.
    ///
    /// # Errors
    /// When a code stands there that the table does not have.
    pub fn told<V>(
        &self,
        find: impl Fn(&P) -> Vec<V>,
        code: impl Fn(&V) -> String,
    ) -> Result<Vec<Told<V>>, NotInTable<'_, P>> {
        let places = self.from.iter().map(|place| (place, find(place)));
        let Some((place, values)) = places.into_iter().find(|(_, values)| !values.is_empty()) else {
            return Ok(self.default.iter().cloned().map(Told::Meant).collect());
        };
        values
            .into_iter()
            .map(|value| {
                let said = code(&value);
                match (self.meant(&said), &self.default) {
                    (Some(meant), _) => Ok(Told::Meant(meant)),
                    (None, Some(default)) if self.is_closed() => Ok(Told::Meant(default.clone())),
                    (None, None) if self.is_closed() => Err(NotInTable { fact: self.fact, place }),
                    (None, _) => Ok(Told::Written(value)),
                }
            })
            .collect()
    }

    /// The terminology of a code that names none itself.
    pub fn system(&self) -> &str {
        &self.system
    }

    /// By the table, else by the fact's own words: `URGENT` is an urgency without any table.
    fn meant(&self, said: &str) -> Option<Coded> {
        let exact = self.codes.iter().find(|(code, _)| code == said);
        let alike = || self.codes.iter().find(|(code, _)| code.eq_ignore_ascii_case(said));
        if let Some((_, meant)) = exact.or_else(alike) {
            return Some(meant.clone());
        }
        let Takes::Words(words) = self.fact.takes() else { return None };
        let word = words.iter().find(|word| word.eq_ignore_ascii_case(said) && self.codes.is_empty())?;
        Some(Coded { code: (*word).to_owned(), ..Coded::default() })
    }

    /// Whether a value must be one that the settings or the fact know.
    fn is_closed(&self) -> bool {
        !self.codes.is_empty() || matches!(self.fact.takes(), Takes::Words(_))
    }
}
