//! What a test may use: the programs of any machine with a shell, and what it declared with a guard.
//!
//! A call gets a `PATH` of one folder with links to these programs, so that a test which forgot to declare one fails
//! wherever it runs, not only on the machine that lacks it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::processes::unchecked;

/// The needs that are more than a program on `PATH`.
pub(super) const ENGINE: &str = "an engine";
pub(super) const POSTGRES: &str = "PostgreSQL";

/// Where Debian keeps PostgreSQL's servers, which the commands under test find without `PATH`.
pub(super) const SERVERS: &str = "/usr/lib/postgresql";

/// On every machine: the packages that Debian calls essential, without bash and script.
const EVERYWHERE: &str = "[ awk basename cat chgrp chmod chown cksum clear cmp comm cp cut date dd df diff dirname dmesg du \
    echo egrep env expand expr false fgrep find flock fmt fold getent getopt grep groups gunzip gzip head hostname iconv id \
    install ionice join kill link ln locale logger login logname ls mawk md5sum mkdir mkfifo mknod mktemp more mount \
    mountpoint mv nice nl nohup nproc nsenter numfmt od paste pathchk perl pidof pgrep pkill pr printenv printf prlimit ps pwd \
    readlink realpath renice rev rm rmdir run-parts runuser sed seq setpriv setsid sh sha1sum sha256sum sha512sum shuf sleep \
    sort split stat stdbuf stty su sum sync sysctl tac tail tar tee test timeout touch tr true truncate tsort tty umount uname \
    unexpand uniq unlink unshare uptime users wc which who whoami xargs yes zcat";

thread_local! {
    /// What the test on this thread declared; the test runner gives each a thread of its own.
    static HERE: RefCell<BTreeSet<String>> = RefCell::default();
}

/// What all tests of this process declared, for threads that a test has started.
static ALL: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Notes that the running test may use this.
pub(super) fn declare(names: impl IntoIterator<Item = String>) {
    for name in names {
        HERE.with_borrow_mut(|here| here.insert(name.clone()));
        ALL.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
    }
}

/// What the running test may use.
pub(super) fn current() -> BTreeSet<String> {
    match std::thread::current().name() {
        Some(_) => HERE.with_borrow(Clone::clone),
        None => ALL.lock().unwrap_or_else(PoisonError::into_inner).clone(),
    }
}

/// The programs on this machine's `PATH` whose names fit.
pub(super) fn on_path(fits: impl Fn(&str) -> bool) -> Vec<String> {
    let dirs = std::env::var_os("PATH").unwrap_or_default();
    let files = std::env::split_paths(&dirs).flat_map(|dir| std::fs::read_dir(dir).into_iter().flatten().flatten());
    files.filter_map(|file| file.file_name().into_string().ok()).filter(|name| fits(name)).collect()
}

/// The running test's `PATH`.
pub(crate) fn path() -> OsString {
    path_of(&current()).into()
}

/// A folder with links to these programs, made once for each set of them.
pub(super) fn path_of(declared: &BTreeSet<String>) -> PathBuf {
    static FOLDERS: Mutex<BTreeMap<BTreeSet<String>, PathBuf>> = Mutex::new(BTreeMap::new());
    super::record::begin();
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    folders.entry(declared.clone()).or_insert_with(|| linked(declared)).clone()
}

fn linked(declared: &BTreeSet<String>) -> PathBuf {
    let names = EVERYWHERE.split(' ').chain(declared.iter().map(String::as_str)).filter(|name| !name.is_empty());
    let links: BTreeMap<&str, PathBuf> =
        names.filter_map(|name| Some((name, which::which(name).ok().filter(|path| path.is_absolute())?))).collect();
    let mut hasher = DefaultHasher::new();
    links.hash(&mut hasher);
    // Named after what is in it, so that the next run finds it, and a machine that has changed gets another.
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = parent.join(format!("path-{:016x}", hasher.finish()));
    if !folder.is_dir() {
        let draft = tempfile::Builder::new().prefix("path-").tempdir_in(parent).unwrap();
        for (name, program) in links {
            symlink(program, draft.path().join(name)).unwrap();
        }
        // Other users' calls look programs up in it.
        std::fs::set_permissions(draft.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        if std::fs::rename(draft.path(), &folder).is_ok() {
            let _ = draft.keep();
        }
    }
    folder
}

/// The path of a program that the running test may use.
#[track_caller]
pub(super) fn resolve(program: &OsStr) -> PathBuf {
    let program = Path::new(program);
    if program.components().count() > 1 || program.is_absolute() {
        return program.to_owned();
    }
    let found = path_of(&current()).join(program);
    assert!(found.exists(), "the test uses `{}` without a guard that declares it", program.display());
    found
}

/// The words that hide PostgreSQL's servers from the program that follows; none where that cannot be done, which takes
/// root and Linux.
pub(super) fn hiding_servers() -> &'static [OsString] {
    static WORDS: OnceLock<Vec<OsString>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let find = |name| which::which(name).ok().map(PathBuf::into_os_string);
        let (Some(unshare), Some(sh), Some(mount)) = (find("unshare"), find("sh"), find("mount")) else {
            return Vec::new();
        };
        // The shell's own variables are not the call's.
        let script = format!(
            "{} -t tmpfs tmpfs {SERVERS} && unset PWD OLDPWD SHLVL && exec \"$@\"",
            shlex::try_quote(mount.to_str().unwrap()).unwrap()
        );
        let words: Vec<OsString> = vec![
            unshare,
            "--mount".into(),
            "--propagation=slave".into(),
            sh.clone(),
            "-c".into(),
            script.into(),
            "sh".into(),
        ];
        let can_hide = Path::new(SERVERS).is_dir()
            && unchecked(&words[0])
                .args(&words[1..])
                .args([&sh, OsStr::new("-c"), OsStr::new(":")])
                .output()
                .is_ok_and(|output| output.status.success());
        if can_hide { words } else { Vec::new() }
    })
}
