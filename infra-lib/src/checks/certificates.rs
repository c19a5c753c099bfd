//! Certificates that services mount: present, readable and valid.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::{Engine, Mount};
use crate::exec::{ExecError, Invocation};
use crate::probe::{Check, Snapshot};

const KIND: &str = "certificate";

/// How many days before its end a certificate should be renewed.
const SOON: u32 = 14;

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    if Engine::is_remote() {
        return Vec::new();
    }
    let mut checks = Vec::new();
    let mut seen = Vec::new();
    for (name, service) in &snapshot.services {
        for mount in service.volumes.iter().filter(|mount| mount.kind == "bind") {
            let Some(source) = mount.source.as_deref().map(Utf8PathBuf::from).filter(|source| !seen.contains(source))
            else {
                continue;
            };
            if !is_about_tls(mount) {
                continue;
            }
            let files = certificates(&source);
            if files.is_empty() && source.extension().is_none() {
                checks.push(
                    Check::fail(KIND, *name, format!("TLS certificate missing: there is none in {source}"))
                        .with_hint(format!("put the certificate and its key there; {} expects them", mount.target)),
                );
            }
            checks.extend(files.iter().map(|file| judge(snapshot, name, file)));
            seen.push(source);
        }
    }
    checks
}

/// Whether a mount provides certificates, judging by its names.
fn is_about_tls(mount: &Mount) -> bool {
    let target = Utf8Path::new(&mount.target);
    let names = ["ssl", "tls", "cert", "certs", "certificates", "letsencrypt"];
    is_certificate(target) || target.components().any(|part| names.contains(&part.as_str()))
}

fn is_certificate(path: &Utf8Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_ascii_lowercase();
    let key = ["key", "dhparam", "dh.", "csr"].iter().any(|word| name.contains(word));
    !key && matches!(path.extension(), Some("crt" | "pem" | "cer"))
}

/// The certificates at a path: the file itself, or those in the folder.
fn certificates(path: &Utf8Path) -> Vec<Utf8PathBuf> {
    if path.is_file() {
        return if is_certificate(path) { vec![path.to_owned()] } else { Vec::new() };
    }
    let entries = path.read_dir_utf8().into_iter().flatten().flatten().map(camino::Utf8DirEntry::into_path);
    let mut files: Vec<_> = entries.filter(|path| path.is_file() && is_certificate(path)).collect();
    files.sort();
    files
}

fn judge(snapshot: &Snapshot<'_>, service: &str, file: &Utf8Path) -> Check {
    let runner = snapshot.project.runner();
    let openssl = |args: &[&str]| {
        let call = Invocation::new("openssl").args(["x509", "-noout", "-in", file.as_str()]).args(args.iter().copied());
        runner.read(&call.deadline(Duration::from_secs(5)))
    };
    let until = match openssl(&["-enddate"]) {
        Ok(output) => output.text().trim_start_matches("notAfter=").to_owned(),
        Err(ExecError::NotFound { .. }) => {
            return Check::skip(KIND, service, "openssl is not installed; it is only needed to read certificates");
        }
        Err(_) => {
            return Check::fail(KIND, service, format!("{file} is not a certificate that can be read")).with_hint(
                "it should be PEM: a text that begins with `-----BEGIN CERTIFICATE-----`; check its mode too",
            );
        }
    };
    let lasts = |days: u32| openssl(&["-checkend", &(days * 86_400).to_string()]).is_ok();
    let renew = format!("renew it; then `cargo xtask restart {service}`, so that it is read again");
    if !lasts(0) {
        Check::fail(KIND, service, format!("TLS certificate expired: {file} was valid until {until}")).with_hint(renew)
    } else if !lasts(SOON) {
        Check::warn(KIND, service, format!("{file} is valid until {until}")).with_hint(renew)
    } else {
        Check::ok(KIND, service, format!("{file} is valid until {until}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_no_certificates() {
        let names =
            ["/etc/nginx/ssl/server.crt", "/c/fullchain.pem", "/c/privkey.pem", "/c/server.key", "/c/dhparam.pem"];
        let found: Vec<_> = names.into_iter().filter(|name| is_certificate(Utf8Path::new(name))).collect();
        assert_eq!(found, ["/etc/nginx/ssl/server.crt", "/c/fullchain.pem"]);
    }
}
