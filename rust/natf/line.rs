// SPDX-License-Identifier: GPL-2.0

//! What the files that take commands have in common: one command per line, words parted by blanks,
//! and a `#` that starts a comment.

/// The words of `line` up to its comment.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| byte == b'#')
        .next()
        .unwrap_or_default()
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_comments_are_no_words() {
        let all = |line: &'static str| words(line.as_bytes()).collect::<Vec<_>>();
        assert_eq!(all("  add\talice # 10.0.0.1\n"), [&b"add"[..], b"alice"]);
        assert!(all("# add alice").is_empty());
        assert!(all(" \n").is_empty());
        assert!(all("").is_empty());
    }
}
