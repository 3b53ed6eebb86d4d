// SPDX-License-Identifier: GPL-2.0

//! Figures as a person reads them.

use std::fmt::Write;

use crate::results::{Chart, Goal, Group, Spread};

/// Three or four digits that count.
pub fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => format!("{value:.0}"),
        v if v >= 100.0 => format!("{value:.1}"),
        v if v >= 10.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Half the distance of the extremes, in percent of the median.
pub fn percent(spread: &Spread) -> String {
    let half = (spread.highest - spread.lowest) / 2.0;
    format!(
        "±{:.1}%",
        100.0 * half / spread.median.abs().max(f64::MIN_POSITIVE)
    )
}

/// The names of all contenders of a chart.
pub fn contenders(chart: &Chart) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in chart.rows.iter().flat_map(|row| &row.contenders) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

/// A goal as a sentence: what, how much, and whether that is enough.
pub fn sentence(goal: &Goal) -> String {
    let what = match &goal.to {
        Some(to) => format!("{} to {to}", goal.of),
        None => goal.of.clone(),
    };
    let got = &goal.got;
    let range = format!("{} to {}", number(got.lowest), number(got.highest));
    format!(
        "{}, {what}: {} ({range}), at {} {}",
        goal.label,
        number(got.median),
        goal.bound,
        goal.limit
    )
}

/// A group for the terminal.
pub fn text(name: &str, group: &Group) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "\n{name}: {}\n{}", group.command, group.machine);
    for chart in &group.charts {
        let names = contenders(chart);
        let _ = write!(out, "\n{:<34}", format!("{}, {}", chart.title, chart.unit));
        names.iter().for_each(|name| {
            let _ = write!(out, "{name:>15}");
        });
        let _ = writeln!(out);
        for row in &chart.rows {
            let _ = write!(out, "  {:<32}", row.label);
            for name in &names {
                let found = row.contenders.iter().find(|(other, _)| other == name);
                let cell = found.map_or(String::new(), |(_, spread)| {
                    format!("{} {:>6}", number(spread.median), percent(spread))
                });
                let _ = write!(out, "{cell:>15}");
            }
            let _ = writeln!(out);
        }
    }
    if !group.goals.is_empty() {
        let _ = writeln!(out);
    }
    for goal in &group.goals {
        let word = if goal.met { "met   " } else { "MISSED" };
        let _ = writeln!(out, "  {word}  {}", sentence(goal));
    }
    out
}
