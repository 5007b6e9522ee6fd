//! Tables on the terminal.

use std::io::Write as _;

pub fn out(line: &str) {
    // A closed terminal ends nothing that was measured.
    let _ = writeln!(std::io::stdout(), "{line}");
}

pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Memory that this process has in RAM, as Linux counts it; 0 elsewhere.
pub fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or_default();
    kib / 1024.0
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
