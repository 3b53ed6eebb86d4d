// SPDX-License-Identifier: GPL-2.0

//! The words of one line: parted by blanks, ended by a `#`, and texts in double quotes, in which
//! neither counts.

/// What is left of the line. A copy looks ahead.
#[derive(Clone, Copy)]
pub(super) struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    /// All of `line`.
    pub(super) fn new(line: &'a [u8]) -> Self {
        Words(line)
    }

    /// The next word, without taking it.
    pub(super) fn peek(mut self) -> Option<&'a [u8]> {
        self.next()
    }

    /// Takes a text in double quotes, without them. `None`: there is no such text.
    pub(super) fn quoted(&mut self) -> Option<&'a [u8]> {
        let inside = self.0.trim_ascii_start().strip_prefix(b"\"")?;
        let mut parts = inside.splitn(2, |&byte| byte == b'"');
        let text = parts.next()?;
        self.0 = parts.next()?;
        Some(text)
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.trim_ascii_start();
        let end = rest
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || *byte == b'#');
        let (word, rest) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_comments_are_no_words() {
        let all = |line: &'static str| Words::new(line.as_bytes()).collect::<Vec<_>>();
        assert_eq!(all("  add\talice# 10.0.0.1\n"), [&b"add"[..], b"alice"]);
        assert!(all("# add alice").is_empty());
        assert!(all(" \r\n").is_empty());
        assert!(all("").is_empty());
    }

    #[test]
    fn a_text_in_quotes() {
        let mut words = Words::new(b"comment \"a # b\" next # \"c\"");
        assert_eq!(words.quoted(), None);
        assert_eq!(words.peek(), Some(&b"comment"[..]));
        assert_eq!(words.next(), Some(&b"comment"[..]));
        assert_eq!(words.quoted(), Some(&b"a # b"[..]));
        assert_eq!(words.next(), Some(&b"next"[..]));
        assert_eq!(words.quoted(), None);
        assert_eq!(words.next(), None);
        assert_eq!(Words::new(b"\"open").quoted(), None);
        assert_eq!(Words::new(b"\"\"").quoted(), Some(&b""[..]));
    }
}
