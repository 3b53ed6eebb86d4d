// SPDX-License-Identifier: GPL-2.0

//! Asks `natf-named`. It runs in programs of others, so it takes a bounded time, and raises no signal.

use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{
    connect, send, socket, AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr,
};

use crate::protocol::{question, Answer, Lines, ANSWER_MAX, PATIENCE, PROMPT};

/// How often to knock where many wait at the door, and the pause between.
const KNOCKS: u32 = 5;
const KNOCK_PAUSE: Duration = Duration::from_millis(10);

/// What is said of `name` at the socket `path`, which is never [`Answer::Wait`]. `None`: nobody answers there, or
/// not in time, or `name` is no name.
pub fn ask(path: &Path, name: &[u8]) -> Option<Answer> {
    let name = question(name)?;
    // Names of one label are under no suffix.
    name.view().split_first()?;
    let mut line = [name.as_bytes(), b"\n"].concat();
    let stream = open(path)?;
    let sent = send(stream.as_raw_fd(), &line, MsgFlags::MSG_NOSIGNAL).ok()?;
    line.drain(..sent);
    if !line.is_empty() {
        return None;
    }
    let mut lines = Lines::<ANSWER_MAX>::new(&stream);
    let start = Instant::now();
    match Answer::parse(lines.next(start.checked_add(PROMPT)?).ok()?)? {
        Answer::Wait => {}
        answer => return Some(answer),
    }
    // It is ours, so nobody else is to be asked: better no answer than one that leads to the router.
    match start.checked_add(PATIENCE).map(|end| lines.next(end)) {
        Some(Ok(line)) => Answer::parse(line).filter(|answer| *answer != Answer::Wait),
        _ => Some(Answer::Failed),
    }
}

/// A connection to the socket `path`, if there is one at once.
fn open(path: &Path) -> Option<UnixStream> {
    let address = UnixAddr::new(path).ok()?;
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None).ok()?;
    for _ in 0..KNOCKS {
        match connect(socket.as_raw_fd(), &address) {
            Ok(()) => {
                let stream = UnixStream::from(socket);
                stream.set_nonblocking(false).ok()?;
                return Some(stream);
            }
            Err(Errno::EAGAIN) => sleep(KNOCK_PAUSE),
            Err(_) => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::Ipv4Addr;
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;
    use std::thread;

    /// A socket whose other side does `what` with the first who comes.
    fn answering(what: impl FnOnce(UnixStream) + Send + 'static) -> PathBuf {
        let (listener, path) = listening();
        thread::spawn(move || what(listener.accept().unwrap().0));
        path
    }

    fn listening() -> (UnixListener, PathBuf) {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("libnss-natf-{}-{number}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        (UnixListener::bind(&path).unwrap(), path)
    }

    fn saying(text: &'static str) -> PathBuf {
        answering(|mut stream| {
            let mut question = [0; 64];
            let len = stream.read(&mut question).unwrap();
            assert_eq!(&question[..len], b"alice.home.example.net\n");
            stream.write_all(text.as_bytes()).unwrap();
        })
    }

    fn ask_alice(path: &Path) -> Option<Answer> {
        let answer = ask(path, b"Alice.home.example.net.");
        let _ = std::fs::remove_file(path);
        answer
    }

    const ALICE: Answer = Answer::Address(Ipv4Addr::new(240, 0, 1, 2), 60);

    #[test]
    fn an_answer_comes_at_once_or_after_a_wait() {
        assert_eq!(ask_alice(&saying("wait\n240.0.1.2 60\n")), Some(ALICE));
        assert_eq!(ask_alice(&saying("240.0.1.2 60\n")), Some(ALICE));
        assert_eq!(ask_alice(&saying("other\n")), Some(Answer::Other));
        assert_eq!(ask_alice(&saying("wait\nnone\n")), Some(Answer::None));
    }

    #[test]
    fn who_does_not_keep_to_the_protocol_is_nobody() {
        for nonsense in [
            "",
            "hello\n",
            "240.0.1.2 60",
            "waitwaitwaitwaitwaitwaitwaitwaitwait\n",
            "wait\nwait\n",
        ] {
            assert_eq!(ask_alice(&saying(nonsense)), None, "{nonsense}");
        }
    }

    #[test]
    fn a_name_of_ours_is_no_others_when_the_answer_does_not_come() {
        assert_eq!(ask_alice(&saying("wait\n")), Some(Answer::Failed));
    }

    #[test]
    fn nobody_there() {
        let (listener, path) = listening();
        drop(listener);
        assert_eq!(ask(&path, b"alice.home.example.net"), None);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(ask(&path, b"alice.home.example.net"), None);
    }

    #[test]
    fn who_hears_and_does_not_answer_costs_a_second() {
        let path = answering(|mut stream| {
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let start = Instant::now();
        assert_eq!(ask_alice(&path), None);
        assert!(start.elapsed() >= PROMPT && start.elapsed() < PROMPT * 3);
    }

    #[test]
    fn a_full_door_costs_less() {
        let (_listener, path) = listening();
        let mut waiting = Vec::new();
        while let Some(stream) = open(&path) {
            waiting.push(stream);
        }
        let start = Instant::now();
        assert_eq!(ask_alice(&path), None);
        assert!(start.elapsed() < PROMPT);
    }

    #[test]
    fn what_is_no_name_is_not_asked_for() {
        let (listener, path) = listening();
        listener.set_nonblocking(true).unwrap();
        for name in ["", "localhost", "a b.c", "alice..net", "192.0.2.1\nx.y"] {
            assert_eq!(ask(&path, name.as_bytes()), None, "{name}");
        }
        assert!(listener.accept().is_err());
        std::fs::remove_file(path).unwrap();
    }
}
