//! The programs that know about vulnerabilities, and what they print.
//!
//! Trivy's report: <https://trivy.dev/docs/latest/configuration/reporting/#json>. Docker Scout prints SARIF:
//! <https://docs.docker.com/reference/cli/docker/scout/cves/>, with the severity among its rules' properties.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::exec::Invocation;
use crate::project::Project;

/// A scanner that is on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scanner {
    Trivy,
    Scout,
}

impl Scanner {
    pub(super) fn find(project: &Project) -> Option<Self> {
        let runner = project.runner();
        if runner.find("trivy").is_ok() {
            return Some(Self::Trivy);
        }
        // A plugin, which Docker finds in its own folders.
        runner.read(&Invocation::new("docker").args(["scout", "version"])).is_ok().then_some(Self::Scout)
    }

    /// Queries severe vulnerabilities that a newer version fixes.
    pub(super) fn call(self, image: &str) -> Invocation {
        match self {
            Self::Trivy => Invocation::new("trivy").args([
                "image",
                "--quiet",
                "--format",
                "json",
                "--scanners",
                "vuln",
                "--severity",
                "HIGH,CRITICAL",
                "--ignore-unfixed",
                image,
            ]),
            Self::Scout => Invocation::new("docker").args([
                "scout",
                "cves",
                "--format",
                "sarif",
                "--only-severity",
                "critical,high",
                "--only-fixed",
                &format!("local://{image}"),
            ]),
        }
    }

    /// The vulnerabilities by name, and whether each is critical.
    pub(super) fn read(self, json: &[u8]) -> serde_json::Result<BTreeMap<String, bool>> {
        match self {
            Self::Trivy => serde_json::from_slice::<Trivy>(json).map(Trivy::known),
            Self::Scout => serde_json::from_slice::<Sarif>(json).map(Sarif::known),
        }
    }
}

/// Trivy leaves out what is empty, or writes `null`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Trivy {
    results: Option<Vec<TrivyResult>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TrivyResult {
    vulnerabilities: Option<Vec<Vulnerability>>,
}

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(rename = "VulnerabilityID")]
    id: String,
    #[serde(rename = "Severity", default)]
    severity: String,
    #[serde(rename = "FixedVersion", default)]
    fixed: String,
}

impl Trivy {
    fn known(self) -> BTreeMap<String, bool> {
        let results = self.results.unwrap_or_default().into_iter();
        let all = results.flat_map(|result| result.vulnerabilities.unwrap_or_default());
        let grave = all.filter(|it| !it.fixed.is_empty() && matches!(it.severity.as_str(), "HIGH" | "CRITICAL"));
        grave.map(|it| (it.id, it.severity == "CRITICAL")).collect()
    }
}

#[derive(Deserialize)]
struct Sarif {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    tool: Tool,
    #[serde(default)]
    results: Vec<Hit>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Driver,
}

#[derive(Deserialize)]
struct Driver {
    #[serde(default)]
    rules: Vec<Advisory>,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    #[serde(default)]
    properties: Properties,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Properties {
    #[serde(rename = "cvssV3_severity")]
    severity: String,
}

#[derive(Deserialize)]
struct Hit {
    #[serde(rename = "ruleId")]
    rule: String,
}

impl Sarif {
    fn known(self) -> BTreeMap<String, bool> {
        let of_run = |run: Run| {
            let is_critical = |id: &str| {
                let rule = run.tool.driver.rules.iter().find(|rule| rule.id == id);
                rule.is_some_and(|rule| rule.properties.severity.eq_ignore_ascii_case("critical"))
            };
            run.results.iter().map(|hit| (hit.rule.clone(), is_critical(&hit.rule))).collect::<Vec<_>>()
        };
        self.runs.into_iter().flat_map(of_run).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trivys_report_is_read() {
        let json = br#"{"SchemaVersion":2,"ArtifactName":"x","Results":[
            {"Target":"x (alpine 3.20)","Class":"os-pkgs","Type":"alpine","Vulnerabilities":[
                {"VulnerabilityID":"CVE-1","PkgName":"libssl3","InstalledVersion":"1","FixedVersion":"2","Severity":"CRITICAL"},
                {"VulnerabilityID":"CVE-2","PkgName":"zlib","InstalledVersion":"1","FixedVersion":"2","Severity":"HIGH"},
                {"VulnerabilityID":"CVE-3","PkgName":"zlib","InstalledVersion":"1","Severity":"HIGH"},
                {"VulnerabilityID":"CVE-4","PkgName":"zlib","FixedVersion":"2","Severity":"LOW"}]},
            {"Target":"app","Class":"lang-pkgs","Vulnerabilities":null}]}"#;
        let known = Scanner::Trivy.read(json).unwrap();
        assert_eq!(known, BTreeMap::from([("CVE-1".to_owned(), true), ("CVE-2".to_owned(), false)]));
        assert!(Scanner::Trivy.read(br#"{"SchemaVersion":2}"#).unwrap().is_empty());
        assert!(Scanner::Trivy.read(b"").is_err());
    }

    #[test]
    fn scouts_report_is_read() {
        let json = br#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"docker scout","rules":[
            {"id":"CVE-1","properties":{"cvssV3_severity":"CRITICAL","fixed_version":"2"}},
            {"id":"CVE-2","properties":{"cvssV3_severity":"HIGH"}}]}},
            "results":[{"ruleId":"CVE-1","ruleIndex":0},{"ruleId":"CVE-1"},{"ruleId":"CVE-2"}]}]}"#;
        let known = Scanner::Scout.read(json).unwrap();
        assert_eq!(known, BTreeMap::from([("CVE-1".to_owned(), true), ("CVE-2".to_owned(), false)]));
    }
}
