//! `policy`

use std::collections::BTreeSet;
use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::exit::Exit;
use crate::fs::atomic;
use crate::policy::{self, Judgement, PolicyFinding, Severity};
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};

/// Check the configuration against security and reliability rules.
///
/// Compose files, Dockerfiles and env files: secrets, images, ports, mounts, users, limits, health checks, logs,
/// networks and TLS. What matters only in production is reported only there. `[policy.allow]` in infra.toml accepts a
/// finding, with a reason. No engine is needed, and templates stand in for env files that do not exist yet; only
/// `--images` queries the engine.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Policy {
    /// Also scan the images: known vulnerabilities, with Trivy or Docker Scout, and secrets in their histories.
    #[cfg_attr(feature = "cli", arg(long))]
    pub images: bool,
    /// Write the findings to this file as SARIF, for code scanning.
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub sarif: Option<Utf8PathBuf>,
}

/// What was judged, and what was found.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct PolicyReport {
    /// The name of the environment that was checked.
    pub environment: String,
    /// Whether production's rules hold in it.
    pub production: bool,
    /// What was found, by file and line; what is accepted too, with the reason.
    pub findings: Vec<PolicyFinding>,
    /// How many findings are errors, accepted ones left out.
    pub errors: usize,
    /// How many are warnings.
    pub warnings: usize,
    /// How many are there to know.
    pub infos: usize,
    /// How many are accepted.
    pub allowed: usize,
    /// What was not looked at, and why.
    pub remarks: Vec<String>,
}

impl Operation for Policy {
    const NAME: &'static str = "policy";
    const GROUP: Group = Group::General;
    const JOURNAL: bool = false;
    type Outcome = PolicyReport;

    fn run(&self, project: &Project) -> Result<PolicyReport> {
        let judgement = policy::judge(project, self.images)?;
        let report = PolicyReport::new(project, judgement);
        if let Some(path) = &self.sarif {
            let text = format!("{:#}\n", policy::sarif(&report.findings));
            project.runner().apply(format_args!("write {path}"), || atomic::replace(path, text.as_bytes()))?;
        }
        Ok(report)
    }
}

impl PolicyReport {
    fn new(project: &Project, judgement: Judgement) -> Self {
        let Judgement { production, findings, remarks } = judgement;
        let count = |severity| {
            findings.iter().filter(|finding| finding.allowed.is_none() && finding.severity == severity).count()
        };
        Self {
            environment: project.environment().name.clone(),
            production,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            infos: count(Severity::Info),
            allowed: findings.iter().filter(|finding| finding.allowed.is_some()).count(),
            findings,
            remarks,
        }
    }

    /// `2 errors, 1 warning, 1 accepted in production`
    fn counts(&self) -> String {
        let one = |count: usize, name: &str| match count {
            1 => format!("1 {name}"),
            _ => format!("{count} {name}s"),
        };
        let mut parts = vec![one(self.errors, "error"), one(self.warnings, "warning")];
        if self.infos > 0 {
            parts.push(format!("{} notes", self.infos));
        }
        if self.allowed > 0 {
            parts.push(format!("{} accepted", self.allowed));
        }
        let rules = if self.production { "" } else { ", with the rules for development" };
        format!("{} in {}{rules}", parts.join(", "), self.environment)
    }
}

impl Outcome for PolicyReport {
    fn exit(&self) -> Exit {
        if self.errors > 0 { Exit::CheckFailed } else { Exit::Ok }
    }

    fn next(&self) -> Vec<String> {
        if self.errors + self.warnings > 0 {
            return vec!["cargo xtask policy --help".to_owned()];
        }
        Vec::new()
    }
}

impl fmt::Display for PolicyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut file, mut told) = (None, BTreeSet::new());
        for finding in self.findings.iter().filter(|finding| finding.allowed.is_none()) {
            if file.is_some_and(|file| file != &finding.file) {
                writeln!(f)?;
            }
            file = Some(&finding.file);
            let service = finding.service.as_ref().map(|service| format!("{service}: ")).unwrap_or_default();
            let PolicyFinding { severity, code, message, why, fix, .. } = finding;
            writeln!(f, "{}: {severity}: {service}{message} ({code})", finding.place())?;
            // Once is enough: a stack of ten services breaks a rule ten times, for one reason.
            if told.insert(code) {
                writeln!(f, "  why: {why}\n  fix: {fix}")?;
            }
        }
        if file.is_some() {
            writeln!(f)?;
        }
        for remark in &self.remarks {
            writeln!(f, "{remark}")?;
        }
        f.write_str(&self.counts())
    }
}
