// SPDX-License-Identifier: GPL-2.0

//! How times are spread, as SVG. Its text is text: whoever shows it has the fonts.

use std::error::Error;

use plotters::prelude::*;

use crate::record::Timing;

/// A stage.
pub struct Panel<'a> {
    /// What it is.
    pub title: String,
    /// What was measured.
    pub timing: &'a Timing,
    /// The paper's figure, in nanoseconds.
    pub paper: Option<u64>,
}

/// Each stage has its own row.
const WIDTH: u32 = 900;
const ROW: u32 = 170;
/// Told apart also by those who do not see all colours (Okabe and Ito).
const BARS: RGBColor = RGBColor(0x56, 0xb4, 0xe9);
const MEDIAN: RGBColor = RGBColor(0x00, 0x72, 0xb2);
const PAPER: RGBColor = RGBColor(0xd5, 0x5e, 0x00);

/// Draws `panels` one above the other, with the same axis of time.
pub fn draw(panels: &[Panel<'_>]) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    let rows = u32::try_from(panels.len())?.max(1);
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, ROW * rows)).into_drawing_area();
        root.fill(&WHITE)?;
        let (low, high) = range(panels);
        for (panel, area) in panels.iter().zip(root.split_evenly((panels.len(), 1))) {
            draw_one(panel, &area, low, high)?;
        }
        root.present()?;
    }
    Ok(svg)
}

/// The powers of two between which everything lies.
fn range(panels: &[Panel<'_>]) -> (f64, f64) {
    let powers = panels.iter().flat_map(|panel| {
        let buckets = panel.timing.buckets.iter();
        let paper = panel.paper.map(|paper| logarithm(paper).floor());
        buckets.map(|bucket| f64::from(bucket.power)).chain(paper)
    });
    let (low, high) = powers.fold((f64::MAX, f64::MIN), |(low, high), power| {
        (low.min(power), high.max(power))
    });
    match low <= high {
        true => (low, high + 1.0),
        false => (0.0, 1.0),
    }
}

fn logarithm(nanoseconds: u64) -> f64 {
    (nanoseconds.max(1) as f64).log2()
}

fn draw_one(
    panel: &Panel<'_>,
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    low: f64,
    high: f64,
) -> Result<(), Box<dyn Error>> {
    let Timing {
        count,
        median,
        buckets,
        ..
    } = panel.timing;
    let all = (*count).max(1) as f64;
    let share = |part: u64| part as f64 / all * 100.0;
    let top = buckets.iter().map(|b| share(b.count)).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(
            format!(
                "{}: {count} times, median {}{}",
                panel.title,
                time(*median as f64),
                panel.paper.map_or(String::new(), |paper| format!(
                    ", paper {}",
                    time(paper as f64)
                ))
            ),
            ("sans-serif", 15),
        )
        .margin(6)
        .x_label_area_size(24)
        .y_label_area_size(44)
        .build_cartesian_2d(low..high, 0.0..top * 1.05)?;
    chart
        .configure_mesh()
        .max_light_lines(0)
        .x_labels(16)
        .x_label_formatter(&|power| time(power.exp2()))
        .y_labels(4)
        .y_label_formatter(&|share| format!("{share:.0} %"))
        .draw()?;
    chart.draw_series(buckets.iter().map(|bucket| {
        let left = f64::from(bucket.power);
        Rectangle::new(
            [(left, 0.0), (left + 1.0, share(bucket.count))],
            BARS.filled(),
        )
    }))?;
    let line = |at: u64, colour: &RGBColor| {
        let x = logarithm(at).clamp(low, high);
        let style = colour.stroke_width(2);
        PathElement::new(vec![(x, 0.0), (x, top * 1.05)], style)
    };
    chart.draw_series([line(*median, &MEDIAN)])?;
    chart.draw_series(panel.paper.map(|paper| line(paper, &PAPER)))?;
    Ok(())
}

/// Nanoseconds for the reader.
fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        short if short < 1e3 => format!("{short:.0} ns"),
        medium if medium < 1e6 => format!("{:.3} \u{b5}s", medium / 1e3),
        long if long < 1e9 => format!("{:.3} ms", long / 1e6),
        very => format!("{:.3} s", very / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;

    #[test]
    fn a_drawing() {
        let line = "setup count 3 median 2304 p99 7120 max 7120 buckets 0:1 11:2 63:1";
        let timing = Timing::parse(line).unwrap();
        let panel = |paper| Panel {
            title: "natf_en setup".into(),
            timing: &timing,
            paper,
        };
        let svg = draw(&[panel(None), panel(Some(650_000))]).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(svg.contains("natf_en setup: 3 times, median 2.304 \u{b5}s, paper 650.000 \u{b5}s"));
        let empty = Timing::default();
        let nothing = Panel {
            title: String::new(),
            timing: &empty,
            paper: None,
        };
        assert!(draw(&[nothing]).is_ok());
    }
}
