//! Checking env files for missing, doubtful and dangerous values.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::finding::{Finding, FindingCode as Code};
use super::portability::ambiguities;
use super::rule::EnvRule;
use super::{Entry, EnvFile, Origin, Quoting, resolve};
use crate::report::Severity;

/// What to check the env files against.
#[derive(Debug, Clone, Copy)]
pub struct Expectations<'a> {
    /// The templates that list the keys, usually `.env.example`. A key must be in one of them. Without templates,
    /// every key is allowed.
    pub templates: &'a [EnvFile],
    /// The rules for variables in `infra.toml`.
    pub rules: &'a BTreeMap<String, EnvRule>,
    /// When each secret was created, if known.
    pub rotated: &'a BTreeMap<String, Timestamp>,
    /// The current time, for ages.
    pub now: Timestamp,
    /// Whether the environment is protected. Then a placeholder, a weak secret or a readable file is an error.
    pub protected: bool,
}

/// Checks `files`, read in this order with `shell` overriding them. Returns findings by file and line, then those
/// without a line.
pub fn check(files: &[EnvFile], shell: impl Fn(&str) -> Option<String>, expected: &Expectations<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = files.iter().flat_map(|file| expected.file(file)).collect();
    match resolve(files, &shell) {
        Err(error) => findings.push(Finding::from(&error)),
        Ok(resolved) => {
            for unset in resolved.unset() {
                let message = "refers to a variable that is not set";
                let fix = "set it above this line, or write `$$` for a dollar sign";
                let finding = Finding::new(Code::UnsetReference, Severity::Error, message, fix).key(&unset.key);
                findings.push(place(finding, &unset.origin));
            }
            findings.extend(resolved.variables().iter().flat_map(|variable| expected.variable(variable)));
        }
    }
    let rank = |finding: &Finding| files.iter().position(|file| Some(file.path()) == finding.path.as_deref());
    findings.sort_by_key(|finding| (rank(finding).unwrap_or(usize::MAX), finding.lines.first().copied()));
    findings.extend(expected.missing(files, &shell));
    findings
}

pub(super) fn place(finding: Finding, origin: &Origin) -> Finding {
    match origin {
        Origin::File { path, line } => finding.at(path, [*line]),
        Origin::Shell => finding,
    }
}

impl Expectations<'_> {
    /// The severity of problems that only matter in a protected environment.
    pub(super) fn grave(&self) -> Severity {
        if self.protected { Severity::Error } else { Severity::Warning }
    }

    fn file(&self, file: &EnvFile) -> Vec<Finding> {
        let path = file.path();
        let mut findings = Vec::new();
        if let Some(mode) = file.mode().filter(|mode| mode & 0o077 != 0) {
            let message = format!("is readable by group or others (mode {:04o})", mode & 0o7777);
            let fix = format!("chmod 600 {path}");
            findings.push(Finding::new(Code::Readable, self.grave(), message, fix).at(path, []));
        }
        if file.has_bom() {
            let message = "begins with a byte order mark, which bash takes for a part of the first key";
            findings.push(Finding::new(Code::Bom, Severity::Warning, message, "save it without").at(path, [1]));
        }
        if let Some(line) = file.first_crlf() {
            let message = "has Windows line endings; bash keeps the carriage return in the value";
            let fix = "save it with Unix line endings";
            findings.push(Finding::new(Code::Crlf, Severity::Warning, message, fix).at(path, [line]));
        }
        for (key, lines) in file.duplicates() {
            let (message, fix) = ("is a duplicate key", "keep one of the lines; the last one counts");
            findings.push(Finding::new(Code::Duplicate, Severity::Error, message, fix).key(key).at(path, lines));
        }
        findings.extend(file.entries().iter().flat_map(|entry| self.entry(file, entry)));
        findings
    }

    fn entry(&self, file: &EnvFile, entry: &Entry) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut note = |code, severity, message: &str, fix: &str| {
            findings.push(Finding::new(code, severity, message, fix).key(&entry.key).at(file.path(), [entry.line]));
        };
        if entry.quoting == Quoting::Inherited {
            note(
                Code::NoValue,
                Severity::Error,
                "has no `=`, and so no value here",
                "write KEY=value, or a `#` before it",
            );
        }
        if !self.templates.is_empty()
            && !self.templates.iter().any(|template| template.entry(&entry.key).is_some())
            && !self.rules.contains_key(&entry.key)
        {
            note(
                Code::Extra,
                Severity::Warning,
                "is not in the template",
                "add it there without its value, or delete it",
            );
        }
        if let Some((severity, message)) = danger(&entry.key) {
            note(Code::Dangerous, severity, message, "delete it here");
        }
        for ambiguity in ambiguities(file, entry) {
            note(Code::Ambiguous, Severity::Warning, ambiguity.message, ambiguity.fix);
        }
        findings
    }

    fn missing(&self, files: &[EnvFile], shell: &dyn Fn(&str) -> Option<String>) -> Vec<Finding> {
        let listed = self.templates.iter().flat_map(EnvFile::entries).map(|entry| entry.key.as_str());
        let mut wanted: Vec<&str> = Vec::new();
        for key in listed.chain(self.rules.keys().map(String::as_str)) {
            let there = files.iter().any(|file| file.entry(key).is_some()) || shell(key).is_some();
            if !there && !wanted.contains(&key) {
                wanted.push(key);
            }
        }
        let finding = |key: &str| {
            let purpose = self.rules.get(key).and_then(|rule| rule.describe.as_deref());
            let message = purpose.map_or("is missing".to_owned(), |purpose| format!("is missing ({purpose})"));
            Finding::new(Code::Missing, Severity::Error, message, format!("add {key}=, or run `cargo xtask env fill`"))
                .key(key)
        };
        wanted.into_iter().map(finding).collect()
    }
}

