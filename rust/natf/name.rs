// SPDX-License-Identifier: GPL-2.0

//! Names: private host names, suffixes and the questions of DNS, in one canonical form.
//!
//! A name is 1 to 253 bytes, labels of 1 to 63 bytes joined by dots, no dot at the end; its bytes are
//! lower-case letters, digits, `-` and `_`. Equal names are therefore equal bytes.

use core::{fmt, hash};

/// Longest name in bytes, as text. It is what the 255 bytes of a DNS name have room for.
pub const MAX_LEN: usize = 253;

/// Longest label in bytes.
pub const MAX_LABEL_LEN: usize = 63;

/// Why bytes are not a [`Name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// There is nothing.
    Empty,
    /// More than [`MAX_LEN`] bytes.
    TooLong,
    /// A label is empty: the name starts with a dot, or two dots follow each other.
    EmptyLabel,
    /// A label has more than [`MAX_LABEL_LEN`] bytes.
    LabelTooLong,
    /// A byte that is no letter, digit, `-`, `_` (or, where case is not folded, an upper-case one).
    Byte(u8),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::Empty => f.write_str("the name is empty"),
            NameError::TooLong => write!(f, "the name is longer than {MAX_LEN} bytes"),
            NameError::EmptyLabel => f.write_str("a label of the name is empty: remove the dot"),
            NameError::LabelTooLong => {
                write!(
                    f,
                    "a label of the name is longer than {MAX_LABEL_LEN} bytes"
                )
            }
            NameError::Byte(byte) => write!(
                f,
                "'{}' cannot be in a name: use letters, digits, '-' and '_'",
                byte.escape_ascii()
            ),
        }
    }
}

/// Whether `byte` may be in a label as it is.
const fn is_canonical(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_')
}

/// Whether `label` can be a label of a [`Name`] once its case is folded.
pub fn is_label(label: &[u8]) -> bool {
    check_label(label, |byte| byte.to_ascii_lowercase()).is_ok()
}

fn check_label(label: &[u8], fold: impl Fn(u8) -> u8) -> Result<(), NameError> {
    match label.len() {
        0 => return Err(NameError::EmptyLabel),
        1..=MAX_LABEL_LEN => {}
        _ => return Err(NameError::LabelTooLong),
    }
    match label.iter().find(|&&byte| !is_canonical(fold(byte))) {
        Some(&byte) => Err(NameError::Byte(byte)),
        None => Ok(()),
    }
}

fn check(text: &[u8], fold: impl Fn(u8) -> u8 + Copy) -> Result<(), NameError> {
    match text.len() {
        0 => Err(NameError::Empty),
        1..=MAX_LEN => text
            .split(|&byte| byte == b'.')
            .try_for_each(|label| check_label(label, fold)),
        _ => Err(NameError::TooLong),
    }
}

/// A name that lies in somebody else's buffer: in a control message, or as a part of a [`Name`].
///
/// Kernel stacks are small; what only looks at a name takes this and not a copy of 254 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NameRef<'a>(&'a str);

impl<'a> NameRef<'a> {
    /// The name that `text` is, if it is in canonical form already: the rule of the control message,
    /// in which upper case and a final dot are malformed.
    pub fn parse_wire_text(text: &'a [u8]) -> Result<Self, NameError> {
        check(text, |byte| byte)?;
        // What passed the check is ASCII.
        let text = core::str::from_utf8(text).map_err(|_| NameError::Byte(0))?;
        Ok(NameRef(text))
    }

    /// The name as text.
    pub fn as_str(&self) -> &'a str {
        self.0
    }

    /// The name as bytes.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0.as_bytes()
    }

    /// The labels, host first.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &'a str> {
        self.0.split('.')
    }

    /// Splits before the first dot: host and domain. `None` if the name is a single label.
    pub fn split_first(&self) -> Option<(NameRef<'a>, NameRef<'a>)> {
        let (host, domain) = self.0.split_once('.')?;
        Some((NameRef(host), NameRef(domain)))
    }

    /// Splits before `suffix`: host and domain. `None` if the name does not end in the whole labels
    /// of `suffix`, or if nothing stands before them.
    pub fn split_suffix(&self, suffix: NameRef<'_>) -> Option<(NameRef<'a>, NameRef<'a>)> {
        let cut = self.0.len().checked_sub(suffix.0.len())?;
        let (before, domain) = self.0.split_at_checked(cut)?;
        let host = before.strip_suffix('.')?;
        (domain == suffix.0).then_some((NameRef(host), NameRef(domain)))
    }

    /// The hash of the virtual address: 32-bit FNV-1a over the bytes.
    pub fn fnv1a(&self) -> u32 {
        self.0.bytes().fold(0x811c_9dc5, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
    }

    /// A copy to keep.
    pub fn to_name(self) -> Name {
        let mut name = Name::EMPTY;
        // A checked name fits, so this appends all of it.
        name.append(self.as_bytes());
        name
    }
}

impl fmt::Display for NameRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for NameRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

/// A name with its own buffer of fixed size, for tables.
#[derive(Clone, Copy)]
pub struct Name {
    len: u8,
    bytes: [u8; MAX_LEN],
}

impl Name {
    const EMPTY: Name = Name {
        len: 0,
        bytes: [0; MAX_LEN],
    };

    /// The name that a person or a configuration file writes as `text`: case is folded, one dot at
    /// the end is dropped.
    pub fn parse(text: &[u8]) -> Result<Self, NameError> {
        let text = match text {
            [name @ .., b'.'] if !name.is_empty() => name,
            _ => text,
        };
        check(text, |byte| byte.to_ascii_lowercase())?;
        let mut name = Name::EMPTY;
        name.append(text);
        Ok(name)
    }

