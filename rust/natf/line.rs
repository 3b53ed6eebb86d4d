// SPDX-License-Identifier: GPL-2.0

//! What the files that take commands have in common: one command per line, words parted by blanks,
//! and a `#` that starts a comment.

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

/// Which of `choices` the one word of `text` is.
pub fn choice(text: &[u8], choices: &[&str]) -> Option<u8> {
    let mut words = words(text);
    let word = words.next().filter(|_| words.next().is_none())?;
    let at = choices
        .iter()
        .position(|choice| choice.as_bytes() == word)?;
    u8::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices() {
        let choice = |text: &str| choice(text.as_bytes(), &["off", "on"]);
        assert_eq!(choice("off\n"), Some(0));
        assert_eq!(choice(" on # since today\n"), Some(1));
        for wrong in ["", "\n", "# on", "on off", "on\noff\n", "o", "On"] {
            assert_eq!(choice(wrong), None, "{wrong}");
        }
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
