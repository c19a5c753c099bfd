//! Images for a machine that reaches no image registry.
//!
//! The stacks' compose files name official images. Where those cannot be pulled, `cargo xtask standins`
//! builds images of the same names from Debian's packages and from package registries; see
//! `docker/standins/README.md`. An image that is there is left alone, and one that this command did not
//! build is never replaced.

mod debian;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;
use xshell::{Cmd, Shell, cmd};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Marks an image as a stand-in, so that no official image is ever mistaken for one.
const LABEL: &str = "infra.standin";
/// What a stand-in was built from: another value means that it is out of date.
const REVISION: &str = "infra.standin.revision";
/// The first rows of the table, which the others stand on: built if anything is.
const FOUNDATIONS: usize = 2;

/// Build the images that the stacks name, where no registry can be reached
///
/// An image that exists is left alone, unless it is a stand-in and what it is built from has changed.
#[derive(clap::Parser, Debug)]
#[command(name = "cargo xtask standins")]
struct Standins {
    /// Build again what this command has built before, the base image included
    #[arg(long)]
    force: bool,
    /// Ask the registry for the real image first, and build only what it does not give
    #[arg(long)]
    pull: bool,
    /// Only these: an image's name, with or without its tag
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

fn main() -> ExitCode {
    match Standins::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Standins {
    /// Builds what is missing.
    ///
    /// # Errors
    ///
    /// Fails when the engine does not answer, a name is unknown or an image cannot be built.
    fn run(&self) -> Outcome<()> {
        let started = Instant::now();
        let site = Site::query()?;
        let (foundations, images) = site.table.split_at(FOUNDATIONS);

        let bears = |image: &Image, name: &str| {
            let mut tags = image.tags.iter();
            tags.any(|tag| tag == name || tag.split(':').next() == Some(name))
        };
        for name in &self.names {
            if !images.iter().any(|image| bears(image, name)) {
                return Err(format!("docker/standins/images.txt has no {name}").into());
            }
        }

        let mut todo = Vec::new();
        for image in images {
            if !self.names.is_empty() && !self.names.iter().any(|name| bears(image, name)) {
                continue;
            }
            let mut tags = site.wanted(image, self.force)?;
            tags.retain(|tag| !(self.pull && site.pull(tag)));
            if !tags.is_empty() {
                todo.push((image, tags));
            }
        }
        if todo.is_empty() {
            return Ok(());
        }

        let debian = site.ours.get(debian::NAME).map(|it| &it.revision);
        if self.force || debian != Some(&site.debian.revision()?) {
            site.debian.import(&site.sh)?;
        }
        for image in foundations {
            site.build(image, &image.tags)?;
        }
        for (image, tags) in todo {
            site.build(image, &tags)?;
        }
        site.forget()?;
        say("all", started)
    }
}

/// One row of the table: what is built, and what the result is called.
struct Image {
    /// The names it gets; the first one is used in messages.
    tags: Vec<String>,
    /// Below `docker/standins`.
    folder: String,
    /// A stage of the Dockerfile, where it has several that matter.
    stage: Option<String>,
    args: Vec<String>,
}

impl Image {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().map(str::to_owned);
        let tags = words.next()?.split(',').map(str::to_owned).collect();
        let place = words.next()?;
        let (folder, stage) = match place.split_once('/') {
            Some((folder, stage)) => (folder.to_owned(), Some(stage.to_owned())),
            None => (place, None),
        };
        Some(Self { tags, folder, stage, args: words.collect() })
    }
}

/// An image that this command has built.
struct StandIn {
    revision: String,
    id: String,
}

/// The machine that builds, and what its engine holds.
struct Site {
    sh: Shell,
    folder: PathBuf,
    table: Vec<Image>,
    /// The names of all images.
    present: BTreeSet<String>,
    /// Those names of the table that are stand-ins by now.
    ours: BTreeMap<String, StandIn>,
    debian: debian::Debian,
}

impl Site {
    fn query() -> Outcome<Self> {
        let sh = Shell::new()?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker/standins");
        let table = sh.read_file(folder.join("images.txt"))?;
        let rows = table.lines().filter(|line| !line.starts_with('#'));
        let table: Vec<_> = rows.filter_map(Image::read).collect();
        let listed = cmd!(sh, "docker image ls --format").arg("{{.Repository}}:{{.Tag}}");
        let present: BTreeSet<_> = listed.quiet().read()?.lines().map(str::to_owned).collect();
        let mut names: BTreeSet<_> = table.iter().flat_map(|it| &it.tags).collect();
        let debian = debian::NAME.to_owned();
        names.insert(&debian);
        Ok(Self {
            ours: stand_ins(&sh, names.intersection(&present.iter().collect()).copied().collect())?,
            debian: debian::Debian::here(&sh),
            sh,
            folder,
            table,
            present,
        })
    }

