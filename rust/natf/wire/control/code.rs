// SPDX-License-Identifier: GPL-2.0

//! The codes of a response.

use core::fmt;

/// What the router says to a request. The numbers and names are those of `docs/protocol.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// Mapped.
    Ok,
    /// The ACT says no, or does not know the name.
    Denied,
    /// The firewall stopped the pseudo-packet.
    Forbidden,
    /// The ACT's address cannot be reached from the router.
    NoHost,
    /// The NAT has no rule that translates the host, or no port or no entry left; or there are as many mappings as may be.
    NoResource,
    /// Not TCP, UDP or ICMP echo.
    BadProtocol,
    /// The claimed EN address is not the source of the packet.
    BadSource,
    /// An option that must be understood is not.
    BadOption,
    /// Not an error: repeat the request with this cookie.
    Cookie,
    /// The request's authentication failed: key unknown, MAC wrong, or clock too far off.
    BadAuth,
    /// A code of a later version. It is no mapping.
    Other(u8),
}

/// How EN tells an application that there will be no flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// ICMP "communication administratively prohibited".
    Prohibited,
    /// ICMP "host unreachable".
    HostUnreachable,
}

impl Code {
    /// What EN does about the code; `None` if the flow is mapped. COOKIE, BAD_AUTH and unknown codes are
    /// refusals to an EN that cannot do what they ask.
    pub const fn refusal(self) -> Option<Refusal> {
        match self {
            Code::Ok => None,
            Code::NoHost | Code::NoResource => Some(Refusal::HostUnreachable),
            _ => Some(Refusal::Prohibited),
        }
    }

    /// The code's name, as it is in `docs/protocol.md`.
    pub const fn name(self) -> &'static str {
        match self {
            Code::Ok => "OK",
            Code::Denied => "DENIED",
            Code::Forbidden => "FORBIDDEN",
            Code::NoHost => "NO_HOST",
            Code::NoResource => "NO_RESOURCE",
            Code::BadProtocol => "BAD_PROTOCOL",
            Code::BadSource => "BAD_SOURCE",
            Code::BadOption => "BAD_OPTION",
            Code::Cookie => "COOKIE",
            Code::BadAuth => "BAD_AUTH",
            Code::Other(_) => "unknown code",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Code::Other(number) => write!(f, "{} {number}", self.name()),
            _ => f.pad(self.name()),
        }
    }
}

impl From<u8> for Code {
    fn from(number: u8) -> Self {
        match number {
            0 => Code::Ok,
            1 => Code::Denied,
            2 => Code::Forbidden,
            3 => Code::NoHost,
            4 => Code::NoResource,
            5 => Code::BadProtocol,
            6 => Code::BadSource,
            7 => Code::BadOption,
            8 => Code::Cookie,
            9 => Code::BadAuth,
            other => Code::Other(other),
        }
    }
}

impl From<Code> for u8 {
    fn from(code: Code) -> Self {
        match code {
            Code::Ok => 0,
            Code::Denied => 1,
            Code::Forbidden => 2,
            Code::NoHost => 3,
            Code::NoResource => 4,
            Code::BadProtocol => 5,
            Code::BadSource => 6,
            Code::BadOption => 7,
            Code::Cookie => 8,
            Code::BadAuth => 9,
            Code::Other(number) => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_there_and_back() {
        for number in 0..=u8::MAX {
            assert_eq!(u8::from(Code::from(number)), number);
        }
    }

    #[test]
    fn only_ok_is_no_refusal() {
        for number in 0..=u8::MAX {
            assert_eq!(Code::from(number).refusal().is_none(), number == 0);
        }
        assert_eq!(Code::NoHost.refusal(), Some(Refusal::HostUnreachable));
        assert_eq!(Code::Denied.refusal(), Some(Refusal::Prohibited));
    }

    #[test]
    fn names() {
        assert_eq!(Code::BadSource.to_string(), "BAD_SOURCE");
        assert_eq!(Code::Other(77).to_string(), "unknown code 77");
    }
}
