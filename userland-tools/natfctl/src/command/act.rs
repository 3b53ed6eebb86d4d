// SPDX-License-Identifier: GPL-2.0

//! `natfctl act`

use std::path::PathBuf;

use clap::Subcommand;
use natf::act::{Command as Line, Said};
use serde_json::json;

use super::discover::{Discover, Follow};
use crate::error::{Error, Result};
use crate::file;
use crate::listing;
use crate::rehearsal::{now, Rehearsal};
use crate::sysfs::{errno, Module, Sysfs};
use crate::Context;

/// Show and change the access control table of the router
///
/// The table says which private hosts can be reached from outside, by whom, and on which ports. The first line that
/// matches a request decides; what none matches is denied. Changes concern new requests: mappings that exist live on.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the entries as they are written
    ///
    /// What is shown can be loaded again.
    List,
    /// Add an entry, or change the one about the same requests
    ///
    /// The words are those of the table: NAME ADDRESS allow|deny, then any of: tcp [PORTS], udp [PORTS], icmp, from
    /// PREFIXES, key NAMES, max NUMBER, until SECONDS, for SECONDS, comment TEXT.
    ///
    /// Example: natfctl act add bob 192.168.0.11 allow tcp 22,80 from 198.51.100.0/24 comment "the office"
    Add {
        /// The entry: name, address, action, options
        #[arg(required = true, value_name = "WORD")]
        words: Vec<String>,
    },
    /// Remove all entries of a name, or one
    ///
    /// With an entry after the name, just that one. The last word may be flush: mappings that the entries covered end
    /// at once, too.
    Del {
        /// The name, or the whole entry
        #[arg(required = true, value_name = "WORD")]
        words: Vec<String>,
    },
    /// Remove all entries: nothing is allowed any more
    Flush,
    /// Write the table to a file
    ///
    /// The file is replaced as a whole, or not at all.
    Save {
        /// The file; - for standard output
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Replace the table by that of a file, all of it at once or nothing
    Load {
        /// The file; - for standard input
        file: PathBuf,
    },
    /// Say what is wrong with a file, without loading it
    ///
    /// Reads it as the kernel does, with the same code, and tells each line that would be refused, and why.
    Check {
        /// The file; - for standard input
        file: PathBuf,
    },
    Discover(Discover),
    Follow(Follow),
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        match &self.action {
            Action::List => list(context),
            Action::Add { words } => change(context, "add", words),
            Action::Del { words } => change(context, "del", words),
            Action::Flush => change(context, "flush", &[]),
            Action::Save { file } => save(context, file),
            Action::Load { file } => load(context, file),
            Action::Check { file } => check(context, file),
            Action::Discover(args) => args.run(context),
            Action::Follow(args) => args.run(context),
        }
    }
}

fn list(context: &mut Context) -> Result {
    let Context { sysfs, output } = context;
    if output.is_json() {
        return listing::json(sysfs, output, &listing::chosen(sysfs, Some("act"))?);
    }
    let text = sysfs.read(Module::Router, "act")?;
    output.raw(text)
}

/// Writes one command.
fn change(context: &mut Context, verb: &str, words: &[String]) -> Result {
    let line = line(verb, words);
    Line::parse(line.as_bytes(), now())
        .map_err(|problem| Error::Usage(refusal(&line, &problem.kind(), &problem)))?;
    write(&context.sysfs, &format!("{line}\n"), |_| line.clone())?;
    context.output.done(&json!({ "done": line }))
}

/// The line that a person means. The shell has eaten the quotes of a comment.
fn line(verb: &str, words: &[String]) -> String {
    let mut line = verb.to_string();
    let mut before = "";
    for word in words {
        line.push(' ');
        // Not before the action, where it is a name.
        let quoted = before == "comment" && line.contains(" allow ") | line.contains(" deny ");
        match quoted && !word.starts_with('"') {
            true => line.push_str(&format!("\"{word}\"")),
            false => line.push_str(word),
        }
        before = word;
    }
    line
}

fn refusal(line: &str, kind: &dyn std::fmt::Display, why: &dyn std::fmt::Display) -> String {
    format!("{}: {kind}: {why}", Said(line.as_bytes()))
}

/// Writes `lines`; an error is told in the kernel's words. `place` says where line `n` (from 1) comes from.
pub(crate) fn write(sysfs: &Sysfs, lines: &str, place: impl Fn(usize) -> String) -> Result {
    let Err(error) = sysfs.try_write(Module::Router, "act", lines.as_bytes())? else {
        return Ok(());
    };
    let said = sysfs.read(Module::Router, "act_error").unwrap_or_default();
    let number = error.raw_os_error().unwrap_or(0);
    Err(match kernels_reason(&said, lines, number) {
        Some((at, why)) => Error::Failed(format!("{}: {why}", place(at))),
        None => sysfs.refused(Module::Router, "act", &error),
    })
}

