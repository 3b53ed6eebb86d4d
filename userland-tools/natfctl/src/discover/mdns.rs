// SPDX-License-Identifier: GPL-2.0

//! Multicast DNS (RFC 6762): the question which name an address has, and its answer. All hosts hear it, the one with
//! the address answers; directly, since who asks has not the port of multicast DNS (section 6.7).

use std::net::{Ipv4Addr, SocketAddrV4};

/// Where all hosts of a LAN hear it.
pub const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(224, 0, 0, 251), 5353);

/// PTR, and the class IN (RFC 1035).
const PTR: [u8; 2] = [0, 12];
const IN: [u8; 2] = [0, 1];

/// Most labels and pointers that a name is followed through.
const STEPS: usize = 128;

/// `10.0.168.192.in-addr.arpa` of an address.
fn reverse(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("{d}.{c}.{b}.{a}.in-addr.arpa")
}

/// The question for the name of `address`.
pub fn question(id: u16, address: Ipv4Addr) -> Vec<u8> {
    let mut packet = id.to_be_bytes().to_vec();
    // A query, one question.
    packet.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in reverse(address).split('.') {
        packet.extend(u8::try_from(label.len()));
        packet.extend(label.as_bytes());
    }
    packet.push(0);
    packet.extend(PTR);
    packet.extend(IN);
    packet
}

/// The name in the answer to [`question`], without the point at its end.
pub fn answer(packet: &[u8], id: u16, address: Ipv4Addr) -> Option<String> {
    let mut reader = Reader { packet, at: 0 };
    let said = reader.number()?;
    let flags = reader.number()?;
    // A response, without an error.
    if said != id || flags & 0x800f != 0x8000 {
        return None;
    }
    let questions = reader.number()?;
    let answers = reader.number()?;
    reader.skip(4)?;
    for _ in 0..questions {
        reader.name()?;
        reader.skip(4)?;
    }
    for _ in 0..answers {
        let name = reader.name()?;
        let kind = reader.number()?;
        // The first bit says that other answers are out of date.
        let class = reader.number()? & 0x7fff;
        reader.skip(4)?;
        let length = usize::from(reader.number()?);
        let end = reader.at.checked_add(length)?;
        if name.eq_ignore_ascii_case(&reverse(address))
            && kind == u16::from_be_bytes(PTR)
            && class == u16::from_be_bytes(IN)
        {
            return reader.name().filter(|name| !name.is_empty());
        }
        reader.at = end;
    }
    None
}

/// A place in a packet.
struct Reader<'a> {
    packet: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.at = self.at.checked_add(bytes)?;
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.packet.get(self.at)?;
        self.skip(1)?;
        Some(byte)
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    /// A name that may be compressed (RFC 1035, 4.1.4). A point within a label becomes a question mark.
    fn name(&mut self) -> Option<String> {
        let mut labels: Vec<String> = Vec::new();
        let mut behind = None;
        for _ in 0..STEPS {
            let length = self.byte()?;
            match length {
                0 => {
                    self.at = behind.unwrap_or(self.at);
                    return Some(labels.join("."));
                }
                1..=63 => {
                    let end = self.at.checked_add(usize::from(length))?;
                    let label = self.packet.get(self.at..end)?;
                    labels.push(String::from_utf8_lossy(label).replace('.', "?"));
                    self.at = end;
                }
                192.. => {
                    let to = u16::from_be_bytes([length & 63, self.byte()?]);
                    behind.get_or_insert(self.at);
                    self.at = usize::from(to);
                }
                _ => return None,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::op::{Message, MessageType, OpCode, Query};
    use hickory_proto::rr::{rdata, Name, RData, Record, RecordType};
    use proptest::prelude::*;

    const ALICE: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 10);

    fn response(owner: &str, to: &str) -> Vec<u8> {
        let owner = Name::from_ascii(owner).unwrap();
        let to = RData::PTR(rdata::PTR(Name::from_ascii(to).unwrap()));
        let mut message = Message::new();
        message.set_id(7).set_message_type(MessageType::Response);
        message.set_op_code(OpCode::Query);
        message.add_query(Query::query(owner.clone(), RecordType::PTR));
        message.add_answer(Record::from_rdata(owner, 10, to));
        message.to_vec().unwrap()
    }

    #[test]
    fn another_implementation_reads_the_question() {
        let message = Message::from_vec(&question(7, ALICE)).unwrap();
        let query = &message.queries()[0];
        assert_eq!(query.name().to_ascii(), "10.0.168.192.in-addr.arpa.");
        assert_eq!(query.query_type(), RecordType::PTR);
        assert_eq!((message.id(), message.queries().len()), (7, 1));
    }

    #[test]
    fn the_answer_of_another_implementation() {
        let packet = response("10.0.168.192.in-addr.arpa.", "Alice-Mac.local.");
        assert_eq!(answer(&packet, 7, ALICE).unwrap(), "Alice-Mac.local");
        assert_eq!(answer(&packet, 8, ALICE), None, "to another question");
        assert_eq!(answer(&packet, 7, Ipv4Addr::new(192, 168, 0, 11)), None);
        assert_eq!(answer(&question(7, ALICE), 7, ALICE), None, "a question");
        for end in 0..packet.len() {
            answer(&packet[..end], 7, ALICE);
        }
    }

    #[test]
    fn a_pointer_to_itself() {
        let mut packet = response("10.0.168.192.in-addr.arpa.", "alice.local.");
        packet[12..14].copy_from_slice(&[192, 12]);
        assert_eq!(answer(&packet, 7, ALICE), None);
    }

    proptest! {
        #[test]
        fn it_bears_anything(head: bool, bytes: Vec<u8>) {
            let start = if head { response("10.0.168.192.in-addr.arpa.", "a.local.") } else { vec![] };
            let _ = answer(&[start.get(..12).unwrap_or(&[]), &bytes].concat(), 7, ALICE);
        }
    }
}