    /// The names that this image lacks, or bears as an outdated stand-in.
    fn wanted(&self, image: &Image, force: bool) -> Outcome<Vec<String>> {
        let revision = self.revision(image)?;
        let wanted = |tag: &&String| match self.ours.get(*tag) {
            Some(built) => force || built.revision != revision,
            None => !self.present.contains(*tag),
        };
        Ok(image.tags.iter().filter(wanted).cloned().collect())
    }

    /// A short name for everything that the image is built from.
    fn revision(&self, image: &Image) -> Outcome<String> {
        let mut files = Vec::new();
        let foundations = self.table.iter().take(FOUNDATIONS);
        for folder in foundations.map(|it| &it.folder).chain([&image.folder]) {
            files.extend(self.sh.read_dir(self.folder.join(folder))?);
        }
        digest((&image.stage, &image.args, self.debian.revision()?), files.iter())
    }

    /// Whether the registry has given the real image of this name, which is not there yet.
    fn pull(&self, tag: &str) -> bool {
        let pull = cmd!(self.sh, "docker pull --quiet {tag}").quiet();
        !self.ours.contains_key(tag) && pull.ignore_stdout().ignore_stderr().run().is_ok()
    }

    /// Builds one image under these names. The host's network is used, since package registries may be
    /// reachable from there only.
    fn build(&self, image: &Image, tags: &[String]) -> Outcome<()> {
        let started = Instant::now();
        let revision = self.revision(image)?;
        let build = cmd!(self.sh, "docker build --progress plain --network host")
            .args(["--label", &format!("{LABEL}=true")])
            .args(["--label", &format!("{REVISION}={revision}")])
            .args(tags.iter().flat_map(|tag| ["--tag", tag]))
            .args(image.args.iter().flat_map(|arg| ["--build-arg", arg]))
            .args(image.stage.iter().flat_map(|stage| ["--target", stage]))
            .arg(self.folder.join(&image.folder));
        quietly(build)?;
        say(&image.tags[0], started)
    }

    /// Removes what the new images have replaced, unless it is in use.
    fn forget(&self) -> Outcome<()> {
        let dangling = cmd!(self.sh, "docker image ls --quiet --no-trunc --filter dangling=true");
        let dangling = dangling.quiet().read()?;
        for id in self.ours.values().map(|it| &it.id).filter(|id| dangling.contains(*id)) {
            let remove = cmd!(self.sh, "docker image rm {id}").quiet();
            remove.ignore_status().ignore_stdout().ignore_stderr().run()?;
        }
        Ok(())
    }
}

/// Which of these images are stand-ins.
fn stand_ins(sh: &Shell, names: Vec<&String>) -> Outcome<BTreeMap<String, StandIn>> {
    let mut ours = BTreeMap::new();
    if names.is_empty() {
        return Ok(ours);
    }
    let label = |name| format!("{{{{index .Config.Labels \"{name}\"}}}}");
    let format = format!("{}|{}|{{{{.Id}}}}", label(LABEL), label(REVISION));
    let listed = cmd!(sh, "docker image inspect --format {format}").args(&names).quiet().read()?;
    for (name, line) in names.into_iter().zip(listed.lines()) {
        if let ["true", revision, id] = line.split('|').collect::<Vec<_>>()[..] {
            let (revision, id) = (revision.to_owned(), id.to_owned());
            ours.insert(name.clone(), StandIn { revision, id });
        }
    }
    Ok(ours)
}

fn digest<'a>(start: impl Hash, files: impl Iterator<Item = &'a PathBuf>) -> Outcome<String> {
    let mut hasher = DefaultHasher::new();
    start.hash(&mut hasher);
    for path in files {
        (path.file_name(), fs::read(path)?).hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Runs a command whose output matters only if it fails.
fn quietly(command: Cmd<'_>) -> Outcome<()> {
    let name = command.to_string();
    let output = command.quiet().ignore_status().output()?;
    if output.status.success() {
        return Ok(());
    }
    io::stderr().write_all(&output.stdout)?;
    io::stderr().write_all(&output.stderr)?;
    Err(format!("{}: `{name}`", output.status).into())
}

fn say(what: &str, started: Instant) -> Outcome<()> {
    writeln!(io::stderr(), "stand-in {what:<30} {:5.1} s", started.elapsed().as_secs_f64())?;
    Ok(())
}
