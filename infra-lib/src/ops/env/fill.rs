//! `env fill`

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::Serialize;

use crate::dotenv::{EnvFile, FillError, Generator, is_own_secret, is_placeholder};
use crate::exit::Exit;
use crate::fs::atomic;
use crate::project::error::{Error, Result};
use crate::project::{Project, env_files};
use crate::state::private_dir;

/// What `env fill` appended to an env file.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct EnvFilled {
    /// The env file, relative to the project's folder if it is inside.
    pub file: String,
    /// Keys that got the template's value.
    pub copied: Vec<String>,
    /// Keys that got a fresh secret.
    pub generated: Vec<String>,
    /// Where the file is kept as it was before.
    pub copy: Option<Utf8PathBuf>,
    /// The same of the env files that services read by themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<EnvFilled>,
}

pub(super) fn run(project: &Project) -> Result<EnvFilled> {
    let path = &project.environment().own_env_file;
    if !path.is_file() {
        return Err(Error::new(Exit::Config, format!("{path} does not exist"))
            .with_hint("`cargo xtask setup --no-start` creates it"));
    }
    let (files, services) = (env_files::files(project)?, env_files::service_files(project)?);
    let templates =
        files.iter().filter_map(|file| env_files::template(file.path()).transpose()).collect::<Result<Vec<_>>>()?;
    let mut of_rules = Vec::new();
    for (key, rule) in env_files::rules_here(project, &templates)? {
        if rule.generate.is_some() && !env_files::is_of_services(&services, &files, &key)? {
            of_rules.push(key);
        }
    }
    let has = |key: &str| files.iter().any(|file| file.entry(key).is_some());
    let mut filled = fill(project, path, has, of_rules)?;
    for own in &services {
        filled.services.push(fill(project, own.path(), |_| false, Vec::new())?);
    }
    Ok(filled)
}

/// Appends what the file's template has, and these rules, unless the file or another one `has` it.
fn fill(project: &Project, path: &Utf8Path, has: impl Fn(&str) -> bool, of_rules: Vec<String>) -> Result<EnvFilled> {
    let (template, rules) = (env_files::template(path)?, &project.config().env);
    let entries = template.iter().flat_map(|template| template.entries().iter().map(move |entry| (template, entry)));
    let from_template = entries.map(|(template, entry)| (entry.key.clone(), Some((template, entry))));
    let from_rules = of_rules.into_iter().map(|key| (key, None));

    let mut file = EnvFile::read(path)?;
    let before = file.text().to_owned();
    let file_name = path.strip_prefix(project.root()).unwrap_or(path).to_string();
    let mut filled = EnvFilled { file: file_name, ..EnvFilled::default() };
    for (key, entry) in from_template.chain(from_rules) {
        if has(&key) || file.entry(&key).is_some() {
            continue;
        }
        let rule = rules.get(&key);
        let generator = rule.and_then(|rule| rule.generate).or_else(|| {
            let open =
                entry.is_none_or(|(_, entry)| entry.template.is_empty() || is_placeholder(entry.template.expose()));
            (is_own_secret(&key) && open).then(Generator::default)
        });
        match (generator, entry) {
            (Some(generator), _) => {
                let comment = rule.and_then(|rule| rule.describe.as_deref());
                file.append(&key, &generator.generate().map_err(FillError::from)?, comment)?;
                filled.generated.push(key);
            }
            (None, Some((template, entry))) => {
                file = with_line(&file, &template.text()[entry.key_range.start..entry.value_range.end])?;
                filled.copied.push(key);
            }
            (None, None) => {}
        }
    }
    if file.text() != before {
        filled.copy = project.runner().apply(&filled, || -> Result<Utf8PathBuf> {
            let copy = keep(project, &filled.file, &before)?;
            file.save()?;
            Ok(copy)
        })?;
        project.remember_secrets(&filled.generated)?;
    }
    Ok(filled)
}

/// Keeps the file as it was, mode 0600, where git does not look; an older copy is never overwritten.
fn keep(project: &Project, name: &str, text: &str) -> Result<Utf8PathBuf> {
    let dir = project.state().ensure()?.join("env");
    private_dir(&dir).map_err(Error::file("create", &dir))?;
    let name = format!("{}-{}", name.replace('/', "-"), Timestamp::now().strftime("%Y%m%dT%H%M%SZ"));
    let mut path = dir.join(&name);
    let mut others = 1;
    loop {
        match atomic::create_new(&path, text.as_bytes()) {
            Err(error) if error.already_exists() && others < 100 => others += 1,
            made => {
                made?;
                return Ok(path);
            }
        }
        path = dir.join(format!("{name}-{others}"));
    }
}

/// The file with one more line, as the template has it: quotes and references stay what they are.
fn with_line(file: &EnvFile, line: &str) -> Result<EnvFile> {
    let gap = if file.text().is_empty() || file.text().ends_with('\n') { "" } else { "\n" };
    Ok(EnvFile::parse(file.path(), format!("{}{gap}{line}\n", file.text()).as_bytes())?)
}

impl fmt::Display for EnvFilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let copied = self.copied.join(", ");
        let generated = self.generated.join(", ");
        match (copied.as_str(), generated.as_str()) {
            ("", "") => write!(f, "{}: nothing to add", self.file)?,
            (copied, "") => write!(f, "{}: appended {copied} from the template", self.file)?,
            ("", generated) => write!(f, "{}: appended new secrets: {generated}", self.file)?,
            (copied, generated) => {
                write!(f, "{}: appended {copied} from the template, and new secrets: {generated}", self.file)?;
            }
        }
        if let Some(copy) = &self.copy {
            write!(f, "\nprevious version: {copy}")?;
        }
        self.services.iter().try_for_each(|service| write!(f, "\n{service}"))
    }
}