/// Keys that affect more than the project.
fn danger(key: &str) -> Option<(Severity, &'static str)> {
    match key {
        "DOCKER_HOST" | "DOCKER_CONTEXT" | "DOCKER_CONFIG" => {
            Some((Severity::Warning, "chooses another engine where the file is sourced, though not for Compose"))
        }
        "PATH" | "IFS" | "BASH_ENV" | "SHELLOPTS" | "BASHOPTS" | "PS4" | "PROMPT_COMMAND" | "SHELL" | "MAKEFLAGS" => {
            Some((Severity::Error, "changes which programs run, or how, where the file is sourced"))
        }
        _ if key.starts_with("LD_") || key.starts_with("DYLD_") || key.starts_with("BASH_FUNC_") => {
            Some((Severity::Error, "loads code into every program where the file is sourced"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Period;

    const NOW: i64 = 1_800_000_000;

    struct Case {
        files: Vec<EnvFile>,
        templates: Vec<EnvFile>,
        rules: BTreeMap<String, EnvRule>,
        rotated: BTreeMap<String, Timestamp>,
        protected: bool,
    }

    fn case(texts: &[&str]) -> Case {
        let numbered = texts.iter().enumerate();
        let files = numbered.map(|(n, text)| EnvFile::parse(format!("f{n}"), text.as_bytes()).unwrap()).collect();
        Case { files, templates: Vec::new(), rules: BTreeMap::new(), rotated: BTreeMap::new(), protected: false }
    }

    impl Case {
        fn template(mut self, text: &str) -> Self {
            self.templates.push(EnvFile::parse("t", text.as_bytes()).unwrap());
            self
        }

        fn rule(mut self, key: &str, rule: EnvRule) -> Self {
            self.rules.insert(key.to_owned(), rule);
            self
        }

        /// `code severity path:lines: KEY`, those of the given codes.
        fn findings(&self, codes: &[Code]) -> Vec<String> {
            let expected = Expectations {
                templates: &self.templates,
                rules: &self.rules,
                rotated: &self.rotated,
                now: Timestamp::from_second(NOW).unwrap(),
                protected: self.protected,
            };
            let shell = |name: &str| (name == "FROM_SHELL").then(|| "secret".to_owned());
            let findings = check(&self.files, shell, &expected).into_iter();
            findings
                .filter(|finding| codes.contains(&finding.code))
                .map(|finding| {
                    let key = finding.key.clone().unwrap_or_default();
                    let text = finding.to_string();
                    let place = text.split(' ').next().filter(|_| finding.path.is_some()).unwrap_or("-");
                    format!("{:?} {:?} {place} {key}", finding.code, finding.severity)
                })
                .collect()
        }
    }

    #[test]
    fn e02_missing_and_extra_keys() {
        let case = case(&["A=1\nX=1\n", "B=\n"]).template("A=\nB=\nC=\nFROM_SHELL=\n").rule("R", EnvRule::default());
        assert_eq!(
            case.findings(&[Code::Missing, Code::Extra]),
            ["Extra Warning f0:2: X", "Missing Error - C", "Missing Error - R"]
        );
        // Each file has its own template, and a key of one may be in the other.
        let case = self::case(&["A=1\n", "B=1\nX=1\n"]).template("A=\n").template("B=\nC=\n");
        assert_eq!(case.findings(&[Code::Missing, Code::Extra]), ["Extra Warning f1:2: X", "Missing Error - C"]);
    }

    #[test]
    fn e03_duplicates_and_keys_without_a_value() {
        let case = case(&["A=1\nB\nA=2\nC=1\nA=3\n", "C=1\n"]);
        assert_eq!(
            case.findings(&[Code::Duplicate, Code::NoValue]),
            ["Duplicate Error f0:1,3,5: A", "NoValue Error f0:2: B"]
        );
    }

    #[test]
    fn e04_windows_files_are_warned_about() {
        let case = case(&["\u{feff}A=1\nB=2\r\n"]);
        assert_eq!(case.findings(&[Code::Crlf, Code::Bom]), ["Bom Warning f0:1: ", "Crlf Warning f0:2: "]);
    }

    #[test]
    fn e07_keys_that_reach_further() {
        let case = case(&["COMPOSE_PROJECT_NAME=p16\nPATH=/x\nLD_PRELOAD=/x\nDOCKER_HOST=x\nENV=production\n"]);
        let found = case.findings(&[Code::Dangerous]).join(", ");
        assert_eq!(
            found,
            "Dangerous Error f0:2: PATH, \
             Dangerous Error f0:3: LD_PRELOAD, Dangerous Warning f0:4: DOCKER_HOST"
        );
    }

    #[test]
    fn e08_references_to_nothing() {
        let codes = [Code::UnsetReference];
        assert_eq!(case(&["A=$FROM_SHELL\nB=a$b\n"]).findings(&codes), ["UnsetReference Error f0:2: B"]);
        assert_eq!(case(&["A=1\n", "B=${b:?}\n"]).findings(&codes), ["UnsetReference Error f1:1: B"]);
    }

    #[test]
    fn e09_s11_placeholders_and_weak_secrets() {
        let text = "DB_PASSWORD=change_me\nDB_USER=postgres\nURL=http://u:password@h\nHOST=your-domain.com\nAPI_TOKEN=abc\n\
            FROM_SHELL=x\nJWT_SECRET=k3Vt0Zq9_xW2LmB7yRfA\nS3_KEY=9f86d081884c7d65\nPW_SALT=\nGOOD_KEY=${JWT_SECRET}\n";
        let mut case = case(&[text]).template("S3_KEY=9f86d081884c7d65\n");
        let codes = [Code::Placeholder, Code::Weak, Code::Empty];
        let expected = [
            "Placeholder Warning f0:1: DB_PASSWORD",
            "Placeholder Warning f0:3: URL",
            "Placeholder Warning f0:4: HOST",
            "Weak Warning f0:5: API_TOKEN",
            "Placeholder Warning f0:8: S3_KEY",
            "Empty Warning f0:9: PW_SALT",
        ];
        assert_eq!(case.findings(&codes), expected);
        case.protected = true;
        assert!(case.findings(&codes)[..5].iter().all(|finding| finding.contains(" Error ")));
        case = case.rule("JWT_SECRET", EnvRule { min_length: Some(32), ..EnvRule::default() });
        case.protected = false;
        assert!(case.findings(&codes).contains(&"Weak Error f0:7: JWT_SECRET".to_owned()));
    }

    #[test]
    fn rotation_is_due_by_the_rule_and_a_clock_that_was_wrong_is_told() {
        let period = Some("90d".parse::<Period>().unwrap());
        let mut case = case(&["A=1\nB=1\nC=1\nD=1\n"]);
        for (key, days) in [("A", Some(89)), ("B", Some(91)), ("C", Some(-1)), ("D", None)] {
            case = case.rule(key, EnvRule { rotate_every: period, ..EnvRule::default() });
            let made = days.map(|days| Timestamp::from_second(NOW - days * 86400).unwrap());
            case.rotated.extend(made.map(|made| (key.to_owned(), made)));
        }
        assert_eq!(
            case.findings(&[Code::Overdue, Code::AgeUnknown]),
            ["Overdue Warning f0:2: B", "AgeUnknown Warning f0:3: C", "AgeUnknown Warning f0:4: D"]
        );
    }

    #[test]
    fn e10_a_file_that_others_may_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = camino::Utf8PathBuf::from_path_buf(folder.path().join(".env")).unwrap();
        EnvFile::parse(&path, b"A=1\n").unwrap().save_new().unwrap();
        let mut case = case(&[]);
        case.protected = true;
        for (mode, count) in [(0o600, 0), (0o640, 1), (0o604, 1)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            case.files = vec![EnvFile::read(&path).unwrap()];
            assert_eq!(case.findings(&[Code::Readable]).len(), count, "{mode:o}");
        }
    }

    #[test]
    fn s02_no_finding_shows_a_value() {
        let text = "A='canary$canary' # canary\nB_TOKEN=canary\nC=x${canary}\nD=\"canary\\a`\"\nA=canary canary\n";
        let case = case(&[text]).template("B_TOKEN=canary\n");
        let expected = Expectations {
            templates: &case.templates,
            rules: &case.rules,
            rotated: &case.rotated,
            now: Timestamp::UNIX_EPOCH,
            protected: true,
        };
        let findings = check(&case.files, |_| None, &expected);
        assert!(findings.len() > 8);
        assert!(!serde_json::to_string(&findings).unwrap().contains("canary"));
        let error = EnvFile::parse(".env", b"A='canary").unwrap_err();
        assert!(!format!("{:?}", Finding::from(&error)).contains("canary"));
    }

    #[test]
    fn findings_name_their_place() {
        let file = EnvFile::parse(".env", b"DB_PASSWORD=change_me\nPORT=80\nPORT=81\n").unwrap();
        let expected = Expectations {
            templates: &[],
            rules: &BTreeMap::new(),
            rotated: &BTreeMap::new(),
            now: Timestamp::UNIX_EPOCH,
            protected: true,
        };
        let findings = check(&[file], |_| None, &expected);
        assert_eq!(findings[0].code, Code::Placeholder);
        assert_eq!(findings[1].to_string(), ".env:2,3: PORT is a duplicate key");
    }
}
