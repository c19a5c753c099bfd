//! Checks a project against the rules.

use crate::project::Project;
use crate::project::error::Result;

use super::context::{Context, Findings};
use super::finding::PolicyFinding;
use super::{
    allow, build_context, env_files, hardening, images, mounts, networks, ports, running, scan, secrets, users,
    variables,
};

/// What was checked, and what was found.
pub(crate) struct Judgement {
    pub(crate) production: bool,
    pub(crate) findings: Vec<PolicyFinding>,
    /// What was not checked, and why.
    pub(crate) remarks: Vec<String>,
}

/// Checks the project in its environment, and the images themselves if requested.
pub(crate) fn judge(project: &Project, images: bool) -> Result<Judgement> {
    let context = Context::new(project)?;
    let mut found = Findings::new(context.production);
    secrets::check(&context, &mut found)?;
    env_files::check(&context, &mut found);
    images::check(&context, &mut found);
    ports::check(&context, &mut found);
    mounts::check(&context, &mut found);
    users::check(&context, &mut found);
    hardening::check(&context, &mut found);
    running::check(&context, &mut found);
    networks::check(&context, &mut found);
    variables::check(&context, &mut found);
    build_context::check(&context, &mut found);
    let mut remarks = Vec::new();
    if context.from_templates {
        remarks.push("there are no env files yet: their templates were checked instead".to_owned());
    }
    if images {
        remarks.extend(scan::check(&context, &mut found)?);
    }
    allow::apply(project, images, &mut found)?;
    let mut findings = found.list;
    findings.sort_by(|a, b| {
        let key = |it: &PolicyFinding| (it.file.clone(), it.line, it.code, it.service.clone());
        key(a).cmp(&key(b))
    });
    Ok(Judgement { production: context.production, findings, remarks })
}
