// SPDX-License-Identifier: GPL-2.0

//! The ports of DNS servers whose answers are looked at: up to four, small enough for an atomic word.

use core::fmt;

use crate::natf::line::words;

/// Most ports at a time.
const MAX: u32 = 4;

/// A set of one to four ports, in the order they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports(u64);

/// Why a line is no list of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortsError {
    /// There is none.
    Empty,
    /// More than four.
    TooMany,
    /// A word is no number from 1 to 65535.
    Number,
}

impl fmt::Display for PortsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PortsError::Empty => "no port: write one to four, as in \"53\"",
            PortsError::TooMany => "more than four ports",
            PortsError::Number => "a port is a number from 1 to 65535",
        })
    }
}

impl Ports {
    /// Port 53 alone.
    pub const DEFAULT: Ports = Ports(53);

    /// The ports in `line`, parted by blanks.
    pub fn parse(line: &[u8]) -> Result<Self, PortsError> {
        let mut packed = 0;
        let mut shift: u32 = 0;
        for word in words(line) {
            let port = core::str::from_utf8(word)
                .ok()
                .and_then(|word| word.parse::<u16>().ok())
                .filter(|&port| port != 0)
                .ok_or(PortsError::Number)?;
            if shift >= MAX.saturating_mul(16) {
                return Err(PortsError::TooMany);
            }
            packed |= u64::from(port).wrapping_shl(shift);
            shift = shift.saturating_add(16);
        }
        match packed {
            0 => Err(PortsError::Empty),
            _ => Ok(Ports(packed)),
        }
    }

    /// As one word, for an atomic.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// What [`Ports::to_bits`] gave.
    pub const fn from_bits(bits: u64) -> Self {
        Ports(bits)
    }

    fn iter(self) -> impl Iterator<Item = u16> {
        let [a, b, c, d, e, f, g, h] = self.0.to_le_bytes();
        [[a, b], [c, d], [e, f], [g, h]]
            .into_iter()
            .map(u16::from_le_bytes)
            .filter(|&port| port != 0)
    }

    /// Whether `port` is one of them.
    #[inline]
    pub fn contains(self, port: u16) -> bool {
        // Of every packet: without a loop, and 0 is no port.
        let [a, b, c, d, e, f, g, h] = self.0.to_le_bytes();
        let [low, high] = port.to_le_bytes();
        let is = |at: [u8; 2]| at == [low, high];
        port != 0 && (is([a, b]) || is([c, d]) || is([e, f]) || is([g, h]))
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, port) in self.iter().enumerate() {
            let blank = if index == 0 { "" } else { " " };
            write!(f, "{blank}{port}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["53", "53 5353", "1 2 3 65535"] {
            let ports = Ports::parse(text.as_bytes()).unwrap();
            assert_eq!(ports.to_string(), text);
            assert_eq!(Ports::from_bits(ports.to_bits()), ports);
        }
        let ports = Ports::parse(b" 53\t5353 # of dnsmasq\n").unwrap();
        assert!(ports.contains(53) && ports.contains(5353));
        assert!(!ports.contains(0) && !ports.contains(54));
        assert!(Ports::DEFAULT.contains(53));
    }

    #[test]
    fn what_is_no_list_of_ports() {
        for (text, error) in [
            ("", PortsError::Empty),
            ("# 53", PortsError::Empty),
            ("0", PortsError::Number),
            ("53 dns", PortsError::Number),
            ("65536", PortsError::Number),
            ("1 2 3 4 5", PortsError::TooMany),
        ] {
            assert_eq!(Ports::parse(text.as_bytes()), Err(error), "{text}");
            assert!(!error.to_string().is_empty());
        }
    }
}
