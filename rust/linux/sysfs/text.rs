// SPDX-License-Identifier: GPL-2.0

//! What is read from a file under /sys/kernel: text of which a reader asks for a page at a time.

use crate::linux::shared::Counted;
use crate::linux::table::{Cursor, Linked, Table};
use core::fmt;
use core::ops::ControlFlow;

/// How far a reader has come: so many lines from the cursor on, and so many bytes of the next one. A table changes while
/// it is read, and with it the length of its lines; who goes on by bytes gets half a line, or one twice.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    /// An object of the table that the file shows; of other files, their beginning.
    cursor: Cursor,
    lines: usize,
    bytes: usize,
}

impl Place {
    /// For a reader of whom only the offset is known.
    pub(super) fn at_byte(offset: usize) -> Self {
        Place {
            bytes: offset,
            ..Place::default()
        }
    }

    fn pass(&mut self, text: &[u8]) {
        for &byte in text {
            match byte {
                b'\n' => self.pass_line(),
                _ => self.bytes = self.bytes.saturating_add(1),
            }
        }
    }

    fn pass_line(&mut self) {
        self.lines = self.lines.saturating_add(1);
        self.bytes = 0;
    }
}

/// The window of a file's content that a read asks for. What lies before is skipped; when it is full,
/// writing fails, so that nobody goes on for nothing.
pub(crate) struct Text<'a> {
    window: &'a mut [u8],
    /// Lines still to be skipped, and bytes after them.
    skip: Place,
    /// Where `begun` is, and what was skipped from there on.
    place: Place,
    /// Where in the window the line of the last object begins, or the window itself.
    begun: usize,
    filled: usize,
    full: bool,
}

impl<'a> Text<'a> {
    /// For a reader who is at `skip`.
    pub(super) fn new(window: &'a mut [u8], skip: Place) -> Self {
        Text {
            window,
            skip,
            place: Place {
                cursor: skip.cursor,
                ..Place::default()
            },
            begun: 0,
            filled: 0,
            full: false,
        }
    }

    /// Whether nothing more goes in.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Whether the next line, of `len` bytes with its end, lies before the window. Then it counts as written.
    /// To be asked at the beginning of a line.
    pub(crate) fn skip(&mut self, len: usize) -> bool {
        if let Some(left) = self.skip.lines.checked_sub(1) {
            self.skip.lines = left;
        } else if let Some(left) = self.skip.bytes.checked_sub(len) {
            self.skip.bytes = left;
        } else {
            return false;
        }
        self.place.pass_line();
        true
    }

    /// Writes what `line` makes of each object of `table`: a line or nothing. Begins where the reader is, so that who
    /// reads a long table in pages does not wait for all lines before each page.
    pub(crate) fn table<T: Linked<N>, const N: usize>(
        &mut self,
        table: &Table<T, N>,
        mut line: impl FnMut(&Counted<T>, &mut Self) -> fmt::Result,
    ) -> fmt::Result {
        let full = table.walk_from(self.place.cursor, |object, cursor| {
            if self.skip.lines == 0 {
                self.place = Place {
                    cursor,
                    ..Place::default()
                };
                self.begun = self.filled;
            }
            match line(object, self) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(error),
            }
        });
        full.map_or(Ok(()), Err)
    }

    /// What of `text` does not lie before the window.
    fn rest<'t>(&mut self, mut text: &'t [u8]) -> &'t [u8] {
        while let Some(left) = self.skip.lines.checked_sub(1) {
            let Some(end) = text.iter().position(|&byte| byte == b'\n') else {
                return &[];
            };
            text = text.get(end.saturating_add(1)..).unwrap_or_default();
            self.skip.lines = left;
            self.place.pass_line();
        }
        let (skipped, rest) = text
            .split_at_checked(self.skip.bytes)
            .unwrap_or((text, &[]));
        self.skip.bytes = self.skip.bytes.saturating_sub(skipped.len());
        self.place.pass(skipped);
        rest
    }

    /// How many bytes the reader gets, and where he goes on. A line that does not fit is left to the next read,
    /// unless it is the only one.
    pub(super) fn end(mut self) -> (usize, Place) {
        let content = self.window.get(..self.filled).unwrap_or_default();
        let whole = content.iter().rposition(|&byte| byte == b'\n');
        let content = match whole {
            Some(end) if self.full => content.get(..=end).unwrap_or_default(),
            _ => content,
        };
        self.place
            .pass(content.get(self.begun..).unwrap_or_default());
        (content.len(), self.place)
    }
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let rest = self.rest(s.as_bytes());
        let room = self.window.get_mut(self.filled..).unwrap_or_default();
        self.full |= rest.len() > room.len();
        for (to, from) in room.iter_mut().zip(rest) {
            *to = *from;
            self.filled = self.filled.saturating_add(1);
        }
        if self.full {
            return Err(fmt::Error);
        }
        Ok(())
    }
}
