//! Reading from a named pipe that a child writes to.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;

use camino::Utf8Path;
use rustix::fs::OFlags;

use super::supervise::{Source, Stream};

/// Opens both ends. Opening only one would block until the other is opened, which may never happen.
pub(super) fn open(path: &Utf8Path) -> io::Result<Source> {
    let flags = |more: OFlags| (OFlags::NOFOLLOW | more).bits().cast_signed();
    let reader = OpenOptions::new().read(true).custom_flags(flags(OFlags::NONBLOCK)).open(path)?;
    let writer = File::options().write(true).custom_flags(flags(OFlags::empty())).open(path)?;
    rustix::fs::fcntl_setfl(&reader, OFlags::empty()).map_err(io::Error::from)?;
    Ok(Source { stream: Stream::Stdout, pipe: Box::new(reader), open_until_exit: Some(writer) })
}
