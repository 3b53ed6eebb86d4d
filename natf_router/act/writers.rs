// SPDX-License-Identifier: GPL-2.0

//! How the access control table is written: a write of whole lines takes effect as a whole or not at all,
//! and so does a transaction of many writes.

use core::fmt::{self, Write};
use core::mem;

use kernel::prelude::*;

use super::{copy, empty, grow, publish, Act, ROOM};
use crate::linux::clock;
use crate::linux::netns::Netns;
use crate::linux::sysfs::{Text, Written};
use crate::mappings;
use crate::natf::act::{Command, Entry, Kind, Mine, Place, Problem, Said, Staging};
use crate::router::Router;

/// Bytes of a refused line that are kept to be shown.
const SHOWN: usize = 1024;

/// Bytes of a line that may wait for its end.
const HALF_MAX: usize = 4096;

/// The table of a transaction.
struct Draft {
    act: Act,
    /// The start of a line whose end will come with another write.
    half: KVec<u8>,
}

/// What is known of those who write the table.
pub(crate) struct Writers {
    staging: Staging<Draft>,
    /// Where the next write of the last writer begins, and how many lines it has written.
    last: (Place, u64),
    refused: Option<Refused>,
}

/// The last write that was refused.
struct Refused {
    file: usize,
    /// Number of the line, from 1, in what came through this open file.
    line: u64,
    said: KVec<u8>,
    problem: Problem,
}

impl Writers {
    /// Nobody yet.
    pub(crate) const fn new() -> Self {
        Self {
            staging: Staging::new(),
            last: (Place { file: 0, offset: 0 }, 0),
            refused: None,
        }
    }

    /// Takes as many bytes of a write as it tells, or refuses all of it.
    fn write(&mut self, edit: &mut Edit<'_>, written: &Written<'_>) -> Result<usize, Problem> {
        let by = Place {
            file: written.file,
            offset: written.offset,
        };
        let now = clock::now_ms();
        let Some(mine) = self.staging.take(by, now) else {
            let first = written.lines.split(|&byte| byte == b'\n').next();
            return edit.refused(first.unwrap_or_default(), Problem::Busy);
        };
        edit.mine = mine;
        let was_begun = !matches!(edit.mine, Mine::Nothing);
        let taken = edit.all(written).inspect_err(|_| {
            if was_begun {
                self.staging.put(by, now, Mine::Broken);
            }
        })?;
        let next = Place {
            offset: by.offset.saturating_add(u64::try_from(taken).unwrap_or(0)),
            ..by
        };
        self.last = (next, self.lines_before(by).saturating_add(edit.done));
        let mine = mem::replace(&mut edit.mine, Mine::Nothing);
        self.staging.put(next, now, mine);
        Ok(taken)
    }

    /// Lines that came through this open file before, as far as is known.
    fn lines_before(&self, by: Place) -> u64 {
        let (place, lines) = self.last;
        match place == by {
            true => lines,
            false => 0,
        }
    }

    /// Keeps why a write was refused, for whoever asks.
    fn refuse(&mut self, edit: Edit<'_>, written: &Written<'_>, problem: Problem) {
        // What broke a transaction tells more than that it is broken.
        let known = |refused: &Refused| refused.file == written.file;
        if problem == Problem::Broken && self.refused.as_ref().is_some_and(known) {
            return;
        }
        let before = self.lines_before(Place {
            file: written.file,
            offset: written.offset,
        });
        self.refused = Some(Refused {
            file: written.file,
            line: before.saturating_add(edit.done).saturating_add(1),
            said: edit.said,
            problem,
        });
    }
}

/// One write on its way.
struct Edit<'a> {
    ns: &'a Netns<Router>,
    /// Seconds since 1970.
    now: u64,
    /// The transaction of this writer.
    mine: Mine<Draft>,
    /// What will take the place of the present table.
    next: Option<Act>,
    /// Entries whose mappings shall end.
    ended: KVVec<Entry>,
    /// Lines that were carried out.
    done: u64,
    /// The line that was not.
    said: KVec<u8>,
}