    /// The name that is made of `labels`, host first, as a DNS message has them. Case is folded.
    pub fn from_labels<'l>(labels: impl IntoIterator<Item = &'l [u8]>) -> Result<Self, NameError> {
        let mut name = Name::EMPTY;
        for label in labels {
            check_label(label, |byte| byte.to_ascii_lowercase())?;
            let dot: &[u8] = if name.len == 0 { b"" } else { b"." };
            if !name.append(dot) || !name.append(label) {
                return Err(NameError::TooLong);
            }
        }
        match name.len {
            0 => Err(NameError::Empty),
            _ => Ok(name),
        }
    }

    /// Appends `text` in lower case, or nothing if there is no room: then `false`.
    fn append(&mut self, text: &[u8]) -> bool {
        let room = self.bytes.get_mut(usize::from(self.len)..);
        let Some(place) = room.and_then(|room| room.get_mut(..text.len())) else {
            return false;
        };
        for (to, from) in place.iter_mut().zip(text) {
            *to = from.to_ascii_lowercase();
        }
        // The buffer is shorter than 256 bytes, so what fits into it does not wrap the length.
        self.len = self.len.wrapping_add(u8::try_from(text.len()).unwrap_or(0));
        true
    }

    /// The name without its buffer.
    pub fn view(&self) -> NameRef<'_> {
        NameRef(core::str::from_utf8(self.as_bytes()).unwrap_or_default())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        self.view().0
    }

    /// The name as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.view() == other.view()
    }
}

impl Eq for Name {}

impl PartialEq<NameRef<'_>> for Name {
    fn eq(&self, other: &NameRef<'_>) -> bool {
        self.view() == *other
    }
}

/// The hash is that of the [`NameRef`], so that a table can be searched with one.
impl hash::Hash for Name {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.view().hash(state);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.view(), f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.view(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest() -> String {
        let label = "a".repeat(63);
        format!("{label}.{label}.{label}.{}", "b".repeat(61))
    }

    #[test]
    fn text_is_folded_and_the_final_dot_dropped() {
        let name = Name::parse(b"Alice.HOME_1.example-2.net.").unwrap();
        assert_eq!(name.as_str(), "alice.home_1.example-2.net");
        assert_eq!(name, Name::parse(b"alice.home_1.example-2.net").unwrap());
        assert_eq!(name.to_string(), "alice.home_1.example-2.net");
        assert_eq!(format!("{name:?}"), "\"alice.home_1.example-2.net\"");
        assert_eq!(name.view().labels().next_back(), Some("net"));
    }

    #[test]
    fn what_is_no_name() {
        use NameError::*;
        let long_label = "a".repeat(64);
        for (text, error) in [
            ("", Empty),
            (".", EmptyLabel),
            (".alice", EmptyLabel),
            ("alice..home", EmptyLabel),
            ("alice..", EmptyLabel),
            ("ali ce", Byte(b' ')),
            ("*.home", Byte(b'*')),
            ("al\u{ed}ce", Byte(0xc3)),
            (&long_label, LabelTooLong),
            (&format!("{}c", longest()), TooLong),
        ] {
            assert_eq!(Name::parse(text.as_bytes()).unwrap_err(), error, "{text}");
            assert_eq!(
                NameRef::parse_wire_text(text.as_bytes()),
                Err(error),
                "{text}"
            );
            assert!(!error.to_string().is_empty());
        }
        assert_eq!(
            Name::parse(longest().as_bytes()).unwrap().as_str(),
            longest()
        );
    }

    #[test]
    fn wire_text_is_strict() {
        assert_eq!(
            NameRef::parse_wire_text(b"Alice"),
            Err(NameError::Byte(b'A'))
        );
        assert_eq!(
            NameRef::parse_wire_text(b"alice."),
            Err(NameError::EmptyLabel)
        );
        let alice = NameRef::parse_wire_text(b"alice").unwrap();
        assert_eq!(alice.to_name(), alice);
    }

    #[test]
    fn labels_make_a_name() {
        let labels = [&b"Alice"[..], b"home"];
        assert_eq!(Name::from_labels(labels).unwrap().as_str(), "alice.home");
        assert_eq!(Name::from_labels([]), Err(NameError::Empty));
        assert_eq!(Name::from_labels([&b"a.b"[..]]), Err(NameError::Byte(b'.')));
        assert_eq!(
            Name::from_labels([&[b'a'; 63][..]; 4]),
            Err(NameError::TooLong)
        );
    }

    #[test]
    fn suffixes_are_whole_labels() {
        let name = Name::parse(b"www.alice.home").unwrap();
        let strip = |suffix: &str| {
            let suffix = Name::parse(suffix.as_bytes()).unwrap();
            let (host, domain) = name.view().split_suffix(suffix.view())?;
            assert_eq!(suffix, domain);
            Some(host.to_string())
        };
        assert_eq!(strip("home").as_deref(), Some("www.alice"));
        assert_eq!(strip("alice.home").as_deref(), Some("www"));
        assert_eq!(strip("ice.home"), None);
        assert_eq!(strip("nome"), None);
        assert_eq!(strip("www.alice.home"), None);
        assert_eq!(strip("a.www.alice.home"), None);
    }

    #[test]
    fn hash_of_the_virtual_address() {
        // Values of the FNV authors' test suite.
        assert_eq!(Name::parse(b"a").unwrap().view().fnv1a(), 0xe40c_292c);
        assert_eq!(Name::parse(b"foobar").unwrap().view().fnv1a(), 0xbf9c_f968);
    }
}
