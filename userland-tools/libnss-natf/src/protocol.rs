// SPDX-License-Identifier: GPL-2.0

//! What is said over the socket: one question, and one or two lines of answer.
//!
//! ```text
//! alice.home.example.net        asks for a name
//! wait                          it is under a suffix, and the resolver is being asked
//! 240.0.230.216 60              its virtual address, and for how many seconds it may be remembered
//! ```
//!
//! In the place of the last line, or of both: `none`, the name has no IPv4 address; `other`, it is under no suffix;
//! `failed`, nobody can tell at the moment. A line ends with a newline.

use std::fmt;
use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use natf::name::{self, Name};

/// Where the socket is.
pub const SOCKET: &str = "/run/natf/names";

/// Longest question in bytes, with a final dot and the newline.
pub const QUESTION_MAX: usize = name::MAX_LEN + 2;

/// Longest line of an answer in bytes, with the newline: an address and a number of 32 bits.
pub const ANSWER_MAX: usize = 15 + 1 + 10 + 1;

/// For how long a question may take to come, and the first line of its answer.
pub const PROMPT: Duration = Duration::from_secs(1);

/// For how long a resolver may take. libc's own gives up two servers after 20 s, but its callers seldom wait so long.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A line of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The name is ours; another line follows.
    Wait,
    /// Its virtual address, and for how many seconds it may be remembered.
    Address(Ipv4Addr, u32),
    /// The name is ours, and has no IPv4 address.
    None,
    /// The name is under no suffix.
    Other,
    /// The resolver or the kernel could not say.
    Failed,
}

impl Answer {
    /// The answer that `line` is, without its newline. `None`: it is none.
    pub fn parse(line: &[u8]) -> Option<Self> {
        match line {
            b"wait" => return Some(Answer::Wait),
            b"none" => return Some(Answer::None),
            b"other" => return Some(Answer::Other),
            b"failed" => return Some(Answer::Failed),
            _ => {}
        }
        let (address, ttl) = std::str::from_utf8(line).ok()?.split_once(' ')?;
        // A number with a sign is none: `parse` would take "+1".
        let digits = ttl.bytes().all(|byte| byte.is_ascii_digit());
        let ttl = ttl.parse().ok().filter(|_| digits)?;
        Some(Answer::Address(address.parse().ok()?, ttl))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Wait => f.write_str("wait"),
            Answer::Address(address, ttl) => write!(f, "{address} {ttl}"),
            Answer::None => f.write_str("none"),
            Answer::Other => f.write_str("other"),
            Answer::Failed => f.write_str("failed"),
        }
    }
}

/// The name that `line` asks for, without its newline. `None`: it is no question. Blanks, and anything else that
/// could mean something elsewhere, are in no name.
pub fn question(line: &[u8]) -> Option<Name> {
    Name::parse(line).ok()
}

/// Reads lines that come over a socket, each within its time.
#[derive(Debug)]
pub struct Lines<'a, const MAX: usize> {
    stream: &'a UnixStream,
    buffer: [u8; MAX],
    filled: usize,
    /// How long the line before was, which still lies in the buffer.
    used: usize,
}

impl<'a, const MAX: usize> Lines<'a, MAX> {
    /// Reads from `stream`, which blocks.
    pub fn new(stream: &'a UnixStream) -> Self {
        Lines {
            stream,
            buffer: [0; MAX],
            filled: 0,
            used: 0,
        }
    }

