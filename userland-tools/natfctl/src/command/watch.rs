// SPDX-License-Identifier: GPL-2.0

//! `natfctl watch`

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::error::{Error, Result};
use crate::listing::{self, records, Listing};
use crate::output::Output;
use crate::record::{Flow, Mapping, Mark, Record};
use crate::sysfs::Module;
use crate::Context;

/// Watch flows and mappings as they come and go
///
/// Shows the flows of the endpoint and the mappings of the router, anew each second. On a terminal each view takes the
/// place of the one before, as much as fits, and what is new is green; otherwise they follow each other, parted by an
/// empty line. Ctrl-C ends it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Seconds between two views
    #[arg(long, short, default_value_t = 1.0, value_parser = interval)]
    interval: f64,
    /// End after so many views
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

/// The files that are watched.
const FILES: [(Module, &str); 2] = [(Module::En, "vat"), (Module::Router, "mappings")];

/// How often somebody who wants to end it is listened to.
const SLICE: Duration = Duration::from_millis(20);

fn interval(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("write seconds, from 0.1 to 86400".into()),
    }
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        let ended = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, ended.clone())
                .map_err(|error| Error::file("signals", &error))?;
        }
        let pause = Duration::from_secs_f64(self.interval);
        let mut known: Option<HashSet<String>> = None;
        let mut next = Instant::now();
        let mut views = 0;
        while !ended.load(Ordering::Relaxed) {
            if views > 0 && !context.output.is_terminal() && !context.output.is_json() {
                context.output.line("")?;
            }
            known = Some(view(context, known.as_ref())?);
            context.output.flush()?;
            views += 1;
            if self.count == Some(views) {
                break;
            }
            next += pause;
            while Instant::now() < next && !ended.load(Ordering::Relaxed) {
                thread::sleep(SLICE.min(next.saturating_duration_since(Instant::now())));
            }
        }
        Ok(())
    }
}

/// Shows both tables once. Returns what there was.
fn view(context: &mut Context, before: Option<&HashSet<String>>) -> Result<HashSet<String>> {
    let Context { sysfs, output } = context;
    sysfs.loaded()?;
    let there = FILES.iter().filter(|(module, _)| sysfs.is_loaded(*module));
    let there: Vec<_> = there
        .filter_map(|(module, file)| listing::of(*module, file))
        .collect();
    if output.is_json() {
        listing::json(sysfs, output, &there)?;
        return Ok(HashSet::new());
    }
    let mut texts = Vec::new();
    for listing in &there {
        texts.push(listing.read(sysfs)?);
    }
    if output.is_terminal() {
        // To the corner, and empty from there on.
        output.raw("\x1b[H\x1b[J")?;
    }
    let room = room(output, there.len());
    let mut now = HashSet::new();
    for (listing, text) in there.iter().zip(&texts) {
        table(output, listing, text, room, before, &mut now)?;
    }
    Ok(now)
}

/// Rows of each table that fit the terminal.
fn room(output: &Output, tables: usize) -> usize {
    let size = terminal_size::terminal_size().filter(|_| output.is_terminal());
    let Some((_, terminal_size::Height(height))) = size else {
        return usize::MAX;
    };
    // Beside the rows: the heading, the names, what does not fit.
    (usize::from(height).saturating_sub(1) / tables.max(1)).saturating_sub(3)
}

fn table(
    output: &mut Output,
    listing: &Listing,
    text: &str,
    room: usize,
    before: Option<&HashSet<String>>,
    now: &mut HashSet<String>,
) -> Result {
    let rows = text.lines().count();
    output.heading(format_args!("{} {}: {rows}", listing.module, listing.file))?;
    match listing.module {
        Module::En => some::<Flow>(output, text, room, before, now)?,
        Module::Router => some::<Mapping>(output, text, room, before, now)?,
    }
    match rows.saturating_sub(room) {
        0 => Ok(()),
        more => output.line(format_args!("and {more} more")),
    }
}

fn some<R: Record>(
    output: &mut Output,
    text: &str,
    room: usize,
    before: Option<&HashSet<String>>,
    now: &mut HashSet<String>,
) -> Result {
    let shows_new = output.is_terminal();
    // What changes with time is behind the first three columns.
    let what = |cells: &[String]| {
        cells
            .iter()
            .take(3)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    };
    if output.is_terminal() {
        now.extend(records::<R>(text).map(|record| what(&record.cells())));
    }
    output.columns(R::COLUMNS, || {
        Box::new(records::<R>(text).take(room).map(|record| {
            let cells = record.cells();
            let is_new = shows_new && before.is_some_and(|before| !before.contains(&what(&cells)));
            let mark = match record.mark() {
                Mark::Plain if is_new => Mark::Good,
                mark => mark,
            };
            (cells, mark)
        }))
    })
}
