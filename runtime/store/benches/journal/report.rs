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

/// Processor time that this process has used, on all cores, as Linux counts it; 0 elsewhere.
pub fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Past the name, which may hold spaces: user and system time are the 14th and 15th of all fields.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
}

/// `sysconf(_SC_CLK_TCK)` on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

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
