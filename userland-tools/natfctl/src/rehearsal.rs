// SPDX-License-Identifier: GPL-2.0

//! What the kernel would say to a file of the access control table: the lines go through the same parser into the
//! same table, only in this process.

use std::time::{SystemTime, UNIX_EPOCH};

use natf::act::{slots_for, Command, Problem, Row, Said, Slot, Table, MAX};
use serde::Serialize;

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// Entries that the table would have.
    pub entries: usize,
    /// Lines that would be refused. The kernel stops at the first.
    pub refused: Vec<Refused>,
}

/// A line that would be refused.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Its number, from 1.
    #[serde(rename = "line")]
    pub number: usize,
    /// The line.
    #[serde(rename = "text")]
    pub line: String,
    /// The error of the system call, as `EINVAL`.
    #[serde(rename = "error")]
    pub kind: String,
    /// Why, in words.
    #[serde(rename = "reason")]
    pub why: String,
}

/// A command that has no meaning in a file.
const TRANSACTION: &str = "begin, commit and abort are not for a file: loading it is a transaction";

impl Rehearsal {
    /// Loads `text` at `now`, in seconds since 1970.
    pub fn of(text: &str, now: u64) -> Self {
        // Room for one more than there may be, so that the table itself says when it is full.
        let rows = vec![Row::BLANK; text.lines().count().min(MAX) + 1];
        let slots = vec![Slot::EMPTY; slots_for(rows.len())];
        let mut table = Table::new(rows, 0, slots);
        let mut refused = Vec::new();
        for (number, line) in (1..).zip(text.split('\n')) {
            if let Err((kind, why)) = take(&mut table, line, now) {
                refused.push(Refused {
                    number,
                    line: Said(line.as_bytes()).to_string(),
                    kind,
                    why,
                });
            }
        }
        table.tidy();
        Rehearsal {
            entries: table.rows().len(),
            refused,
        }
    }
}

/// One line; or the error and the reason.
fn take(
    table: &mut Table<Vec<Row>, Vec<Slot>>,
    line: &str,
    now: u64,
) -> Result<(), (String, String)> {
    let said = |problem: Problem| (problem.kind().to_string(), problem.to_string());
    match Command::parse(line.as_bytes(), now).map_err(said)? {
        None => Ok(()),
        Some(Command::Add(entry)) => table.add(entry).map_err(said),
        Some(Command::Del { flush: true, .. }) => Err(said(Problem::FlushInside)),
        Some(Command::Del { which, .. }) => table.del(&which, |_| ()).map_err(said),
        Some(Command::Flush) => {
            table.clear();
            Ok(())
        }
        Some(Command::Begin | Command::Commit | Command::Abort) => {
            Err(("EINVAL".into(), TRANSACTION.into()))
        }
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Vec<(usize, String)> {
        let all = Rehearsal::of(text, 0).refused;
        all.into_iter()
            .map(|r| (r.number, format!("{}: {}", r.kind, r.why)))
            .collect()
    }

    #[test]
    fn a_good_file() {
        let text = "# mine\n\nadd alice 192.168.0.10 allow\nadd bob 192.168.0.11 allow tcp 22\nadd alice 192.168.0.12 allow\ndel bob";
        assert_eq!(
            Rehearsal::of(text, 0),
            Rehearsal {
                entries: 1,
                refused: vec![]
            }
        );
        assert_eq!(Rehearsal::of("", 0).entries, 0);
    }

    #[test]
    fn each_bad_line_with_its_number() {
        let text =
            "add bob 192.168.0.300 allow\nadd a 10.0.0.1 allow\ndel carol\nbegin\ndel a flush\n";
        let all = refused(text);
        assert_eq!(
            all.iter().map(|(n, _)| *n).collect::<Vec<_>>(),
            [1, 3, 4, 5]
        );
        assert!(all[0]
            .1
            .starts_with("EINVAL: the address is not an IPv4 address"));
        assert_eq!(all[1].1, "ENOENT: there is no such entry");
    }

    #[test]
    fn a_table_that_is_full() {
        let line = |i| format!("add host-{i} 192.168.0.10 allow\n");
        let full: String = (0..MAX).map(line).collect();
        assert_eq!(
            Rehearsal::of(&full, 0),
            Rehearsal {
                entries: MAX,
                refused: vec![]
            }
        );
        let more = full + &line(MAX);
        assert_eq!(refused(&more)[0].0, MAX + 1);
        let line = |port| format!("add * - deny tcp {port}\n");
        let name: String = (1..=65).map(line).collect();
        assert!(refused(&name)[0]
            .1
            .starts_with("ENOSPC: this name has 64 entries"));
    }
}
