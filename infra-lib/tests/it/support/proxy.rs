//! Ways to the engine that are not the usual one.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread;

use tempfile::TempDir;

/// Where the engine of this machine listens.
fn engine_socket() -> PathBuf {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    host.strip_prefix("unix://").map_or_else(|| "/var/run/docker.sock".into(), PathBuf::from)
}

/// The engine of this machine under a TCP address: to Docker's client it looks like one far away.
pub(crate) fn remote_engine() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || forward(&client));
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