    /// The next line, without its newline, that is there before `end`.
    ///
    /// # Errors
    ///
    /// `TimedOut`, `UnexpectedEof`, `InvalidData` for a line of more than `MAX` bytes, and those of the socket.
    pub fn next(&mut self, end: Instant) -> io::Result<&[u8]> {
        self.buffer.copy_within(self.used..self.filled, 0);
        self.filled = self.filled.saturating_sub(self.used);
        self.used = 0;
        let len = loop {
            let bytes = self.buffer.get(..self.filled).unwrap_or_default();
            if let Some(len) = bytes.iter().position(|&byte| byte == b'\n') {
                break len;
            }
            let left = end.saturating_duration_since(Instant::now());
            let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if room.is_empty() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut stream = self.stream;
            match stream.read(room) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(more) => self.filled = self.filled.saturating_add(more),
                // The time is looked at above.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                    ) => {}
                Err(error) => return Err(error),
            }
        };
        self.used = len.saturating_add(1);
        Ok(self.buffer.get(..len).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn lines_of(bytes: &[u8], close: bool) -> (Vec<Vec<u8>>, io::ErrorKind) {
        let (mut there, here) = UnixStream::pair().unwrap();
        // Whoever reads may have had enough.
        let _ = there.write_all(bytes);
        let kept = (!close).then_some(there);
        let mut lines = Lines::<ANSWER_MAX>::new(&here);
        let mut all = Vec::new();
        let error = loop {
            match lines.next(Instant::now() + Duration::from_millis(20)) {
                Ok(line) => all.push(line.to_vec()),
                Err(error) => break error.kind(),
            }
        };
        drop(kept);
        (all, error)
    }

    #[test]
    fn lines_come_as_they_were_sent() {
        let (lines, error) = lines_of(b"wait\n\n240.0.1.2 60\nhalf", true);
        assert_eq!(lines, [&b"wait"[..], b"", b"240.0.1.2 60"]);
        assert_eq!(error, io::ErrorKind::UnexpectedEof);
        assert_eq!(lines_of(b"half", false).1, io::ErrorKind::TimedOut);
        assert_eq!(lines_of(b"", true).1, io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_line_has_a_bound() {
        let longest = [vec![b'1'; ANSWER_MAX - 1], vec![b'\n']].concat();
        assert_eq!(lines_of(&longest, true).0.len(), 1);
        assert_eq!(
            lines_of(&[b'1'; ANSWER_MAX], true).1,
            io::ErrorKind::InvalidData
        );
    }

    #[test]
    fn who_sends_byte_by_byte_gains_no_time() {
        let (mut there, here) = UnixStream::pair().unwrap();
        let sender = std::thread::spawn(move || {
            while there.write_all(b"w").is_ok() {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let start = Instant::now();
        let result = Lines::<QUESTION_MAX>::new(&here)
            .next(start + Duration::from_millis(100))
            .map(<[u8]>::to_vec);
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() < Duration::from_secs(1));
        drop(here);
        sender.join().unwrap();
    }

    #[test]
    fn what_is_no_answer() {
        for wrong in [
            "",
            "WAIT",
            "wait ",
            " none",
            "240.0.1.2",
            "240.0.1.2  60",
            "240.0.1.2 60 ",
            "240.0.1.2 -1",
            "240.0.1.2 +1",
            "240.0.1.2 4294967296",
            "240.0.1.2\t60",
            "::1 60",
            "240.0.1 60",
            "240.0.1.2 ",
        ] {
            assert_eq!(Answer::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn a_question_is_a_name_and_nothing_else() {
        assert_eq!(
            question(b"Alice.Home.example.net.").unwrap().as_str(),
            "alice.home.example.net"
        );
        for wrong in [
            "",
            ".",
            "a b",
            "alice 10.0.0.1 60",
            "a\r",
            "a..b",
            "a\0",
            "a#",
            "ä",
            "../x",
        ] {
            assert!(question(wrong.as_bytes()).is_none(), "{wrong}");
        }
        let longest = format!(
            "{}.a.",
            [
                "a".repeat(63),
                "b".repeat(63),
                "c".repeat(63),
                "d".repeat(59)
            ]
            .join(".")
        );
        assert_eq!(longest.len() + 1, QUESTION_MAX);
        assert!(question(longest.as_bytes()).is_some());
        assert!(question(format!("a{longest}").as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn an_answer_is_read_as_it_was_written(address: [u8; 4], ttl: u32) {
            let answer = Answer::Address(address.into(), ttl);
            let line = answer.to_string();
            prop_assert!(line.len() < ANSWER_MAX);
            prop_assert_eq!(Answer::parse(line.as_bytes()), Some(answer));
        }

        #[test]
        fn whatever_comes_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = question(&bytes);
            if let Some(answer) = Answer::parse(&bytes) {
                prop_assert_eq!(Answer::parse(answer.to_string().as_bytes()), Some(answer));
            }
        }

        #[test]
        fn what_is_made_of_pieces_too(words in proptest::collection::vec("[0-9. ]{0,6}|wait|none|240\\.0\\.1\\.2| 60", 0..4)) {
            let line = words.concat();
            if let Some(answer) = Answer::parse(line.as_bytes()) {
                prop_assert_eq!(Answer::parse(answer.to_string().as_bytes()), Some(answer));
            }
        }

        #[test]
        fn whatever_is_sent_the_lines_are_its_lines(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200)) {
            let (lines, _) = lines_of(&bytes, true);
            let wanted: Vec<_> = bytes
                .split_inclusive(|&byte| byte == b'\n')
                .take_while(|line| line.ends_with(b"\n") && line.len() <= ANSWER_MAX)
                .map(|line| line[..line.len() - 1].to_vec())
                .collect();
            prop_assert_eq!(lines, wanted);
        }
    }
}
