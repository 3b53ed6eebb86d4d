// SPDX-License-Identifier: GPL-2.0

//! Every file that is shown, and how.

use crate::error::Result;
use crate::output::Output;
use crate::record::{self, Record};
use crate::sysfs::{Module, Sysfs};

/// A file of a module whose lines are records.
pub struct Listing {
    /// The module.
    pub module: Module,
    /// The file.
    pub file: &'static str,
    /// Whether `show` alone shows it.
    pub overview: bool,
    /// Names of the columns.
    pub columns: &'static [&'static str],
    human: fn(&mut Output, &str) -> Result,
    dump: fn(&mut Output, &str, &str) -> Result,
    json: fn(&mut Output, &str) -> Result,
}

/// All of them, in the order in which they are shown.
pub const LISTINGS: &[Listing] = &[
    Listing::of::<record::Domain>(Module::En, "domains", true),
    Listing::of::<record::Prefix>(Module::En, "prefix", true),
    Listing::of::<record::Ports>(Module::En, "dns_ports", true),
    Listing::of::<record::Early>(Module::En, "early", true),
    Listing::of::<record::Key>(Module::En, "keys", true),
    Listing::of::<record::Limit>(Module::En, "limits", false),
    Listing::of::<record::Name>(Module::En, "nrt", true),
    Listing::of::<record::Flow>(Module::En, "vat", true),
    Listing::of::<record::Counter>(Module::En, "stats", false),
    Listing::of::<record::Timing>(Module::En, "timings", false),
    Listing::of::<record::Act>(Module::Router, "act", true),
    Listing::of::<record::Early>(Module::Router, "early", true),
    Listing::of::<record::Key>(Module::Router, "keys", true),
    Listing::of::<record::Limit>(Module::Router, "limits", false),
    Listing::of::<record::Mapping>(Module::Router, "mappings", true),
    Listing::of::<record::Occupancy>(Module::Router, "tables", false),
    Listing::of::<record::Counter>(Module::Router, "stats", false),
    Listing::of::<record::Timing>(Module::Router, "timings", false),
];

/// The one of this file. `None`: it is not shown.
pub fn of(module: Module, file: &str) -> Option<&'static Listing> {
    LISTINGS
        .iter()
        .find(|listing| listing.module == module && listing.file == file)
}

/// Names of the files, each once.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = LISTINGS.iter().map(|listing| listing.file).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What of `wanted` (a file, or everything) can be shown, of the modules that are loaded.
/// [`NotLoaded`](crate::error::Error::NotLoaded): no module that has the file is.
pub fn chosen(sysfs: &Sysfs, wanted: Option<&str>) -> Result<Vec<&'static Listing>> {
    let fits = |listing: &&Listing| wanted.is_none_or(|file| file == listing.file);
    let all = || LISTINGS.iter().filter(fits);
    // A module may be older than this program, and lack a file that nobody asked for by name.
    let is_there = |listing: &&Listing| {
        sysfs.is_loaded(listing.module)
            && (wanted.is_some() || sysfs.path(listing.module, listing.file).exists())
    };
    let there: Vec<_> = all().filter(is_there).collect();
    if there.is_empty() {
        let modules: Vec<_> = all().map(|listing| listing.module).collect();
        match modules.as_slice() {
            [first, rest @ ..] if rest.iter().all(|other| other == first) => {
                sysfs.require(*first)?;
            }
            _ => drop(sysfs.loaded()?),
        }
    }
    Ok(there)
}

impl Listing {
    const fn of<R: Record>(module: Module, file: &'static str, overview: bool) -> Self {
        Listing {
            module,
            file,
            overview,
            columns: R::COLUMNS,
            human: |output, text| match R::SINGLE {
                true => {
                    records::<R>(text).try_for_each(|record| output.line(record.cells().join(" ")))
                }
                false => output.columns(R::COLUMNS, || {
                    Box::new(records::<R>(text).map(|record| (record.cells(), record.mark())))
                }),
            },
            dump: |output, prefix, text| {
                records::<R>(text).try_for_each(|record| {
                    output.line(format_args!("{prefix}{}", record.cells().join("\t")))
                })
            },
            json: |output, text| match (R::SINGLE, records::<R>(text).next()) {
                (true, Some(record)) => output.json(&record),
                (true, None) => output.raw("null"),
                (false, _) => {
                    let mut before = "[\n";
                    for record in records::<R>(text) {
                        output.raw(before)?;
                        output.json(&record)?;
                        before = ",\n";
                    }
                    output.raw(if before == "[\n" { "[]" } else { "\n]" })
                }
            },
        }
    }

    /// What the file says now.
    pub fn read(&self, sysfs: &Sysfs) -> Result<String> {
        sysfs.read(self.module, self.file)
    }

    /// Writes `text`, which [`Listing::read`] gave, for a person.
    pub fn show(&self, output: &mut Output, text: &str) -> Result {
        (self.human)(output, text)
    }

    /// Writes it as lines whose columns are parted by tabs, after module and file.
    pub fn dump(&self, output: &mut Output, text: &str) -> Result {
        let prefix = format!("{}\t{}\t", self.module, self.file);
        (self.dump)(output, &prefix, text)
    }

    /// Writes it as a JSON array, or as one value.
    pub fn json(&self, output: &mut Output, text: &str) -> Result {
        (self.json)(output, text)
    }
}

/// Writes `listings` as one JSON object: the files of a module in an object of its own.
pub fn json(sysfs: &Sysfs, output: &mut Output, listings: &[&Listing]) -> Result {
    let mut before = None;
    for listing in listings {
        let text = listing.read(sysfs)?;
        output.raw(match before {
            None => format!("{{\"{}\":{{", listing.module),
            Some(module) if module == listing.module => ",".to_string(),
            Some(_) => format!("}},\"{}\":{{", listing.module),
        })?;
        before = Some(listing.module);
        output.raw(format_args!("\"{}\":", listing.file))?;
        listing.json(output, &text)?;
    }
    output.line(if before.is_some() { "}}" } else { "{}" })
}

/// The records in `text`. A line that is none is left out: a table that changes while it is read may have some.
pub fn records<R: Record>(text: &str) -> impl Iterator<Item = R> + use<'_, R> {
    text.lines().filter_map(R::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_of_a_module_once() {
        let mut all: Vec<_> = LISTINGS.iter().map(|l| (l.module, l.file)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), LISTINGS.len());
        assert!(names().contains(&"nrt"));
    }

    #[test]
    fn torn_lines_are_left_out() {
        let text = "names 16\nflo\n\nflows 17\n";
        let limits: Vec<record::Limit> = records(text).collect();
        assert_eq!(limits.iter().map(|l| l.value).collect::<Vec<_>>(), [16, 17]);
    }
}
