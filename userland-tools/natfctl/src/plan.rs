// SPDX-License-Identifier: GPL-2.0

//! The way from what the modules hold to what a configuration says: the differences, and how they are written, all
//! or none.

use serde::Serialize;

use crate::command::act;
use crate::config::{Key, Value, Wanted};
use crate::error::{Error, Result};
use crate::record::{self, Record};
use crate::sysfs::{Module, Sysfs};

/// A difference.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The module.
    #[serde(serialize_with = "by_name")]
    pub module: Module,
    /// Its file.
    pub file: &'static str,
    /// What goes. Of keys there are names and ids.
    pub removed: Vec<String>,
    /// What comes.
    pub added: Vec<String>,
    #[serde(skip)]
    write: String,
    /// What takes it back; `None` if nothing does.
    #[serde(skip)]
    undo: Option<String>,
}

fn by_name<S: serde::Serializer>(module: &Module, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str(module.name())
}

/// What has to be changed for `module` to hold what is wanted, in the order in which it is to be written.
pub fn changes(sysfs: &Sysfs, module: Module, wanted: Wanted) -> Result<Vec<Change>> {
    let mut all = Vec::new();
    for (file, value) in wanted {
        let present = sysfs.read(module, file)?;
        let change = match value {
            Value::Line(line) => lines(&present, vec![line]),
            Value::Numbers(numbers) => lines(
                &present,
                numbers
                    .iter()
                    .map(|(name, n)| format!("{name} {n}"))
                    .collect(),
            ),
            Value::Set(names) => set(&present, &names),
            Value::Keys(keys) => key_changes(&present, &keys),
            Value::Table(entries) => table(&present, entries),
        };
        if let Some(Lines {
            removed,
            added,
            write,
            undo,
        }) = change
        {
            all.push(Change {
                module,
                file,
                removed,
                added,
                write,
                undo,
            });
        }
    }
    Ok(all)
}

struct Lines {
    removed: Vec<String>,
    added: Vec<String>,
    write: String,
    undo: Option<String>,
}

fn missing(of: &[String], from: &[String]) -> Vec<String> {
    of.iter()
        .filter(|line| !from.contains(line))
        .cloned()
        .collect()
}

fn text<'a>(lines: impl IntoIterator<Item = &'a String>) -> String {
    lines
        .into_iter()
        .flat_map(|line| [line.as_str(), "\n"])
        .collect()
}

fn prefixed(word: &str, names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("{word} {name}")).collect()
}

/// Lines that each take the place of another.
fn lines(present: &str, wanted: Vec<String>) -> Option<Lines> {
    let present: Vec<_> = present.lines().map(String::from).collect();
    let removed = missing(&present, &wanted);
    let added = missing(&wanted, &present);
    (!added.is_empty()).then(|| Lines {
        write: text(&added),
        undo: Some(text(&removed)),
        removed,
        added,
    })
}

fn set(present: &str, wanted: &[String]) -> Option<Lines> {
    let present: Vec<_> = present
        .lines()
        .filter_map(|line| line.strip_prefix("add ").map(String::from))
        .collect();
    let removed = missing(&present, wanted);
    let added = missing(wanted, &present);
    let write = text(
        prefixed("del", &removed)
            .iter()
            .chain(&prefixed("add", &added)),
    );
    (!removed.is_empty() || !added.is_empty()).then(|| Lines {
        write,
        // That holds also after a half.
        undo: Some(format!("flush\n{}", text(&prefixed("add", &present)))),
        removed,
        added,
    })
}

/// What was a key nobody knows: so only what is new can be taken back.
fn key_changes(present: &str, wanted: &[Key]) -> Option<Lines> {
    let present: Vec<_> = present.lines().filter_map(record::Key::parse).collect();
    let stays = |name: &str, id: &str| wanted.iter().any(|key| key.name == name && key.id == id);
    let gone: Vec<_> = present
        .iter()
        .filter(|key| !stays(&key.name, &key.id))
        .collect();
    let is_there = |key: &&Key| {
        present
            .iter()
            .any(|old| old.name == key.name && old.id == key.id)
    };
    let come: Vec<_> = wanted.iter().filter(|key| !is_there(key)).collect();
    let names = |names: Vec<&String>| names.into_iter().cloned().collect::<Vec<_>>();
    let del = prefixed("del", &names(gone.iter().map(|key| &key.name).collect()));
    let add: Vec<_> = come
        .iter()
        .map(|key| format!("add {} {}", key.name, key.digits))
        .collect();
    (!gone.is_empty() || !come.is_empty()).then(|| Lines {
        removed: gone
            .iter()
            .map(|key| format!("{} {}", key.name, key.id))
            .collect(),
        added: come
            .iter()
            .map(|key| format!("{} {}", key.name, key.id))
            .collect(),
        write: text(del.iter().chain(&add)),
        undo: gone.is_empty().then(|| {
            text(&prefixed(
                "del",
                &names(come.iter().map(|key| &key.name).collect()),
            ))
        }),
    })
}

/// The whole table is written, so that the order is right, too.
fn table(present: &str, wanted: Vec<String>) -> Option<Lines> {
    let present: Vec<_> = present.lines().map(String::from).collect();
    let load = |lines: &[String]| format!("begin\n{}commit\n", text(lines));
    if present == wanted {
        return None;
    }
    let (before, after) = (load(&present), load(&wanted));
    // What is alike at both ends did not change.
    let alike = |(one, other): &(&String, &String)| one == other;
    let first = present.iter().zip(&wanted).take_while(alike).count();
    let (removed, added) = (
        present.get(first..).unwrap_or_default(),
        wanted.get(first..).unwrap_or_default(),
    );
    let last = removed
        .iter()
        .rev()
        .zip(added.iter().rev())
        .take_while(alike)
        .count();
    let middle = |lines: &[String]| {
        lines
            .get(..lines.len().saturating_sub(last))
            .unwrap_or_default()
            .to_vec()
    };
    Some(Lines {
        removed: middle(removed),
        added: middle(added),
        write: after,
        undo: Some(before),
    })
}

/// As much as the kernel takes all or not at all, in bytes.
const PAGE: usize = 4096;

/// Writes them all. If the kernel refuses one, those before it are taken back.
pub fn apply(sysfs: &Sysfs, changes: &[Change]) -> Result {
    for (done, change) in changes.iter().enumerate() {
        let Err(error) = change.do_it(sysfs, &change.write) else {
            continue;
        };
        let mut why = format!("{error}; nothing has changed");
        // Of what is longer than a page, a part may have been taken.
        let tried = done + usize::from(change.write.len() > PAGE);
        for earlier in changes.iter().take(tried).rev() {
            let back = match &earlier.undo {
                Some(lines) => earlier.do_it(sysfs, lines),
                None => Err(Error::Failed("a key cannot be had back".into())),
            };
            if let Err(error) = back {
                why = format!(
                    "{why}, except what could not be taken back: {} {}: {error}",
                    earlier.module, earlier.file
                );
            }
        }
        return Err(Error::Failed(why));
    }
    Ok(())
}

impl Change {
    fn do_it(&self, sysfs: &Sysfs, lines: &str) -> Result {
        match self.file {
            "act" => act::write(sysfs, lines, |at| format!("natf_router act, line {at}")),
            file => sysfs.write(self.module, file, lines.as_bytes()),
        }
    }
}
