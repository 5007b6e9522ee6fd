//! Tables on the terminal.

use std::io::Write as _;

pub fn out(line: &str) {
    // A closed terminal ends nothing that was measured.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The same thing measured some times.
pub struct Spread {
    pub median: f64,
    least: f64,
    most: f64,
}

pub fn spread(mut measured: Vec<f64>) -> Spread {
    measured.sort_by(f64::total_cmp);
    let at = |index: usize| measured.get(index).copied().unwrap_or_default();
    Spread { median: at(measured.len() / 2), least: at(0), most: at(measured.len().saturating_sub(1)) }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0}..{:.0}", self.least, self.most)
    }
}

pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(title: &str, columns: &[&str]) -> Table {
        out(&format!("\n{title}"));
        Table { rows: vec![columns.iter().map(ToString::to_string).collect()] }
    }

    pub fn row(&mut self, cells: &[String]) {
        self.rows.push(cells.to_vec());
    }

    pub fn print(&self) {
        for row in &self.rows {
            let cells = row.iter().enumerate().map(|(column, cell)| {
                let width = self.rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
                format!("{cell:>width$}")
            });
            out(&cells.collect::<Vec<_>>().join("  "));
        }
    }
}
