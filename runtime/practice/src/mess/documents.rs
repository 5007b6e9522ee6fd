//! Documents as engines send them: in pieces, with wrapped Base64, or cut on the way.

use crate::dice::Dice;
use crate::town::SimulationState;

/// How a document's Base64 is written into OBX-5.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Characters in an OBX; all in one without.
    pub piece: Option<usize>,
    /// What stands between lines of 76 characters.
    pub wrap: &'static str,
}

/// RFC 2045, section 6.8.
const LINE_CHARACTERS: usize = 76;

/// As HL7's line break, as escaped CR LF, as bare CR LF, as repetitions.
const WRAPS: [&str; 4] = ["\\.br\\", "\\X0D\\\\X0A\\", "\r\n", "~"];

/// What is lost on the way of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// Every OBX.
    All,
    /// The last OBX, or a third of the only one.
    End,
    /// An OBX in the middle, or a third of the only one.
    Middle,
}

/// The Base64 of each OBX.
pub(crate) fn pieces(base64: &str, shape: &Shape) -> Vec<String> {
    let size = shape.piece.unwrap_or(base64.len()).max(1);
    base64.as_bytes().chunks(size).map(|piece| wrapped(piece, shape.wrap)).collect()
}

fn wrapped(piece: &[u8], wrap: &str) -> String {
    if wrap.is_empty() {
        return String::from_utf8_lossy(piece).into_owned();
    }
    let lines = piece.chunks(LINE_CHARACTERS).map(String::from_utf8_lossy);
    lines.collect::<Vec<_>>().join(wrap)
}

impl SimulationState {
    pub(crate) fn shape_of_document(&self, person: usize) -> Shape {
        let mess = self.plan.profile.mess;
        let mut dice = self.mess_dice(person, "shape of document", 1);
        // No multiple of four: a piece cannot be decoded by itself.
        let size = usize::try_from(dice.between(50, 150)).unwrap_or(50) * 4 + 1;
        let wrap = dice.pick(&WRAPS);
        Shape {
            piece: self.has_trait(person, "documents in pieces", mess.documents_in_pieces).then_some(size),
            wrap: if self.has_trait(person, "wrapped documents", mess.wrapped_documents) { wrap } else { "" },
        }
    }

    /// The message as it arrives where its document is cut on the way; none where it is not.
    pub(crate) fn cut(&self, person: usize, body: &str) -> Option<String> {
        let is_cut = self.has_trait(person, "cut documents", self.plan.profile.mess.cut_documents);
        is_cut.then(|| cut(body, &mut self.mess_dice(person, "cut documents", 1)))
    }
}

fn cut(body: &str, dice: &mut Dice) -> String {
    let first = body.find("\rOBX|").unwrap_or(body.len());
    let (before, observations) = body.split_at(first);
    let pieces: Vec<&str> = observations.split("\rOBX|").skip(1).collect();
    let loss = dice.pick(&[Loss::All, Loss::End, Loss::Middle]);
    let kept: Vec<&str> = match (loss, pieces.len()) {
        (Loss::All, _) | (_, 0) => Vec::new(),
        (_, 1) => {
            let left = pieces[0].len() - observations.len() / 3;
            vec![&pieces[0][..left]]
        }
        (Loss::End, several) => pieces[..several - 1].to_vec(),
        (Loss::Middle, several) => {
            let lost = usize::try_from(dice.between(0, i64::try_from(several).unwrap_or(1) - 2)).unwrap_or_default();
            pieces.iter().enumerate().filter(|(place, _)| *place != lost).map(|(_, piece)| *piece).collect()
        }
    };
    let kept: String = kept.iter().map(|piece| format!("\rOBX|{piece}")).collect();
    format!("{before}{}\r", kept.trim_end_matches('\r'))
}

#[cfg(test)]
mod tests {
    use super::{Shape, cut, pieces};
    use crate::dice::Dice;

    #[test]
    fn pieces_and_lines_are_the_whole() {
        let base64 = "A".repeat(1000);
        for (piece, wrap) in [(None, ""), (Some(201), ""), (None, "~"), (Some(333), "\r\n")] {
            let joined = pieces(&base64, &Shape { piece, wrap }).concat();
            assert_eq!(joined.replace(wrap, ""), base64, "{piece:?} {wrap:?}");
        }
    }

    #[test]
    fn whatever_is_cut_is_shorter() {
        for body in ["MSH|a\rOBR|1\rOBX|1|ED|||AAAABBBBCCCCDDDDEEEEFFFF\r", "MSH|a\rOBX|1|A\rOBX|2|B\rOBX|3|C\r"] {
            for nth in 0..50 {
                let cut = cut(body, &mut Dice::of(1, 0, "cut", nth));
                assert!(cut.len() < body.len() && cut.starts_with("MSH|a\r"), "{cut:?}");
            }
        }
    }
}
