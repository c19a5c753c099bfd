//! Checking whether a port is free, and which process has it.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use serde::Serialize;

use crate::exec::{Invocation, Runner};

use super::{Compose, Port};

/// A port that is taken.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Taken {
    pub(crate) port: u16,
    /// The container or process that has it, as text.
    pub(crate) holder: String,
}

/// Checks whether this port of a service is taken.
pub(crate) fn taken(compose: &Compose, runner: &Runner, port: &Port) -> Option<Taken> {
    let number = port.host_port()?;
    let udp = port.protocol == "udp";
    let ip = port.host_ip.as_deref().unwrap_or("0.0.0.0");
    if if udp { is_free_udp(ip, number) } else { is_free(ip, number) } {
        return None;
    }
    Some(Taken { port: number, holder: holder(compose, runner, number, udp) })
}

/// Whether a server could listen on this port now.
pub(crate) fn is_free(ip: &str, port: u16) -> bool {
    could_bind(ip, port, |address| TcpListener::bind(address).map(drop))
}

fn is_free_udp(ip: &str, port: u16) -> bool {
    could_bind(ip, port, |address| UdpSocket::bind(address).map(drop))
}

fn could_bind(ip: &str, port: u16, bind: impl FnOnce(SocketAddr) -> io::Result<()>) -> bool {
    let ip = if ip.is_empty() { "0.0.0.0" } else { ip };
    let Ok(ip) = ip.parse() else { return true };
    match bind(SocketAddr::new(ip, port)) {
        Ok(()) => true,
        // We may not bind ports below 1024, but the engine can.
        Err(error) => error.kind() != io::ErrorKind::AddrInUse,
    }
}

fn holder(compose: &Compose, runner: &Runner, port: u16, udp: bool) -> String {
    let format = "{{.Names}} (project {{.Label \"com.docker.compose.project\"}})";
    let containers = Invocation::new("docker").args([
        "ps",
        "--filter",
        &format!("publish={port}/{}", if udp { "udp" } else { "tcp" }),
        "--format",
        format,
    ]);
    if let Ok(output) = compose.read(runner, &containers)
        && let Some(line) = output.text().lines().next()
    {
        return format!("container {}", line.replace(" (project )", ""));
    }
    process_on(runner, port, udp).unwrap_or_else(|| "a process that cannot be seen from here".to_owned())
}

/// Finds the process with `lsof`, which exists on every system, else with `ss` on Linux.
fn process_on(runner: &Runner, port: u16, udp: bool) -> Option<String> {
    let (lsof_what, ss_what) = if udp {
        (vec![format!("-iUDP:{port}")], "-Hlunp")
    } else {
        (vec![format!("-iTCP:{port}"), "-sTCP:LISTEN".to_owned()], "-Hltnp")
    };
    let lsof = Invocation::new("lsof").args(["-nP", "-Fpc"]).args(lsof_what);
    if let Ok(output) = runner.read(&lsof) {
        let text = output.text();
        let field = |tag| text.lines().find_map(|line| line.strip_prefix(tag)).map(str::to_owned);
        return Some(format!("{} (process {})", field('c')?, field('p')?));
    }
    let ss = Invocation::new("ss").args([ss_what, &format!("sport = :{port}")]);
    let text = runner.read(&ss).ok()?.text();
    // Format: …users:(("nginx",pid=12,fd=6))
    let users = text.split_once("users:((\"")?.1;
    let (name, rest) = users.split_once('"')?;
    let pid: String = rest.split_once("pid=")?.1.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("{name} (process {pid})"))
}
