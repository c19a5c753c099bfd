//! Copying the files of a release, and the configuration that its containers mount.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::{Mount, Service};
use crate::config::FILE_NAME;
use crate::exit::Exit;
use crate::hex::sha256;
use crate::migrations;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::release::{MIGRATIONS, ReleaseFile, ReleaseMount};

use super::git;

/// The most that a container's configuration may occupy: it is copied for every release that changes it.
const LARGEST: u64 = 10 << 20;

/// Copies the compose files, infra.toml and the migrations into this folder.
pub(super) fn copy(project: &Project, into: &Utf8Path) -> Result<Vec<ReleaseFile>> {
    let mut files = Vec::new();
    let mut add = |from: &Utf8Path, path: &Utf8Path| -> Result<()> {
        files.push(ReleaseFile { path: path.to_owned(), sha256: copy_file(from, &into.join(path))? });
        Ok(())
    };
    for path in project.sources().paths() {
        add(path, below(project, path)?)?;
    }
    let config = project.root().join(FILE_NAME);
    if config.is_file() {
        add(&config, FILE_NAME.into())?;
    }
    if let Some(folder) = migrations::folder(project)? {
        for path in all(&folder)? {
            let name = path.strip_prefix(&folder).unwrap_or(&path);
            add(&path, &Utf8Path::new(MIGRATIONS).join(name))?;
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The path relative to the project's folder.
pub(super) fn below<'p>(project: &Project, path: &'p Utf8Path) -> Result<&'p Utf8Path> {
    path.strip_prefix(project.root()).map_err(|_| {
        Error::new(Exit::Config, format!("{path} is not in the project's folder, so that no release can contain it"))
            .with_hint("move it there, or mount a copy")
    })
}

/// Copies a file and returns the SHA-256 of what was copied.
fn copy_file(from: &Utf8Path, to: &Utf8Path) -> Result<String> {
    let bytes = fs::read(from).map_err(Error::file("read", from))?;
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    }
    fs::write(to, &bytes).map_err(Error::file("write", to))?;
    let mode = fs::metadata(from).map_err(Error::file("read", from))?.permissions();
    fs::set_permissions(to, mode).map_err(Error::file("write", to))?;
    Ok(sha256(&bytes))
}

/// The files at or below this path, sorted.
fn all(path: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in path.read_dir_utf8().map_err(Error::file("read", path))? {
        found.extend(all(entry.map_err(Error::file("read", path))?.path())?);
    }
    found.sort();
    Ok(found)
}

/// Copies what a service mounts and git tracks, or, without git, what it mounts read-only. Everything else that it
/// mounts is data, which stays where it is.
pub(super) fn mounts(project: &Project, name: &str, service: &Service, has_git: bool) -> Result<Vec<ReleaseMount>> {
    let mut copies = Vec::new();
    for mount in service.volumes.iter().filter(|mount| mount.kind == "bind") {
        let Some(source) = mount.source.as_ref().map(Utf8PathBuf::from) else { continue };
        let Ok(relative) = source.strip_prefix(project.root()) else { continue };
        let files: Vec<Utf8PathBuf> = if has_git {
            git::tracked(project, relative).into_iter().map(|path| project.root().join(path)).collect()
        } else if mount.read_only && source.exists() {
            all(&source)?
        } else {
            Vec::new()
        };
        if !files.is_empty() {
            copies.push(copy_mount(project, name, mount, &source, &files)?);
        }
    }
    Ok(copies)
}

fn copy_mount(
    project: &Project,
    service: &str,
    mount: &Mount,
    source: &Utf8Path,
    files: &[Utf8PathBuf],
) -> Result<ReleaseMount> {
    let (mut list, mut bytes) = (String::new(), 0);
    for path in files {
        let content = fs::read(path).map_err(Error::file("read", path))?;
        let mode = fs::metadata(path).map_err(Error::file("read", path))?.permissions().mode();
        bytes += u64::try_from(content.len()).unwrap_or(u64::MAX);
        let name = path.strip_prefix(source).unwrap_or(path);
        let _ = writeln!(list, "{name}\0{mode:o}\0{}", sha256(&content));
    }
    if bytes > LARGEST {
        let message = format!("service `{service}` mounts {source}, {bytes} bytes of files that git tracks");
        return Err(Error::new(Exit::Config, message)
            .with_hint("a release copies what is mounted and tracked, at most 10 MiB each: build it into the image"));
    }
    let tree = sha256(list);
    let path = Utf8PathBuf::from(&tree).join(source.file_name().unwrap_or("files"));
    let store = project.state().path().join("files");
    project.state().ensure_folder(&store)?;
    let folder = store.join(&tree);
    if !folder.is_dir() {
        // Complete before it has its name, as a release is.
        let draft = store.join(".draft");
        if draft.exists() {
            fs::remove_dir_all(&draft).map_err(Error::file("remove", &draft))?;
        }
        let top = draft.join(source.file_name().unwrap_or("files"));
        for file in files {
            let name = file.strip_prefix(source).unwrap_or(file);
            copy_file(file, &if name.as_str().is_empty() { top.clone() } else { top.join(name) })?;
        }
        fs::rename(&draft, &folder).map_err(Error::file("create", &folder))?;
    }
    Ok(ReleaseMount { service: service.to_owned(), target: mount.target.clone(), path, read_only: mount.read_only })
}
