//! Making a release of the checkout.

use camino::Utf8PathBuf;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::exit::Exit;
use crate::hex::sha256;
use crate::journal;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::release::{Commit, MIGRATIONS, Release, Releases};

use super::{files, git, images};

/// Makes a release: pins the images that the engine has and copies the files. `None` in a dry run.
///
/// # Errors
///
/// If an image is missing, or a file is not in the project's folder.
pub(crate) fn make(checkout: &Project, git: Option<Commit>) -> Result<Option<Release>> {
    let environment = checkout.environment();
    let services = checkout.model()?.active(&environment.profiles);
    if services.is_empty() {
        return Err(Error::new(Exit::Config, format!("environment `{}` has no services", environment.name))
            .with_hint("`cargo xtask describe` shows which files and profiles it uses"));
    }
    if checkout.runner().is_dry_run() {
        return Ok(None);
    }
    let images = images::pin(checkout, &services)?;
    let store = Releases::new(checkout.state(), &environment.name);
    let draft = store.draft(checkout.state())?;
    let files = files::copy(checkout, &draft.join("files"))?;
    let mut mounts = Vec::new();
    for (name, service) in &services {
        mounts.extend(files::mounts(checkout, name, service, git.is_some())?);
    }
    let relative = |path: &Utf8PathBuf| files::below(checkout, path).map(Utf8PathBuf::from);
    let created = Timestamp::now();
    let mut release = Release {
        schema: 1,
        id: String::new(),
        environment: environment.name.clone(),
        created,
        by: journal::who(),
        content: String::new(),
        images,
        compose: environment.files.iter().map(relative).collect::<Result<_>>()?,
        directory: relative(&checkout.compose().directory)?,
        profiles: environment.profiles.clone(),
        migrations: files.iter().any(|file| file.path.starts_with(MIGRATIONS)),
        files,
        mounts,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        git,
    };
    release.content = content(&release);
    let same = |known: &Release| known.content == release.content && store.damage(known).is_none();
    if let Some(known) = store.all().into_iter().rev().find(same) {
        release = known;
    } else {
        release.id = id(created, release.git.as_ref(), &release.content);
        store.publish(&draft, &release)?;
    }
    images::hold(checkout, &release)?;
    Ok(Some(release))
}

/// What makes two releases equal.
fn content(release: &Release) -> String {
    let Release { images, files, compose, directory, profiles, mounts, .. } = release;
    let ids: Vec<_> = images.iter().map(|(service, image)| (service, &image.id)).collect();
    sha256(serde_json::json!([ids, files, compose, directory, profiles, mounts]).to_string())
}

/// `20261128T154900Z-70afa8f`
fn id(created: Timestamp, git: Option<&Commit>, content: &str) -> String {
    let name = git.map_or(content, |git| &git.commit);
    let name = name.get(..7).unwrap_or(name);
    format!("{}-{name}", created.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ"))
}

/// The commit of the checkout, before anything is built from it.
///
/// # Errors
///
/// If the tree is dirty or not pushed, so that a release of it could not be found again.
pub(crate) fn check_tree(project: &Project, allow_dirty: bool) -> Result<Option<Commit>> {
    let git = git::commit(project);
    refuse_lost(project, git.as_ref(), allow_dirty)?;
    Ok(git)
}

fn refuse_lost(project: &Project, git: Option<&Commit>, allow_dirty: bool) -> Result<()> {
    let environment = project.environment();
    let refuse = |message: String, hint: String| {
        if allow_dirty && !environment.protected {
            Ok(())
        } else {
            Err(Error::new(Exit::Refused, message).with_hint(hint))
        }
    };
    let flag = if environment.protected {
        format!("environment `{}` is protected: `--allow-dirty` is not enough there", environment.name)
    } else {
        "`--allow-dirty` makes it anyway".to_owned()
    };
    let Some(git) = git else {
        return refuse("the project is not in a git repository with a commit".to_owned(), flag);
    };
    if git.dirty {
        let message = "the checkout has changes that are not committed".to_owned();
        refuse(message, format!("commit them (`git status` lists them); {flag}"))?;
    }
    let Some(branch) = project.config().deploy.branch.as_ref().filter(|_| environment.protected) else { return Ok(()) };
    match git::is_in(project, branch) {
        Ok(true) => Ok(()),
        Ok(false) => refuse(format!("the commit is not in `origin/{branch}`"), format!("push it; {flag}")),
        Err(_) => refuse(format!("the branch `origin/{branch}` does not exist"), format!("`git fetch origin`; {flag}")),
    }
}
