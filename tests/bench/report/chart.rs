// SPDX-License-Identifier: GPL-2.0

//! A chart as SVG: groups of bars, a group per row and a bar per contender, with the extremes as whiskers.

use std::path::Path;

use plotters::prelude::*;

use crate::results::Chart;
use crate::table::{contenders, number};
use crate::Result;

const SIZE: (u32, u32) = (900, 380);
/// Told apart also by those who do not see all colours (Okabe and Ito).
const COLOURS: [RGBColor; 8] = [
    RGBColor(0x99, 0x99, 0x99),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xf0, 0xe4, 0x42),
];

/// Writes `chart` to `file`.
pub fn draw(file: &Path, chart: &Chart) -> Result<()> {
    let names = contenders(chart);
    let spreads = chart.rows.iter().flat_map(|row| &row.contenders);
    let top = spreads.map(|(_, s)| s.highest).fold(0.0, f64::max) * 1.05;
    let rows = chart.rows.len();
    if rows == 0 || top <= 0.0 {
        return Ok(());
    }
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut plot = ChartBuilder::on(&root)
        .caption(
            format!("{}, {}", chart.title, chart.unit),
            ("sans-serif", 18),
        )
        .margin(8)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..rows as f64, 0.0..top)?;
    let label = |x: &f64| {
        let row = chart.rows.get(*x as usize);
        row.map_or(String::new(), |row| row.label.clone())
    };
    plot.configure_mesh()
        .disable_x_mesh()
        .x_labels(rows * 2 + 1)
        .x_label_formatter(&|x| {
            if x.fract() == 0.5 {
                label(x)
            } else {
                String::new()
            }
        })
        .y_label_formatter(&|y| number(*y))
        .draw()?;
    let width = 0.8 / names.len() as f64;
    for (at, name) in names.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        let mut bars = Vec::new();
        let mut whiskers = Vec::new();
        for (row, entry) in chart.rows.iter().enumerate() {
            let found = entry.contenders.iter().find(|(other, _)| other == name);
            let Some((_, spread)) = found else { continue };
            let left = row as f64 + 0.1 + width * at as f64;
            let middle = left + width / 2.0;
            bars.push(Rectangle::new(
                [(left, 0.0), (left + width * 0.9, spread.median)],
                colour.filled(),
            ));
            whiskers.push(PathElement::new(
                vec![(middle, spread.lowest), (middle, spread.highest)],
                BLACK,
            ));
        }
        plot.draw_series(bars)?
            .label(*name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled()));
        plot.draw_series(whiskers)?;
    }
    plot.configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}
