//! Small pictures of figures, as the numbers of an SVG: widths and points are attributes, so that no style is needed.

/// A line over time, with the band where it should be.
pub(super) struct Sparkline {
    pub points: String,
    pub band_y: String,
    pub band_height: String,
    pub end_x: String,
    pub end_y: String,
    pub label: String,
}

pub(super) const WIDTH: f64 = 160.0;
pub(super) const HEIGHT: f64 = 40.0;
const INSET: f64 = 2.0;

/// Nothing while fewer than two points are known.
pub(super) fn sparkline(values: &[f64], target: f64, at_least: bool, name: &str) -> Option<Sparkline> {
    let (first, last) = (values.first()?, values.last()?);
    if values.len() < 2 {
        return None;
    }
    let lowest = values.iter().copied().fold(target, f64::min);
    let highest = values.iter().copied().fold(target, f64::max);
    let room = (highest - lowest).max(1.0);
    let (lowest, highest) = (lowest - room * 0.15, highest + room * 0.15);
    let y = |value: f64| (highest - value) / (highest - lowest) * HEIGHT;
    // A practice has weeks by the dozen: what is lost of a count in a float is nothing.
    let step = (WIDTH - 4.0 * INSET) / (values.len() - 1) as f64;
    let x = |place: usize| INSET + step * place as f64;
    let points: Vec<String> =
        values.iter().enumerate().map(|(place, value)| format!("{:.1},{:.1}", x(place), y(*value))).collect();
    let (band_y, band_height) = if at_least { (0.0, y(target)) } else { (y(target), HEIGHT - y(target)) };
    let wanted = if at_least { "at least" } else { "at most" };
    Some(Sparkline {
        points: points.join(" "),
        band_y: format!("{band_y:.1}"),
        band_height: format!("{band_height:.1}"),
        end_x: format!("{:.1}", x(values.len() - 1)),
        end_y: format!("{:.1}", y(*last)),
        label: format!(
            "{name}: from {first:.0}% to {last:.0}% in {} weeks; wanted {wanted} {target:.0}%",
            values.len()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_inside_its_picture_and_ends_at_its_last_value() {
        let line = sparkline(&[73.0, 82.0, 76.0], 80.0, true, "Booked").expect("a line");
        assert_eq!(line.label, "Booked: from 73% to 76% in 3 weeks; wanted at least 80%");
        for point in line.points.split(' ') {
            let (x, y) = point.split_once(',').expect("a pair");
            let (x, y): (f64, f64) = (x.parse().expect("a number"), y.parse().expect("a number"));
            assert!((0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{point}");
        }
        assert!(line.points.ends_with(&format!("{},{}", line.end_x, line.end_y)));
        assert!(sparkline(&[73.0], 80.0, true, "Booked").is_none());
        let flat = sparkline(&[8.0, 8.0], 8.0, false, "Missed").expect("a line");
        assert!(!flat.points.contains("NaN"), "{}", flat.points);
    }
}
