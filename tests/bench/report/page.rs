// SPDX-License-Identifier: GPL-2.0

//! The generated part of docs/benchmarks.md.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::results::{Group, Results};
use crate::table::{contenders, number, percent, sentence};
use crate::Result;

const BEGIN: &str = "<!-- begin: written by make bench -->\n";
const END: &str = "<!-- end: written by make bench -->\n";

/// Replaces what stands between the markers of `page`. The charts are in `folder`, below the page's.
pub fn update(page: &Path, folder: &Path, results: &Results) -> Result<()> {
    let old = fs::read_to_string(page)?;
    let folder = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut new = String::new();
    for (name, group) in &results.groups {
        section(&mut new, name, group, &folder)?;
    }
    let text = between(&old, &new).ok_or_else(|| format!("{}: no markers", page.display()))?;
    fs::write(page, text)?;
    Ok(())
}

fn between(old: &str, new: &str) -> Option<String> {
    let (before, rest) = old.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{new}{END}{after}"))
}

fn section(out: &mut String, name: &str, group: &Group, folder: &str) -> Result<()> {
    writeln!(
        out,
        "\n## {name}\n\n`{}`, {}.",
        group.command, group.machine
    )?;
    if !group.goals.is_empty() {
        writeln!(
            out,
            "\n| goal: median of the rounds (lowest to highest) | |\n|---|---|"
        )?;
    }
    for goal in &group.goals {
        let word = if goal.met { "met" } else { "**missed**" };
        writeln!(out, "| {} | {word} |", sentence(goal))?;
    }
    for chart in &group.charts {
        let names = contenders(chart);
        writeln!(
            out,
            "\n![{}]({folder}/{name}-{}.svg)\n",
            chart.title, chart.name
        )?;
        writeln!(
            out,
            "| {}, {} | {} |",
            chart.title,
            chart.unit,
            names.join(" | ")
        )?;
        writeln!(out, "|---|{}", "---:|".repeat(names.len()))?;
        for row in &chart.rows {
            write!(out, "| {} |", row.label)?;
            for name in &names {
                match row.contenders.iter().find(|(other, _)| other == name) {
                    Some((_, spread)) => {
                        write!(out, " {} {} |", number(spread.median), percent(spread))?
                    }
                    None => write!(out, " |")?,
                }
            }
            writeln!(out)?;
        }
    }
    Ok(writeln!(out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let old = format!("a\n{BEGIN}old\n{END}z\n");
        assert_eq!(
            between(&old, "new\n").unwrap(),
            format!("a\n{BEGIN}new\n{END}z\n")
        );
        assert!(between("a\nz\n", "new\n").is_none());
    }
}
