// SPDX-License-Identifier: GPL-2.0

//! How results are written: for a person, in columns and on a terminal with colours; or as JSON.

use std::fmt::{self, Display};
use std::io::{self, BufWriter, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::record::Mark;

/// When there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether there are colours, by what the environment says.
    fn holds(self, terminal: bool) -> bool {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let plain = variable("NO_COLOR").is_some() || variable("TERM").is_none_or(|t| t == "dumb");
        self.holds_on(terminal, plain)
    }

    /// Whether there are colours; `plain`: somebody does not want any, or the terminal has none.
    fn holds_on(self, terminal: bool, plain: bool) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        }
    }
}

/// Standard output and standard error.
pub struct Output {
    out: Box<dyn Write>,
    json: bool,
    color: bool,
    complaints_color: bool,
    terminal: bool,
}

impl Output {
    /// To the standard output.
    pub fn new(json: bool, color: Color) -> Self {
        let terminal = io::stdout().is_terminal();
        Output {
            out: Box::new(BufWriter::with_capacity(1 << 16, io::stdout())),
            json,
            color: color.holds(terminal),
            complaints_color: color.holds(io::stderr().is_terminal()),
            terminal,
        }
    }

    /// Whether JSON is asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether somebody looks at a terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Writes a line for a person.
    pub fn line(&mut self, text: impl Display) -> Result {
        Ok(writeln!(self.out, "{text}")?)
    }

    /// Writes a heading.
    pub fn heading(&mut self, text: impl Display) -> Result {
        let text = self.paint("1", text);
        self.line(text)
    }

    /// Writes text as it is, without a newline.
    pub fn raw(&mut self, text: impl Display) -> Result {
        Ok(write!(self.out, "{text}")?)
    }

    /// Writes a value as JSON, without a newline.
    pub fn json(&mut self, value: &impl Serialize) -> Result {
        serde_json::to_writer(&mut self.out, value).map_err(|error| io::Error::from(error).into())
    }

    /// Says what was done, to who wants JSON: a person is told by the status alone.
    pub fn done(&mut self, value: &impl Serialize) -> Result {
        if self.json {
            self.json(value)?;
            self.line("")?;
        }
        Ok(())
    }

    /// Gives what was written to the reader.
    pub fn flush(&mut self) -> Result {
        Ok(self.out.flush()?)
    }

    /// Writes rows in columns as wide as they need, with `names` above. The rows are asked for twice, so that none
    /// of a million has to be kept.
    pub fn columns<'a>(
        &mut self,
        names: &[&str],
        rows: impl Fn() -> Box<dyn Iterator<Item = (Vec<String>, Mark)> + 'a>,
    ) -> Result {
        let mut widths: Vec<_> = names.iter().map(|name| name.len()).collect();
        for (cells, _) in rows() {
            for (width, cell) in widths.iter_mut().zip(&cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
        // A list needs no name above it.
        if names.len() > 1 {
            let names: Vec<_> = names.iter().map(|name| name.to_string()).collect();
            let heading = self.paint("2", padded(&names, &widths));
            self.line(heading)?;
        }
        for (cells, mark) in rows() {
            let line = padded(&cells, &widths);
            let line = match mark {
                Mark::Plain => self.paint("", line),
                Mark::Good => self.paint("32", line),
                Mark::Bad => self.paint("31", line),
                Mark::Faint => self.paint("2", line),
            };
            self.line(line)?;
        }
        Ok(())
    }

    /// `text` in a colour, a number of ECMA-48 (SGR), if there are colours.
    pub fn paint<T: Display>(&self, color: &'static str, text: T) -> Painted<T> {
        Painted {
            color: if self.color { color } else { "" },
            text,
        }
    }

    /// Tells the person what went wrong, on standard error.
    pub fn complain(&self, error: &Error) {
        let name = Painted {
            color: if self.complaints_color { "31" } else { "" },
            text: "natfctl:",
        };
        // Nobody is left to be told that nobody can be told.
        let _ = match self.json {
            true => writeln!(
                io::stderr(),
                "{}",
                serde_json::json!({"error": error.to_string(), "status": error.status()})
            ),
            false => writeln!(io::stderr(), "{name} {error}"),
        };
    }

    /// Tells the person what does not stop the command.
    pub fn warn(&self, text: impl Display) {
        let _ = writeln!(io::stderr(), "natfctl: {text}");
    }
}

/// Text in a colour.
pub struct Painted<T> {
    color: &'static str,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.color {
            "" => self.text.fmt(f),
            color => write!(f, "\x1b[{color}m{}\x1b[0m", self.text),
        }
    }
}

/// Cells side by side, without blanks at the end.
fn padded(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line.push_str(cell);
        let blanks = (width + 2).saturating_sub(cell.chars().count());
        line.extend(std::iter::repeat_n(' ', blanks));
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let cells = |texts: [&str; 3]| texts.map(String::from).to_vec();
        assert_eq!(
            padded(&cells(["a", "K\u{fc}che", "1"]), &[3, 6, 4]),
            "a    K\u{fc}che   1"
        );
        assert_eq!(padded(&cells(["a", "b", ""]), &[1, 1, 9]), "a  b");
    }

    #[test]
    fn when_there_are_colours() {
        assert!(Color::Always.holds_on(false, true));
        assert!(!Color::Never.holds_on(true, false));
        assert!(Color::Auto.holds_on(true, false));
        assert!(!Color::Auto.holds_on(true, true) && !Color::Auto.holds_on(false, false));
        let painted = Painted {
            color: "31",
            text: "x",
        };
        assert_eq!(painted.to_string(), "\x1b[31mx\x1b[0m");
    }
}
