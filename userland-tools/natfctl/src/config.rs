// SPDX-License-Identifier: GPL-2.0

//! What `/etc/natf/en.toml` and `router.toml` say: natf.toml(5). Everything is checked here, so that a file is
//! refused before any of it has taken effect.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;

use crate::error::{Error, Result};
use crate::file;
use crate::sysfs::Module;

mod choice;
mod en;
mod keys;
mod router;

pub use choice::Choice;

/// Where the configuration of a module is.
pub fn path(module: Module) -> PathBuf {
    match module {
        Module::En => "/etc/natf/en.toml".into(),
        Module::Router => "/etc/natf/router.toml".into(),
    }
}

/// All that a module is to hold: a value for each of its files, in the order in which they are written. Those that
/// the kernel may refuse for what it is doing come first, those that cannot be taken back last.
pub type Wanted = Vec<(&'static str, Value)>;

/// What a file of a module is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// One line, in the kernel's own spelling.
    Line(String),
    /// Names and numbers, a line each.
    Numbers(Vec<(&'static str, u32)>),
    /// Things that are there or not, whatever their order: `add` and `del` change them.
    Set(Vec<String>),
    /// Keys.
    Keys(Vec<Key>),
    /// Lines whose order counts, which are loaded as one transaction.
    Table(Vec<String>),
}

/// A key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// A suffix, or the name of a key.
    pub name: String,
    /// What the kernel shows of it.
    pub id: String,
    /// Its hexadecimal digits. Nobody sees them.
    pub digits: String,
}

/// Without the secret.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.id)
    }
}

/// Reads and checks the file at `path`; `now` is in seconds since 1970.
pub fn read(module: Module, path: &Path, now: u64) -> Result<Wanted> {
    let text = file::read(path)?;
    let source = Source { path, text: &text };
    match module {
        Module::En => en::wanted(&source),
        Module::Router => router::wanted(&source, now),
    }
}

/// A file that is being read.
pub(crate) struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    /// Its contents, which must have this shape.
    fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        toml::from_str(self.text).map_err(|error| {
            let message = error.message().trim().replace('\n', ": ");
            self.wrong(&error.span().unwrap_or_default(), message)
        })
    }

    /// The error for what stands at `span`.
    fn wrong(&self, span: &Range<usize>, why: impl std::fmt::Display) -> Error {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        Error::Failed(format!("{}:{line}: {why}", self.path.display()))
    }

    /// One of the words `choices`, or the last of them, with which a module begins.
    fn choice(&self, given: Option<&Spanned<String>>, choices: &[&str]) -> Result<Value> {
        let first = choices.last().copied().unwrap_or_default();
        let word = given.map_or(first, |text| text.get_ref());
        if choices.contains(&word) {
            return Ok(Value::Line(word.into()));
        }
        let span = given.map(Spanned::span).unwrap_or_default();
        let choices = choices.join(", ");
        Err(self.wrong(&span, format!("{word:?} is none of the words {choices}")))
    }

    /// Limits: those of the file, else `defaults`. `fits` says whether the module takes a line.
    fn limits(
        &self,
        given: &Numbers,
        defaults: &[(&'static str, u32)],
        fits: impl Fn(&str, u32) -> bool,
    ) -> Result<Value> {
        let mut all = defaults.to_vec();
        for (name, number) in given {
            let span = number.span();
            let Some(limit) = all.iter_mut().find(|(known, _)| known == name) else {
                let names: Vec<_> = defaults.iter().map(|(name, _)| *name).collect();
                let names = names.join(", ");
                return Err(self.wrong(
                    &span,
                    format!("there is no limit {name}; there are {names}"),
                ));
            };
            let value = *number.get_ref();
            limit.1 = u32::try_from(value)
                .ok()
                .filter(|number| fits(name, *number))
                .ok_or_else(|| self.wrong(&span, format!("{name} cannot be {value}")))?;
        }
        Ok(Value::Numbers(all))
    }
}

type Numbers = BTreeMap<String, Spanned<i64>>;
type Texts = Vec<Spanned<String>>;
type Files = BTreeMap<String, Spanned<PathBuf>>;
