// SPDX-License-Identifier: GPL-2.0

//! `router.toml`

use natf::act::{slots_for, Command, Entry, Row, Slot, Table, MAX};
use natf::early::ROUTER_CHOICES;
use natf::guard::Limits;
use serde::Deserialize;
use toml::Spanned;

use super::{keys, Files, Numbers, Source, Texts, Value, Wanted};
use crate::error::Result;
use crate::sysfs::Module;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    act: Texts,
    early: Option<Spanned<String>>,
    #[serde(default)]
    keys: Files,
    #[serde(default)]
    limits: Numbers,
}

const KEYS_MAX: usize = 256;

pub(super) fn wanted(source: &Source<'_>, now: u64) -> Result<Wanted> {
    let file: File = source.parse()?;
    let defaults = [
        ("source", Limits::DEFAULT.source.get()),
        ("cookie", Limits::DEFAULT.cookie.get()),
        ("mappings", Limits::DEFAULT.mappings),
    ];
    Ok(vec![
        ("act", Value::Table(table(source, &file, now)?)),
        (
            "early",
            source.choice(file.early.as_ref(), &ROUTER_CHOICES)?,
        ),
        (
            "limits",
            source.limits(&file.limits, &defaults, |name, number| {
                Limits::DEFAULT
                    .with(format!("{name} {number}").as_bytes())
                    .is_some()
            })?,
        ),
        (
            "keys",
            keys::wanted(source, &file.keys, Module::Router, KEYS_MAX)?,
        ),
    ])
}

/// The entries go through the kernel's own parser into its own table.
fn table(source: &Source<'_>, file: &File, now: u64) -> Result<Vec<String>> {
    let rows = vec![Row::BLANK; file.act.len().min(MAX) + 1];
    let slots = vec![Slot::EMPTY; slots_for(rows.len())];
    let mut table = Table::new(rows, 0, slots);
    for text in &file.act {
        let wrong =
            |why: String| source.wrong(&text.span(), format!("{:?}: {why}", text.get_ref()));
        let entry = entry(text.get_ref(), now).map_err(wrong)?;
        // What is over the kernel does not take.
        if !entry.is_over(now) {
            table
                .add(entry)
                .map_err(|problem| wrong(problem.to_string()))?;
        }
    }
    table.tidy();
    Ok(table.lines().map(|(entry, _)| entry.to_string()).collect())
}

fn entry(text: &str, now: u64) -> std::result::Result<Entry, String> {
    if text.contains('\n') {
        return Err("an entry is one line".into());
    }
    let at = |now| match Command::parse(format!("add {text}").as_bytes(), now) {
        Ok(Some(Command::Add(entry))) => Ok(entry),
        Ok(_) => Err("there is no entry".to_string()),
        Err(problem) => Err(problem.to_string()),
    };
    let entry = at(now)?;
    if entry != at(now + 1)? {
        return Err(
            "\"for\" begins anew whenever the file is applied: write \"until\" and the second"
                .into(),
        );
    }
    Ok(entry)
}
