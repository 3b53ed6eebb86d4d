// SPDX-License-Identifier: GPL-2.0

//! NetBIOS over UDP (RFC 1002, 4.2.17 and 4.2.18): the question which names a host has, and its answer.

/// The port of the name service.
pub const PORT: u16 = 137;

/// NBSTAT, and the class IN.
const NBSTAT_IN: [u8; 4] = [0, 0x21, 0, 1];

/// A name in the answer: 15 bytes and what it is for, then flags.
const ENTRY: usize = 18;

/// The question. It is for the name `*` and 15 zeros, each half of a byte written as a letter from A on.
pub fn question(id: u16) -> Vec<u8> {
    let mut packet = id.to_be_bytes().to_vec();
    packet.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 32]);
    packet.extend(b"CK");
    packet.extend([b'A'; 30]);
    packet.push(0);
    packet.extend(NBSTAT_IN);
    packet
}

/// The host's name in the answer to [`question`]: the first that is for a workstation (0) and not for a group.
pub fn answer(packet: &[u8], id: u16) -> Option<String> {
    let number = |at| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    // A response without an error, no question, one answer.
    if number(0)? != id || number(2)? & 0x800f != 0x8000 || number(4)? != 0 || number(6)? == 0 {
        return None;
    }
    // The name stands there as it was asked.
    if packet.get(12)? != &32 || packet.get(45)? != &0 || packet.get(46..50)? != NBSTAT_IN {
        return None;
    }
    let count = usize::from(*packet.get(56)?);
    let entries = packet.get(57..)?.chunks_exact(ENTRY).take(count);
    entries.into_iter().find_map(|entry| {
        let (name, rest) = entry.split_at_checked(15)?;
        let &[suffix, flags, _] = rest else {
            return None;
        };
        let name = String::from_utf8_lossy(name);
        let name = name.trim_end_matches([' ', '\0']);
        // A point would end the name where it has none.
        (suffix == 0 && flags & 0x80 == 0 && !name.is_empty()).then(|| name.replace('.', "?"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The answer of a host in a workgroup: Samba's, with its names, and a hardware address behind.
    fn response() -> Vec<u8> {
        let mut packet = vec![0, 7, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        packet.extend(&question(7)[12..]);
        packet.extend([0, 0, 0, 0, 0, 137, 5]);
        for (name, suffix, flags) in [
            ("WORKGROUP", 0, 0x84),
            ("MEDIA-BOX", 0x20, 0x04),
            ("MEDIA-BOX", 0, 0x04),
            ("MEDIA-BOX", 3, 0x04),
            ("WORKGROUP", 0x1e, 0x84),
        ] {
            packet.extend(format!("{name:15}").as_bytes());
            packet.extend([suffix, flags, 0]);
        }
        packet.extend([0; 46]);
        packet
    }

    #[test]
    fn the_question_is_that_of_the_standard() {
        let packet = question(7);
        assert_eq!(packet.len(), 50);
        assert_eq!(&packet[12..46], b"\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0");
    }

    #[test]
    fn the_hosts_own_name() {
        let packet = response();
        assert_eq!(answer(&packet, 7).unwrap(), "MEDIA-BOX");
        assert_eq!(answer(&packet, 8), None);
        assert_eq!(answer(&question(7), 7), None);
        for end in 0..packet.len() {
            answer(&packet[..end], 7);
        }
        assert_eq!(answer(&packet[..57 + ENTRY], 7), None, "only the group's");
    }

    proptest! {
        #[test]
        fn it_bears_anything(head: bool, bytes: Vec<u8>) {
            let start = if head { response() } else { vec![] };
            let _ = answer(&[start.get(..56).unwrap_or(&[]), &bytes].concat(), 7);
        }
    }
}
