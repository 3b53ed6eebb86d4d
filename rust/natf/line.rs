// SPDX-License-Identifier: GPL-2.0

//! What the files that take commands have in common: one command per line, words parted by blanks,
//! and a `#` that starts a comment.

use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

/// The words of `line` up to its comment.
pub fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| byte == b'#')
        .next()
        .unwrap_or_default()
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
}

/// A name and its number, as `line` has them; a blank line has nothing. `None`: it is no such line.
pub fn setting(line: &[u8]) -> Option<Option<(&[u8], u32)>> {
    let mut words = words(line);
    let Some(name) = words.next() else {
        return Some(None);
    };
    let number = words
        .next()
        .filter(|text| text.iter().all(u8::is_ascii_digit))
        .and_then(|text| core::str::from_utf8(text).ok()?.parse().ok());
    match (number, words.next()) {
        (Some(number), None) => Some(Some((name, number))),
        _ => None,
    }
}

/// A setting that is one word out of several.
pub struct Choice {
    words: &'static [&'static str],
    at: AtomicU8,
}

impl Choice {
    /// Of `words`, that of number `at`.
    pub const fn new(words: &'static [&'static str], at: u8) -> Self {
        let at = AtomicU8::new(at);
        Self { words, at }
    }

    /// The number of the word.
    pub fn get(&self) -> u8 {
        self.at.load(Ordering::Relaxed)
    }

    /// Takes the one word of `text`. `None`: it is no such, and nothing changes.
    pub fn set(&self, text: &[u8]) -> Option<()> {
        let mut words = words(text);
        let word = words.next().filter(|_| words.next().is_none())?;
        let mut choices = self.words.iter();
        let at = choices.position(|choice| choice.as_bytes() == word)?;
        self.at.store(u8::try_from(at).ok()?, Ordering::Relaxed);
        Some(())
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.words.get(usize::from(self.get()));
        f.write_str(word.copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices() {
        let choice = Choice::new(&["off", "on"], 1);
        assert_eq!((choice.get(), choice.to_string()), (1, "on".into()));
        assert_eq!(choice.set(b"off\n"), Some(()));
        for wrong in ["", "\n", "# on", "on off", "on\noff\n", "o", "On"] {
            assert_eq!(choice.set(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!((choice.get(), choice.to_string()), (0, "off".into()));
        assert_eq!(choice.set(b" on # since today\n"), Some(()));
        assert_eq!(choice.get(), 1);
    }

    #[test]
    fn settings() {
        assert_eq!(
            setting(b" names 16 # of them"),
            Some(Some((&b"names"[..], 16)))
        );
        assert_eq!(
            setting(b"names 4294967295\n"),
            Some(Some((&b"names"[..], u32::MAX)))
        );
        assert_eq!(setting(b" # names 16"), Some(None));
        for wrong in ["names", "names +1", "names 1 2", "names 4294967296", "16"] {
            assert_eq!(setting(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn blanks_and_comments_are_no_words() {
        let all = |line: &'static str| words(line.as_bytes()).collect::<Vec<_>>();
        assert_eq!(all("  add\talice # 10.0.0.1\n"), [&b"add"[..], b"alice"]);
        assert!(all("# add alice").is_empty());
        assert!(all(" \n").is_empty());
        assert!(all("").is_empty());
    }
}
