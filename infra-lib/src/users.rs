//! The system's users, from `/etc/passwd`.
//!
//! The C library (as used by the crate `uzers`) would also know LDAP users. But it loads modules at run time, and a
//! static program such as `cargo xtask static` builds then crashes with a segmentation fault at the first unknown
//! user if `/etc/nsswitch.conf` contains `passwd: files systemd`, as it does on Debian.

/// A user's name, user id and group id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

pub(crate) fn name(uid: u32) -> Option<String> {
    all().into_iter().find(|user| user.uid == uid).map(|user| user.name)
}

pub(crate) fn by_name(name: &str) -> Option<User> {
    all().into_iter().find(|user| user.name == name)
}

fn all() -> Vec<User> {
    let text = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    text.lines().filter_map(parse).collect()
}

fn parse(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(User { name, uid, gid })
}
