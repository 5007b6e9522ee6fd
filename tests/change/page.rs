//! The page for administrators cannot lie: its edits are made and its commands run, and what they print is what stands there.

use std::process::Command;

use crate::house::House;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/changing-a-workflow.md");

/// Where the page's house stands.
const HOME: &str = "/srv/handoff";

/// What each run has of its own: digests, ids, moments.
fn without_what_is_new_each_time(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_digest = matches!(bare.len(), 12 | 64) && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_referral = bare.len() == 26 && bare.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_moment =
            bare.len() >= 5 && bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-' || byte == b':');
        if is_digest || is_referral || is_moment { word.replace(bare, "#") } else { word.to_string() }
    };
    text.split_inclusive(char::is_whitespace).map(word).collect()
}

/// Lines taken out, and the lines in their place.
fn edit(house: &House, file: &str, lines: &[&str]) {
    let of = |sign: char| {
        lines.iter().filter_map(|line| line.strip_prefix(sign)).map(|line| format!("{line}\n")).collect::<String>()
    };
    house.edit(file, &of('-'), &of('+'));
}

fn run(house: &House, command: &str) -> String {
    let mut words = Vec::new();
    for (number, piece) in command.split('"').enumerate() {
        match number % 2 {
            0 => words.extend(piece.split_whitespace().map(str::to_string)),
            _ => words.push(piece.to_string()),
        }
    }
    let (program, arguments) = words.split_first().expect("a command");
    assert_eq!(program, "handoff", "{command}");
    let output =
        Command::new(env!("CARGO_BIN_EXE_handoff-house")).args(arguments).current_dir(house.path(".")).output();
    let output = output.expect("the binary runs");
    let told = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
    told.replace(house.path("").trim_end_matches('/'), HOME)
}

#[test]
fn the_page_says_what_happens() {
    let house = House::new();
    let endpoint = "  sms-b:\n    url: http://127.0.0.1:9\n    allow_private: true\n    baa:\n      reference: A-2026-17\n  mail:\n";
    house.edit("handoff.yaml", "  mail:\n", endpoint);
    let daemon = house.serve();
    super::take_orders(&daemon, 0..3);
    let page = std::fs::read_to_string(PAGE).expect("the page");
    let mut told = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        told += &format!("{line}\n");
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match kind.split_once(' ') {
            Some(("diff", file)) => {
                edit(&house, file, &block);
                told += &block.iter().map(|line| format!("{line}\n")).collect::<String>();
            }
            _ => {
                for command in block.iter().filter_map(|line| line.strip_prefix("$ ")) {
                    told += &format!("$ {command}\n{}", run(&house, command));
                }
            }
        }
        told += "```\n";
    }
    assert!(daemon.stop().0.success());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return std::fs::write(PAGE, &told).expect("written");
    }
    let same = |text: &str| without_what_is_new_each_time(text).lines().map(str::to_string).collect::<Vec<_>>();
    assert_eq!(same(&page), same(&told), "the page says something else: UPDATE_EXPECT=1 writes it anew");
}
