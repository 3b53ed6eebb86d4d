// SPDX-License-Identifier: GPL-2.0

//! Why a command did not do what it should, in a sentence for a person and a status for a program.

use std::fmt;
use std::io;

/// Why a command ended early.
#[derive(Debug, PartialEq, Eq)]
pub enum Error {
    /// It was tried and did not work. Status 1.
    Failed(String),
    /// The command line asks for what cannot be. Status 2.
    Usage(String),
    /// The kernel module is not loaded. Status 3.
    NotLoaded(String),
    /// What is wrong was told already, as a result. With this status.
    Told(u8),
    /// Nobody reads the output any more, as behind `| head`. Not an error: status 0.
    Closed,
}

/// What a command returns.
pub type Result<T = ()> = std::result::Result<T, Error>;

impl Error {
    /// The exit status.
    pub fn status(&self) -> u8 {
        match self {
            Error::Closed => 0,
            Error::Failed(_) => 1,
            Error::Usage(_) => 2,
            Error::NotLoaded(_) => 3,
            Error::Told(status) => *status,
        }
    }

    /// That of a file, which is named as the person knows it.
    pub fn file(name: impl fmt::Display, error: &io::Error) -> Self {
        Error::Failed(format!("{name}: {}", words(error)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Failed(text) | Error::Usage(text) | Error::NotLoaded(text) => f.write_str(text),
            Error::Told(_) => f.write_str("something is wrong"),
            Error::Closed => f.write_str("nobody reads the output"),
        }
    }
}

/// Of writing results.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Error::Closed,
            _ => Error::file("writing the output", &error),
        }
    }
}

/// The system's words for an error, as `strerror` has them, without Rust's number behind.
pub fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" (os error ") {
        Some((words, _)) => words.to_string(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words() {
        let error = io::Error::from_raw_os_error(22);
        assert_eq!(words(&error), "Invalid argument");
        assert_eq!(words(&io::Error::other("no key in it")), "no key in it");
        let file = Error::file("/x", &error);
        assert_eq!(file.to_string(), "/x: Invalid argument");
        assert_eq!(file.status(), 1);
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let closed = Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((closed.status(), closed), (0, Error::Closed));
    }
}
