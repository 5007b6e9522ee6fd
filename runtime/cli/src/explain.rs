//! `handoff explain CODE`: the page of an error, as it stands in `docs/errors/`.

mod pages;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use handoff_engine::error_code::{ErrorCode, Failure};
use pages::PAGES;

#[derive(Args)]
pub struct Explain {
    /// As the error has it: H0123
    code: Option<String>,
}

/// Codes that are offered in place of one that there is not.
const OFFERED_MAX: usize = 4;

impl Explain {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.code {
            Some(code) => say!("{}", page(&code)?.trim_end()),
            None => {
                for (code, title) in ErrorCode::ALL {
                    say!("{code}  {title}");
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The page of a code, however it is written: H0123, h123, 123.
fn page(code: &str) -> Result<&'static str, Failure> {
    let digits = code.trim().trim_start_matches(['H', 'h']);
    let number = digits.parse::<u16>().ok();
    let found = number.and_then(|number| PAGES.iter().find(|(it, _)| *it == format!("H{number:04}")));
    found.map(|(_, page)| *page).ok_or_else(|| unknown(code, number))
}

fn unknown(code: &str, number: Option<u16>) -> Failure {
    let digits = |code: &ErrorCode| code.to_string().trim_start_matches('H').parse().unwrap_or(u16::MAX);
    let mut near: Vec<(u16, &ErrorCode)> = match number {
        Some(number) => ErrorCode::ALL.iter().map(|(code, _)| (digits(code).abs_diff(number), code)).collect(),
        None => Vec::new(),
    };
    near.sort();
    let near: Vec<String> = near.iter().take(OFFERED_MAX).map(|(_, code)| code.to_string()).collect();
    let cure = match near.as_slice() {
        [] => "`handoff explain` lists all codes".to_string(),
        near => format!("near it are {}; `handoff explain` lists all codes", near.join(", ")),
    };
    Failure::new(ErrorCode::COMMAND_LINE, format!("there is no error {code}\n  help: {cure}"))
}

#[cfg(test)]
mod tests;
