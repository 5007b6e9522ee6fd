//! Every sample message and what it means. The summary is reviewed by hand; `UPDATE_EXPECT=1` rewrites it.

use std::path::Path;

use expect_test::expect_file;
use trigger_hl7v2::message::Message;

use crate::told::{read, tell};

fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut samples: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .expect("the sample folder is part of this crate")
        .map(|entry| entry.expect("a sample can be listed").path())
        .filter(|path| path.is_file())
        .map(|path| {
            (
                path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                std::fs::read(&path).expect("a sample can be read"),
            )
        })
        .collect();
    samples.sort();
    samples
}

#[test]
fn every_sample_means_what_the_summary_says() {
    let mut summary = String::new();
    for (name, bytes) in samples() {
        let reading = read(&bytes, "{}");
        let answer = String::from_utf8_lossy(&reading.accepted.body).into_owned();
        let code =
            answer.split('\r').find_map(|line| line.strip_prefix("MSA|")).and_then(|msa| msa.get(..2)).unwrap_or("--");
        summary += &format!(
            "{name}  {}  {code}  {}\n  {}\n",
            reading.kind,
            reading.dedupe_key,
            tell(&reading).replace('\n', "\n  ")
        );
    }
    expect_file!["summary.txt"].assert_eq(&summary);
}

#[test]
fn every_sample_is_written_again_as_it_came() {
    for (name, bytes) in samples() {
        assert_eq!(Message::parse(&bytes).map(|message| message.encode()).as_ref(), Ok(&bytes), "{name}");
    }
}
