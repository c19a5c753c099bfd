//! Ways to the engine that are not the usual one.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// Where the engine of this machine listens.
fn engine_socket() -> PathBuf {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    host.strip_prefix("unix://").map_or_else(|| "/var/run/docker.sock".into(), PathBuf::from)
}

/// The engine of this machine under a TCP address: to Docker's client it looks like one far away.
pub(crate) fn remote_engine() -> String {
    proxy(forward)
}

/// How a connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// It ends, as after a good answer.
    Drop,
    /// It is reset.
    Reset,
    /// Nothing comes any more.
    Stall,
}

/// The same, but the connection over which `program` speaks that runs in a container breaks after N bytes of its output.
pub(crate) fn failing_engine(program: &'static str, after: usize, how: Break) -> String {
    let armed = Arc::new(AtomicBool::new(false));
    proxy(move |client| fail(client, program, after, how, &armed))
}

fn proxy(serve: impl Fn(&TcpStream) -> io::Result<()> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(&client));
        }
    });
    format!("tcp://{address}")
}

fn forward(client: &TcpStream) -> io::Result<()> {
    let engine = UnixStream::connect(engine_socket())?;
    let (mut up_from, mut up_to) = (client.try_clone()?, engine.try_clone()?);
    let up = thread::spawn(move || {
        let _ = io::copy(&mut up_from, &mut up_to);
        let _ = up_to.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut &engine, &mut &*client);
    let _ = client.shutdown(Shutdown::Both);
    let _ = up.join();
    Ok(())
}

/// The client asks for the program in one request and for its streams in the next, on another connection: that one is
/// to break.
fn fail(
    client: &TcpStream,
    program: &'static str,
    after: usize,
    how: Break,
    armed: &Arc<AtomicBool>,
) -> io::Result<()> {
    let engine = UnixStream::connect(engine_socket())?;
    let doomed = Arc::new(AtomicBool::new(false));
    let (mut up_from, mut up_to) = (client.try_clone()?, engine.try_clone()?);
    let up = thread::spawn({
        let (armed, doomed) = (Arc::clone(armed), Arc::clone(&doomed));
        let wanted = format!("\"{program}\"");
        move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(count @ 1..) = up_from.read(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..count]);
                if text.starts_with("POST") && text.contains("/start") && armed.swap(false, Ordering::SeqCst) {
                    doomed.store(true, Ordering::SeqCst);
                }
                if text.contains(&wanted) && text.contains("\"Cmd\"") {
                    armed.store(true, Ordering::SeqCst);
                }
                if up_to.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
            let _ = up_to.shutdown(Shutdown::Write);
        }
    });
    let mut said: Option<usize> = None;
    let mut buffer = vec![0; 1 << 14];
    while let Ok(count @ 1..) = (&engine).read(&mut buffer) {
        let bytes = &buffer[..count];
        if doomed.load(Ordering::SeqCst) {
            // What the program says begins behind the head of the answer.
            let head =
                said.map_or_else(|| bytes.windows(4).position(|end| end == b"\r\n\r\n").map_or(0, |at| at + 4), |_| 0);
            let before = said.unwrap_or(0);
            let now = before + count - head;
            said = Some(now);
            if now > after {
                let _ = (&*client).write_all(&bytes[..head + after - before]);
                return broken(client, how);
            }
        }
        if (&*client).write_all(bytes).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = up.join();
    Ok(())
}

fn broken(client: &TcpStream, how: Break) -> io::Result<()> {
    match how {
        Break::Drop => client.shutdown(Shutdown::Both),
        Break::Reset => {
            rustix::net::sockopt::set_socket_linger(client, Some(Duration::ZERO))?;
            // It is reset when the last descriptor of it is closed, which the other direction holds.
            client.shutdown(Shutdown::Read)
        }
        Break::Stall => {
            thread::sleep(Duration::from_secs(120));
            Ok(())
        }
    }
}

/// An engine that takes every call and never answers; its address, and the folder that holds its socket.
pub(crate) fn frozen_engine() -> (String, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("docker.sock");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        let mut held = Vec::new();
        for client in listener.incoming().flatten() {
            held.push(client);
        }
    });
    (format!("unix://{}", path.display()), dir)
}

/// The engine of this machine, behind a socket of its own, until it vanishes as a daemon does that is killed.
#[derive(Debug)]
pub(crate) struct VanishingEngine {
    dir: TempDir,
    open: Arc<Mutex<Vec<UnixStream>>>,
}

impl VanishingEngine {
    /// One that is there.
    pub(crate) fn new() -> Self {
        let engine = Self { dir: tempfile::tempdir().unwrap(), open: Arc::default() };
        let listener = UnixListener::bind(engine.socket()).unwrap();
        let open = Arc::clone(&engine.open);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let engine = UnixStream::connect(engine_socket()).unwrap();
                let both = [client.try_clone().unwrap(), engine.try_clone().unwrap()];
                open.lock().unwrap().extend(both);
                for (from, to) in [(client.try_clone(), engine.try_clone()), (Ok(engine), Ok(client))] {
                    let (mut from, mut to) = (from.unwrap(), to.unwrap());
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        engine
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("docker.sock")
    }

    /// For `DOCKER_HOST`.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Stops answering, and cuts every connection.
    pub(crate) fn vanish(&self) {
        std::fs::remove_file(self.socket()).unwrap();
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