impl Edit<'_> {
    /// Carries all lines out. Tells how many bytes were taken.
    fn all(&mut self, written: &Written<'_>) -> Result<usize, Problem> {
        let mut lines = written.lines.split_inclusive(|&byte| byte == b'\n');
        if let Mine::Open(draft) = &mut self.mine {
            // Nothing of a transaction counts before it is complete, so a line may come in pieces.
            let Some(first) = lines.next() else {
                return match draft.half.len().saturating_add(written.rest.len()) {
                    0..=HALF_MAX => {
                        append(&mut draft.half, written.rest).map(|()| written.rest.len())
                    }
                    _ => self.refused(written.rest, Problem::NoEnd),
                };
            };
            let mut line = mem::replace(&mut draft.half, KVec::new());
            append(&mut line, first)?;
            self.line(&line)?;
        } else if written.lines.is_empty() {
            return self.refused(written.rest, Problem::NoEnd);
        }
        lines.try_for_each(|line| self.line(line))?;
        if let Mine::Open(draft) = &mut self.mine {
            draft.act.tidy();
        }
        if let Some(next) = self.next.take() {
            publish(self.ns, next, self.now).map_err(|_| Problem::NoMemory)?;
        }
        Ok(written.lines.len())
    }

    /// Carries one line out.
    fn line(&mut self, line: &[u8]) -> Result<(), Problem> {
        let done = match Command::parse(line, self.now) {
            Ok(Some(command)) => self.command(command),
            Ok(None) => Ok(()),
            Err(problem) => Err(problem),
        };
        done.or_else(|problem| self.refused(line, problem))?;
        self.done = self.done.saturating_add(1);
        Ok(())
    }

    /// Keeps the line for [`show_error`]; without memory it is shown empty.
    fn refused<T>(&mut self, line: &[u8], problem: Problem) -> Result<T, Problem> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let _ = append(&mut self.said, line.get(..SHOWN).unwrap_or(line));
        Err(problem)
    }

    fn command(&mut self, command: Command) -> Result<(), Problem> {
        self.mine = match (command, mem::replace(&mut self.mine, Mine::Nothing)) {
            (Command::Begin, Mine::Open(_)) => return Err(Problem::Begun),
            (Command::Begin, _) => Mine::Open(Draft {
                act: empty(),
                half: KVec::new(),
            }),
            (Command::Commit | Command::Abort, Mine::Nothing) => return Err(Problem::NotBegun),
            (Command::Abort, _) => Mine::Nothing,
            (_, Mine::Broken) => return Err(Problem::Broken),
            (Command::Commit, Mine::Open(mut draft)) => {
                draft.act.tidy();
                // What grew line by line may hold twice the memory that it needs.
                self.next = Some(copy(&draft.act, 0).map_err(|_| Problem::NoMemory)?);
                Mine::Nothing
            }
            (Command::Del { flush: true, .. }, Mine::Open(_)) => return Err(Problem::FlushInside),
            (command, Mine::Open(mut draft)) => {
                self.change(&mut draft.act, &command)?;
                Mine::Open(draft)
            }
            (command, Mine::Nothing) => {
                let mut next = match self.next.take() {
                    Some(next) => next,
                    None => copy(&self.ns.act.get(), ROOM).map_err(|_| Problem::NoMemory)?,
                };
                self.change(&mut next, &command)?;
                self.next = Some(next);
                Mine::Nothing
            }
        };
        Ok(())
    }

    fn change(&mut self, act: &mut Act, command: &Command) -> Result<(), Problem> {
        match command {
            Command::Add(entry) => {
                if act.needs_room() {
                    grow(act).map_err(|_| Problem::NoMemory)?;
                }
                act.add(*entry)
            }
            Command::Del { which, flush } => {
                let mut kept = Ok(());
                act.del(which, |entry| {
                    if *flush && kept.is_ok() {
                        kept = self.ended.push(*entry, GFP_KERNEL);
                    }
                })?;
                kept.map_err(|_| Problem::NoMemory)
            }
            Command::Flush => {
                act.clear();
                Ok(())
            }
            Command::Begin | Command::Commit | Command::Abort => Ok(()),
        }
    }
}

fn append(to: &mut KVec<u8>, bytes: &[u8]) -> Result<(), Problem> {
    to.extend_from_slice(bytes, GFP_KERNEL)
        .map_err(|_| Problem::NoMemory)
}

/// Takes lines that change the table.
pub(crate) fn store(ns: &Netns<Router>, written: &Written<'_>) -> Result<usize> {
    let mut edit = Edit {
        ns,
        now: clock::wall_s(),
        mine: Mine::Nothing,
        next: None,
        ended: KVVec::new(),
        done: 0,
        said: KVec::new(),
    };
    let mut writers = ns.writers.lock();
    let taken = match writers.write(&mut edit, written) {
        Ok(taken) => taken,
        Err(problem) => {
            writers.refuse(edit, written, problem);
            return Err(match problem.kind() {
                Kind::Invalid => EINVAL,
                Kind::NotThere => ENOENT,
                Kind::Full => ENOSPC,
                Kind::Busy => EBUSY,
                Kind::NoMemory => ENOMEM,
            });
        }
    };
    drop(writers);
    // The table has changed already; without memory the mappings end by themselves.
    let _ = mappings::end(ns, &edit.ended);
    Ok(taken)
}

/// Writes which line was refused last, and why.
pub(crate) fn show_error(ns: &Netns<Router>, out: &mut Text<'_>) -> fmt::Result {
    let writers = ns.writers.lock();
    let Some(refused) = &writers.refused else {
        return Ok(());
    };
    writeln!(out, "line {}: {}", refused.line, Said(&refused.said))?;
    writeln!(out, "{}: {}", refused.problem.kind(), refused.problem)
}
