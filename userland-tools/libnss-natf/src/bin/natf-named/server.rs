// SPDX-License-Identifier: GPL-2.0

//! One connection, one question, one thread.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use natf::domains;
use natf::name::Name;
use nix::sys::socket::{getsockopt, sockopt};
use nss_natf::protocol::{question, Answer, Lines, PROMPT, QUESTION_MAX};

use crate::kernel::Kernel;
use crate::resolver::{self, Resolved};
use crate::visitors::Visitors;

/// For how many seconds whoever asks may remember an address: half of its life, see [`kernel::LIFE`].
///
/// [`kernel::LIFE`]: crate::kernel::LIFE
const TTL: u32 = crate::kernel::LIFE / 2;

/// Answers whoever comes, for good.
pub(crate) fn run(listener: &UnixListener) -> ExitCode {
    let kernel = Arc::new(Kernel::default());
    let visitors = Arc::new(Visitors::default());
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => {
                // Of too many open files or too little memory, others may give back some.
                crate::say(&format!("cannot accept: {error}"));
                thread::sleep(Duration::from_millis(100));
                continue;
            }
        };
        // Who finds no room hears the connection end, which is an answer at once.
        let Ok(peer) = getsockopt(&stream, sockopt::PeerCredentials) else {
            continue;
        };
        let Some(visit) = visitors.enter(peer.uid()) else {
            continue;
        };
        let kernel = kernel.clone();
        let spawned = thread::Builder::new().stack_size(256 << 10).spawn(move || {
            let _visit = visit;
            // Whoever does not ask, or does not hear the answer, is nobody to tell of it.
            let _ = serve(&stream, &kernel);
        });
        if let Err(error) = spawned {
            crate::say(&format!("cannot start a thread: {error}"));
        }
    }
}

/// Hears a question and answers it.
fn serve(stream: &UnixStream, kernel: &Kernel) -> io::Result<()> {
    let mut lines = Lines::<QUESTION_MAX>::new(stream);
    let end = Instant::now()
        .checked_add(PROMPT)
        .ok_or(io::ErrorKind::TimedOut)?;
    let name = question(lines.next(end)?).ok_or(io::ErrorKind::InvalidData)?;
    stream.set_write_timeout(Some(PROMPT))?;
    let tell = |answer: Answer| {
        let mut stream = stream;
        stream.write_all(format!("{answer}\n").as_bytes())
    };
    // Without the module nothing is ours.
    let suffixes = kernel.suffixes().unwrap_or_default();
    if domains::split(name.view(), &suffixes).is_none() {
        return tell(Answer::Other);
    }
    tell(Answer::Wait)?;
    tell(address(kernel, &name))
}

/// What a name of ours leads to.
fn address(kernel: &Kernel, name: &Name) -> Answer {
    let routers = match resolver::resolve(name) {
        Resolved::Addresses(routers) => routers,
        Resolved::None => return Answer::None,
        Resolved::Failed => return Answer::Failed,
    };
    match virtual_address(kernel, name, &routers) {
        Ok(address) => Answer::Address(address, TTL),
        Err(error) => {
            crate::say(&format!("the kernel gives {name} no address: {error}"));
            Answer::Failed
        }
    }
}

fn virtual_address(kernel: &Kernel, name: &Name, routers: &[Ipv4Addr]) -> io::Result<Ipv4Addr> {
    let prefix = kernel.prefix()?;
    // The kernel has seen the answer to the resolver.
    if let Some(already) = routers.iter().find(|addr| prefix.is_virtual(**addr)) {
        return Ok(*already);
    }
    kernel.virtual_address(name, routers)
}
