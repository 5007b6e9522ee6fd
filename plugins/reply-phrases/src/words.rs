//! Cuts a message into words that compare equal however they were typed.
//!
//! Full-width and styled letters become plain ones (NFKD), case and drawn-out letters go, traditional characters become
//! simplified, each Chinese character and each emoji is a word. Vietnamese needs its marks (`dừng` stop, `đúng` right),
//! so every word keeps two forms: `plain` without marks and `toned`, with the tone moved to the end (`hòa` = `hoà`).
//! Also compiled into the build script, so that phrases and messages are cut alike.

use unicode_normalization::UnicodeNormalization;

/// One word of a message.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// Lower case, without marks.
    pub plain: String,
    /// Lower case, with marks, the tone last.
    pub toned: String,
    /// Whether it bears a mark that Spanish and English do not write.
    pub vietnamese: bool,
    /// Whether it is a Latin word in capitals: `STOP`.
    pub loud: bool,
    /// What stands between this word and the one before.
    pub pause: Pause,
}

/// How strongly two neighbouring words are kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pause {
    #[default]
    None,
    /// A comma, a bracket, a dash.
    Clause,
    /// A full stop, a question mark, a new line.
    Sentence,
}

/// A message as words.
#[derive(Clone, Default)]
pub struct Words {
    pub words: Vec<Word>,
    /// `asks[i]`: a question mark follows word `i` before the next word.
    pub asks: Vec<bool>,
    /// Whether the text writes `¿` or `¡`.
    pub inverted_marks: bool,
    /// Whether the text ends in dots.
    pub trails_off: bool,
    /// Whether words were left off at `words_max`.
    pub cut: bool,
}

/// One or two capitals shout nothing: `I`, `OK`.
const LOUD_LETTERS_MIN: usize = 3;
const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];
const CIRCUMFLEX: char = '\u{302}';
const BREVE: char = '\u{306}';
const HORN: char = '\u{31b}';
/// From here on one letter is drawn out: `yesss` is `yes`, `need` stays.
const DRAWN_OUT_FROM: usize = 3;

/// Cuts `text` into at most `words_max` words; `simplify` maps a traditional character.
pub fn split(text: &str, words_max: usize, simplify: impl Fn(char) -> char) -> Words {
    let mut cutter = Cutter::default();
    let lower = |letter: char| letter.to_lowercase().map(move |lower| (lower, letter.is_uppercase()));
    let mut letters = text.nfkd().flat_map(lower).peekable();
    while let Some((letter, upper)) = letters.next() {
        if cutter.done.words.len() >= words_max {
            cutter.done.cut = true;
            break;
        }
        let number_goes_on = cutter.numeric && letters.peek().is_some_and(|(next, _)| next.is_ascii_digit());
        match letter {
            'a'..='z' => {
                cutter.letter(letter, letter, false);
                cutter.capitals += usize::from(upper);
            }
            'đ' => cutter.letter('d', 'đ', true),
            'ı' => cutter.letter('i', 'i', false),
            'ß' => cutter.letter('s', 's', false),
            '0'..='9' => cutter.digit(letter),
            mark if TONES.contains(&mark) => cutter.tone(mark),
            CIRCUMFLEX | BREVE | HORN => cutter.shape(letter),
            '\'' | '’' | '‘' | 'ʼ' | '`' | '´' => {}
            unseen if is_unseen(unseen) => {}
            '.' | ':' | ',' if number_goes_on => cutter.close(),
            '?' => cutter.question_mark(),
            '.' | '!' | '。' | '\n' | '\r' | '｡' => cutter.pause(Pause::Sentence),
            ',' | ';' | ':' | '(' | ')' | '、' | '–' | '—' | '~' | '“' | '”' | '"' | '「' | '」' => {
                cutter.pause(Pause::Clause)
            }
            '¿' | '¡' => {
                cutter.done.inverted_marks = true;
                cutter.pause(Pause::Clause);
            }
            whole if is_han(whole) || is_emoji(whole) => cutter.whole(simplify(whole)),
            _ => cutter.close(),
        }
    }
    cutter.close();
    cutter.done.trails_off = text.trim_end().ends_with(['…', '⋯']) || text.trim_end().ends_with("...");
    cutter.done
}

/// Whether `letter` is a Chinese character.
pub fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' | '〇')
}

pub fn is_emoji(letter: char) -> bool {
    matches!(letter, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b50}')
}

/// Skin tones, variation selectors, joiners, keycaps and other marks that change no meaning.
pub fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{1f3fb}'..='\u{1f3ff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20ff}')
}

/// `yesss` to `yes`; digits repeat for a reason and stay.
fn shorten_drawn_out(word: &mut String) {
    if !word.as_bytes().windows(DRAWN_OUT_FROM).any(|run| run.iter().all(|letter| *letter == run[0])) {
        return;
    }
    let letters: Vec<char> = word.chars().collect();
    let drawn_out = |run: &[char]| run.len() >= DRAWN_OUT_FROM && run[0].is_ascii_alphabetic();
    let runs = letters.chunk_by(|one, next| one == next);
    *word = runs.flat_map(|run| if drawn_out(run) { &run[..1] } else { run }).collect();
}

#[derive(Default)]
struct Cutter {
    done: Words,
    open: Word,
    tone: Option<char>,
    numeric: bool,
    /// The capital letters of the open word.
    capitals: usize,
    pause: Pause,
}

impl Cutter {
    fn letter(&mut self, plain: char, toned: char, vietnamese: bool) {
        if self.numeric {
            self.close();
        }
        self.open.plain.push(plain);
        self.open.toned.push(toned);
        self.open.vietnamese |= vietnamese;
    }

    fn digit(&mut self, digit: char) {
        if !self.numeric {
            self.close();
        }
        self.open.plain.push(digit);
        self.open.toned.push(digit);
        self.numeric = true;
    }

    fn tone(&mut self, mark: char) {
        if !self.open.plain.is_empty() {
            self.tone = Some(mark);
            self.open.vietnamese |= mark != '\u{301}' && mark != '\u{303}';
        }
    }

    fn shape(&mut self, mark: char) {
        if !self.open.plain.is_empty() {
            self.open.toned.push(mark);
            self.open.vietnamese = true;
        }
    }

    fn whole(&mut self, sign: char) {
        self.close();
        self.open.plain.push(sign);
        self.open.toned.push(sign);
        self.close();
    }

    fn pause(&mut self, pause: Pause) {
        self.close();
        self.pause = self.pause.max(pause);
    }

    fn question_mark(&mut self) {
        self.pause(Pause::Sentence);
        if let Some(asks) = self.done.asks.last_mut() {
            *asks = true;
        }
    }

    fn close(&mut self) {
        self.numeric = false;
        if self.open.plain.is_empty() {
            self.capitals = 0;
        }
        let tone = self.tone.take();
        if self.open.plain.is_empty() {
            return;
        }
        let mut word = std::mem::take(&mut self.open);
        word.loud = std::mem::take(&mut self.capitals) == word.plain.len() && word.plain.len() >= LOUD_LETTERS_MIN;
        shorten_drawn_out(&mut word.plain);
        shorten_drawn_out(&mut word.toned);
        word.toned.extend(tone);
        word.pause = std::mem::take(&mut self.pause);
        self.done.words.push(word);
        self.done.asks.push(false);
    }
}
