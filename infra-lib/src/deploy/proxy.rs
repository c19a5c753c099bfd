//! nginx and Caddy: how each names where requests go, checks its configuration and reads it again.
//!
//! nginx resolves a name in `proxy_pass` once, unless a variable holds it and a `resolver` is set:
//! <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass>.

use crate::compose::ComposeError;
use crate::compose::software::ImageRef;
use crate::exec::{ExecError, Invocation};
use crate::project::Project;

/// A proxy that deploys can switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proxy {
    Nginx,
    Caddy,
}

const CADDYFILE: [&str; 4] = ["--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"];

impl Proxy {
    pub(super) fn from_image(image: &ImageRef<'_>) -> Option<Self> {
        Self::from_name(image.repository())
    }

    /// Images that a project builds are named after their service.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            _ if name.contains("nginx") => Some(Self::Nginx),
            _ if name.contains("caddy") => Some(Self::Caddy),
            _ => None,
        }
    }

    /// The folder in the container where the route files are mounted.
    pub(super) fn mount_point(self) -> &'static str {
        match self {
            Self::Nginx => "/etc/nginx/upstreams",
            Self::Caddy => "/etc/caddy/upstreams",
        }
    }

    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Nginx => "conf",
            Self::Caddy => "caddy",
        }
    }

    /// The text of a route file.
    pub(super) fn upstream(self, service: &str, address: &str) -> String {
        match self {
            Self::Nginx => format!("map $host ${} {{ default {address}; }}\n", variable(service)),
            Self::Caddy => format!("to {address}\n"),
        }
    }

    /// The lines that the project's configuration needs.
    pub(super) fn lines(self, service: &str) -> String {
        match self {
            Self::Nginx => format!(
                "in `http`: `resolver 127.0.0.11 valid=1s; include {}/*.conf;`, and in its location: `proxy_pass \
                 http://${};`",
                self.mount_point(),
                variable(service)
            ),
            Self::Caddy => format!("`reverse_proxy {{ import upstreams/{service}.caddy }}`"),
        }
    }

    /// The command that prints the complete configuration, with what it includes.
    pub(super) fn print(self) -> Vec<&'static str> {
        match self {
            Self::Nginx => vec!["nginx", "-T"],
            Self::Caddy => ["caddy", "adapt"].into_iter().chain(CADDYFILE).collect(),
        }
    }

    /// Whether this configuration sends requests where the route file says.
    pub(super) fn uses(self, configuration: &str, service: &str, address: &str) -> bool {
        match self {
            Self::Nginx => configuration.matches(&format!("${}", variable(service))).count() > 1,
            Self::Caddy => configuration.contains(&format!("\"dial\":\"{address}\"")),
        }
    }

    /// Checks the configuration in the container, and reads it again if it is valid.
    pub(super) fn reload(self, project: &Project, container: &str) -> Result<(), ComposeError> {
        let (check, reload): (Vec<&str>, Vec<&str>) = match self {
            Self::Nginx => (vec!["nginx", "-t", "-q"], vec!["nginx", "-s", "reload"]),
            Self::Caddy => (
                ["caddy", "validate"].into_iter().chain(CADDYFILE).collect(),
                ["caddy", "reload"].into_iter().chain(CADDYFILE).chain(["--address", "unix//tmp/admin.sock"]).collect(),
            ),
        };
        for words in [check, reload] {
            let call = Invocation::new("docker").args(["exec", container]).args(words);
            project.compose().change(project.runner(), &call)?;
        }
        Ok(())
    }
}

/// `$backend_upstream`
fn variable(service: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("{}_upstream", service.chars().map(plain).collect::<String>())
}

/// What a proxy said about its configuration.
pub(super) fn words(error: &ComposeError) -> String {
    match error {
        ComposeError::Failed(ExecError::Exited { tail, .. }) if !tail.trim().is_empty() => tail.trim().to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h14_a_configuration_without_the_route_is_recognised() {
        let file = Proxy::Nginx.upstream("back-end", "back-end-deploy-4:3000");
        assert_eq!(file, "map $host $back_end_upstream { default back-end-deploy-4:3000; }\n");
        let with = format!("{file}server {{ location / {{ proxy_pass http://$back_end_upstream; }} }}");
        assert!(Proxy::Nginx.uses(&with, "back-end", ""));
        assert!(!Proxy::Nginx.uses(&file, "back-end", ""));
        assert!(Proxy::Caddy.uses(r#"{"upstreams":[{"dial":"web-deploy-2:80"}]}"#, "web", "web-deploy-2:80"));
        assert!(!Proxy::Caddy.uses(r#"{"upstreams":[{"dial":"web:80"}]}"#, "web", "web-deploy-2:80"));
    }
}
