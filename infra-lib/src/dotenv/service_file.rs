//! Env files that services load through `env_file:`.

use super::{DotenvError, EnvFile, Origin, Quoting, Variable, resolve};

/// The variables that such a file gives its service: its own values, not overridden by the shell, with references
/// resolved from the shell and the `files` of the environment.
pub(crate) fn beside(
    files: &[EnvFile],
    own: &EnvFile,
    shell: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Variable>, DotenvError> {
    let resolved = resolve(&[files, std::slice::from_ref(own)].concat(), outside(own, shell))?;
    let is_own = |origin: &Origin| matches!(origin, Origin::File { path, .. } if path == own.path());
    let mut variables: Vec<Variable> = resolved.variables().iter().filter(|it| is_own(&it.origin)).cloned().collect();
    // What the files of the environment say under the same names reaches others, and is not hidden.
    for variable in &mut variables {
        variable.shadowed.retain(|place| is_own(&place.origin));
    }
    Ok(variables)
}

/// The shell, but for the keys that the file gives a value: that is what the service gets.
pub(crate) fn outside(own: &EnvFile, shell: impl Fn(&str) -> Option<String>) -> impl Fn(&str) -> Option<String> {
    move |name| match own.entry(name) {
        Some(entry) if entry.quoting != Quoting::Inherited => None,
        _ => shell(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_file_says_its_own_and_refers_to_the_environments() {
        let files = [EnvFile::parse(".env", b"PASSWORD=k3V\nPORT=80\n").unwrap()];
        let own = EnvFile::parse("api/.env", b"PORT=3000\nURL=redis://:${PASSWORD}@${HOST}\n").unwrap();
        let shell = |name: &str| (name != "PASSWORD").then(|| "shell".to_owned());
        let found = beside(&files, &own, shell).unwrap();
        let found: Vec<_> = found.iter().map(|it| (it.key.as_str(), it.value.expose(), it.shadowed.len())).collect();
        assert_eq!(found, [("PORT", "3000", 0), ("URL", "redis://:k3V@shell", 0)]);
    }
}
