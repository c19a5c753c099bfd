//! What precedes the calls of Compose: which project, files, profiles and env files they mean.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::compose::Options;
use super::facts::Facts;
use crate::config::{Config, EnvironmentSettings};

/// Where a call belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// To the project as it is without `-e`.
    Base,
    /// To this environment.
    Environment(String),
    /// To neither; only the call itself says what it means.
    Own,
}

/// What all calls have in common, and what some of them have in addition.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    base: Options,
    environments: BTreeMap<String, Options>,
    default_environment: String,
    /// The files that are found without `-f`.
    files: Vec<String>,
    root: Utf8PathBuf,
}

impl Contexts {
    pub(super) fn new(calls: &[&Options], facts: &Facts<'_>) -> Self {
        let mut contexts = Self {
            default_environment: facts.default_environment.to_owned(),
            files: facts.files.clone(),
            root: facts.root.to_owned(),
            ..Self::default()
        };
        let calls: Vec<Options> = calls.iter().filter_map(|call| contexts.normal(call)).collect();
        contexts.base = common(&calls);
        let mut named: BTreeMap<String, Vec<(Options, usize)>> = BTreeMap::new();
        let mut is_bare = false;
        for call in calls {
            if call == contexts.base {
                is_bare = true;
            } else if let Some(name) = environment(&call, &contexts.base) {
                let ways = named.entry(name).or_default();
                match ways.iter_mut().find(|(way, _)| *way == call) {
                    Some((_, count)) => *count += 1,
                    None => ways.push((call, 1)),
                }
            }
        }
        for (name, ways) in named {
            let most = ways.iter().map(|(_, count)| *count).max().unwrap_or_default();
            let is_taken = is_bare && name == contexts.default_environment;
            if let Some((way, _)) = ways.into_iter().find(|(_, count)| *count == most).filter(|_| !is_taken) {
                contexts.environments.insert(name, way);
            }
        }
        contexts
    }

    /// The options without those that say what holds anyway; `None` where they cannot be carried over.
    fn normal(&self, options: &Options) -> Option<Options> {
        let mut options = options.clone();
        let folder = |file: &str| Utf8Path::new(file).parent().unwrap_or(Utf8Path::new("")).to_owned();
        if let Some(directory) = options.directory.take() {
            let first = options.files.first().map(|file| folder(file)).unwrap_or_default();
            let directory = directory.trim_start_matches("./").trim_end_matches('/');
            options.is_other |= first != Utf8Path::new(if directory == "." { "" } else { directory });
        }
        for file in &mut options.files {
            file.drain(..if file.starts_with("./") { 2 } else { 0 });
            // With a file that is not there, no command would work.
            options.is_other |= file.starts_with('/') || !self.root.join(&*file).is_file();
        }
        if options.files == self.files {
            options.files.clear();
        }
        if options.files.is_empty() && options.env_files == [".env"] {
            options.env_files.clear();
        }
        (!options.is_other).then_some(options)
    }

    pub(super) fn place(&self, options: &Options) -> Place {
        let Some(options) = self.normal(options) else { return Place::Own };
        if options == self.base {
            return Place::Base;
        }
        match self.environments.iter().find(|(_, own)| **own == options) {
            Some((name, _)) if *name == self.default_environment => Place::Base,
            Some((name, _)) => Place::Environment(name.clone()),
            None => Place::Own,
        }
    }

    /// What infra.toml has to say about it.
    pub(super) fn write(&self, settings: &mut Config, facts: &Facts<'_>) {
        settings.project.name.clone_from(&self.base.project);
        settings.compose.files = self.base.files.iter().map(Into::into).collect();
        if !self.base.profiles.is_empty() || !self.base.env_files.is_empty() {
            let own = EnvironmentSettings { files: Vec::new(), ..environment_settings(&self.base) };
            settings.environments.insert(self.default_environment.clone(), own);
        }
        for (name, options) in &self.environments {
            let mut own = environment_settings(options);
            if *name != self.default_environment {
                // Make knew one compose project: its containers and volumes stay the same.
                let in_root = options.files.iter().all(|file| !file.contains('/'));
                let base = self.base.project.as_deref().or(facts.name.filter(|_| in_root));
                if own.files.is_empty() {
                    // Without this, a file that is named after the environment would be added.
                    let base = if self.base.files.is_empty() { &self.files } else { &self.base.files };
                    own.files = base.iter().map(Into::into).collect();
                }
                own.project_name = options.project.as_deref().or(base).map(str::to_owned);
            }
            settings.environments.insert(name.clone(), own);
        }
    }
}

fn environment_settings(options: &Options) -> EnvironmentSettings {
    EnvironmentSettings {
        files: options.files.iter().map(Into::into).collect(),
        profiles: options.profiles.clone(),
        env_files: options.env_files.iter().map(Into::into).collect(),
        ..EnvironmentSettings::default()
    }
}

/// What every call has.
fn common(calls: &[Options]) -> Options {
    let Some(first) = calls.first() else { return Options::default() };
    let shared = |list: &dyn Fn(&Options) -> &Vec<String>| -> Vec<String> {
        let own = list(first);
        let length = calls.iter().map(|call| own.iter().zip(list(call)).take_while(|(a, b)| a == b).count()).min();
        own[..length.unwrap_or_default()].to_vec()
    };
    Options {
        files: shared(&|call| &call.files),
        env_files: shared(&|call| &call.env_files),
        profiles: shared(&|call| &call.profiles),
        project: first.project.clone().filter(|_| calls.iter().all(|call| call.project == first.project)),
        ..Options::default()
    }
}

/// The environment after which a file, a profile or an env file is named that not every call has.
fn environment(call: &Options, base: &Options) -> Option<String> {
    let own = |list: &[String], base: &[String]| -> Vec<String> {
        list.iter().filter(|item| !base.contains(item)).cloned().collect()
    };
    let lists =
        [own(&call.files, &base.files), own(&call.profiles, &base.profiles), own(&call.env_files, &base.env_files)];
    let mut names: Vec<&str> = lists.iter().flatten().filter_map(|name| canonical(name)).collect();
    names.dedup();
    match names[..] {
        [name] => Some(name.to_owned()),
        _ => None,
    }
}

fn canonical(name: &str) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 10] = [
        ("prod", "production"),
        ("production", "production"),
        ("live", "production"),
        ("staging", "staging"),
        ("stage", "staging"),
        ("test", "test"),
        ("testing", "test"),
        ("dev", "development"),
        ("development", "development"),
        ("local", "development"),
    ];
    let file = name.rsplit('/').next().unwrap_or(name);
    let mut words = file.split(['.', '-', '_']);
    words.find_map(|word| KNOWN.iter().find(|(known, _)| *known == word)).map(|(_, name)| *name)
}
