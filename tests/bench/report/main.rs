// SPDX-License-Identifier: GPL-2.0

//! What the guests measured becomes results.json, a table on the terminal, charts, and the generated part
//! of docs/benchmarks.md.
//!
//!     natf-report FOLDER PAGE [GROUP RAW COMMAND MACHINE]
//!
//! FOLDER holds results.json and gets the charts; PAGE is the page between whose markers the rest goes. With a
//! group's name, the file that its guest wrote, the command that made it and the machine it ran on, the group
//! is put into results.json first and printed. Without, all groups are printed.

#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::path::Path;

mod chart;
mod page;
mod raw;
mod results;
mod table;

use results::Results;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [folder, page, ref new @ ..] = words[..] else {
        return Err("usage: natf-report FOLDER PAGE [GROUP RAW COMMAND MACHINE]".into());
    };
    let folder = Path::new(folder);
    let file = folder.join("results.json");
    let mut results = Results::load(&file)?;
    match *new {
        [] => results
            .groups
            .iter()
            .for_each(|(name, group)| print!("{}", table::text(name, group))),
        [name, raw, command, machine] => {
            let mut group = raw::parse(&fs::read_to_string(raw)?)?;
            group.command = command.into();
            group.machine = machine.into();
            print!("{}", table::text(name, &group));
            results.groups.insert(name.into(), group);
            results.save(&file)?;
        }
        _ => return Err("a group needs GROUP RAW COMMAND MACHINE".into()),
    }
    for (name, group) in &results.groups {
        for chart in &group.charts {
            chart::draw(&folder.join(format!("{name}-{}.svg", chart.name)), chart)?;
        }
    }
    page::update(Path::new(page), folder, &results)
}
