//! Coded fields (CE, CWE, CNE; HL7 v2.8, 2.A.13).

use crate::message::Value;
use crate::types::Code;

pub fn empty_code() -> Code {
    Code { system: String::new(), code: String::new(), display: String::new() }
}

/// The code and its terminology as sent. Nothing when neither a code nor a text was.
pub fn code(value: Value<'_>) -> Option<Code> {
    let code = Code { system: value.part(3), code: value.part(1), display: value.part(2) };
    let display = if code.display.is_empty() { value.part(9) } else { code.display };
    (!code.code.is_empty() || !display.is_empty()).then_some(Code { display, ..code })
}

/// The triplet of this terminology, first or alternate.
pub fn code_of(value: Value<'_>, system: &str) -> Option<Code> {
    [1, 4].into_iter().find_map(|first| {
        let code = Code { code: value.part(first), display: value.part(first + 1), system: value.part(first + 2) };
        (code.system == system && !code.code.is_empty()).then_some(code)
    })
}

/// Each repetition of a coded field.
pub fn codes(value: Value<'_>) -> impl Iterator<Item = Code> {
    value.repetitions().filter_map(code)
}