/// The number of the refused line and why, from `act_error`, if that is about our `lines` and this error: somebody
/// else may have written since.
fn kernels_reason<'a>(said: &'a str, lines: &str, number: i32) -> Option<(usize, &'a str)> {
    let (head, why) = said.split_once('\n')?;
    let (at, text) = head.strip_prefix("line ")?.split_once(": ")?;
    let at: usize = at.parse().ok()?;
    let kind = match number {
        errno::EINVAL => "EINVAL",
        errno::ENOENT => "ENOENT",
        errno::ENOSPC => "ENOSPC",
        errno::EBUSY => "EBUSY",
        errno::ENOMEM => "ENOMEM",
        _ => return None,
    };
    let ours = lines.lines().nth(at.checked_sub(1)?)?;
    let ours = Said(ours.as_bytes()).to_string();
    // The kernel keeps the beginning of a long line.
    (why.starts_with(kind) && ours.starts_with(text)).then(|| (at, why.trim_end()))
}

fn save(context: &mut Context, path: &std::path::Path) -> Result {
    let text = context.sysfs.read_steady(Module::Router, "act")?;
    file::replace(context, path, &text)
}

/// Tries all lines of a file out. An error tells of each that would be refused.
fn rehearse(context: &mut Context, path: &std::path::Path) -> Result<(String, Rehearsal)> {
    let text = file::read(path)?;
    let rehearsal = Rehearsal::of(&text, now());
    let name = file::name(path);
    if rehearsal.refused.is_empty() {
        return Ok((text, rehearsal));
    }
    let mut whole = String::new();
    for refused in &rehearsal.refused {
        let (number, line) = (refused.number, &refused.line);
        let why = refusal(line, &refused.kind, &refused.why);
        whole.push_str(&format!("{name}:{number}: {why}\n"));
    }
    if context.output.is_json() {
        context.output.done(&json!({
            "file": name,
            "entries": rehearsal.entries,
            "refused": rehearsal.refused,
        }))?;
    }
    let count = rehearsal.refused.len();
    let lines = if count == 1 { "line" } else { "lines" };
    whole.push_str(&format!(
        "{count} {lines} would be refused; nothing was loaded"
    ));
    Err(Error::Failed(whole))
}

fn check(context: &mut Context, path: &std::path::Path) -> Result {
    let (_, rehearsal) = rehearse(context, path)?;
    let entries = rehearsal.entries;
    if context.output.is_json() {
        let name = file::name(path);
        return context
            .output
            .done(&json!({"file": name, "entries": entries, "refused": []}));
    }
    let name = file::name(path);
    context.output.line(format_args!(
        "{name}: {entries} entries, no line is refused"
    ))
}

fn load(context: &mut Context, path: &std::path::Path) -> Result {
    context.sysfs.require(Module::Router)?;
    let (text, rehearsal) = rehearse(context, path)?;
    let end = if text.ends_with('\n') || text.is_empty() {
        ""
    } else {
        "\n"
    };
    let name = file::name(path);
    // The transaction is one line longer than the file.
    write(
        &context.sysfs,
        &format!("begin\n{text}{end}commit\n"),
        |at| format!("{name}:{}", at.saturating_sub(1)),
    )?;
    context
        .output
        .done(&json!({"file": name, "entries": rehearsal.entries}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split('|').map(String::from).collect()
    }

    #[test]
    fn the_shell_eats_quotes() {
        assert_eq!(
            line(
                "add",
                &words("bob|192.168.0.11|allow|comment|at home|max|4")
            ),
            "add bob 192.168.0.11 allow comment \"at home\" max 4"
        );
        assert_eq!(
            line("add", &words("b|1.2.3.4|allow|comment|\"x\"")),
            "add b 1.2.3.4 allow comment \"x\""
        );
        assert_eq!(
            line("add", &words("comment|1.2.3.4|deny")),
            "add comment 1.2.3.4 deny"
        );
        assert_eq!(line("flush", &[]), "flush");
    }

    #[test]
    fn whose_error_it_is() {
        let said = "line 2: del carol\nENOENT: there is no such entry\n";
        let ours = "flush\ndel carol\n";
        assert_eq!(
            kernels_reason(said, ours, errno::ENOENT),
            Some((2, "ENOENT: there is no such entry"))
        );
        assert_eq!(kernels_reason(said, ours, errno::EPERM), None);
        assert_eq!(kernels_reason(said, ours, errno::EINVAL), None);
        assert_eq!(
            kernels_reason(said, "flush\ndel bob\n", errno::ENOENT),
            None
        );
        assert_eq!(kernels_reason("", ours, errno::ENOENT), None);
        let escaped = "line 1: del \\x1b\nEINVAL: no\n";
        assert_eq!(
            kernels_reason(escaped, "del \x1b\n", errno::EINVAL),
            Some((1, "EINVAL: no"))
        );
    }
}
