//! Asking over HTTP, with curl: it speaks TLS, HTTP/2 and accepts self-signed certificates.

use serde_json::Value;

use super::processes::command;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// A header's value, several after each other.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Fails unless this is the header's only value.
    #[track_caller]
    pub(crate) fn has(&self, name: &str, value: &str) -> &Self {
        assert_eq!(self.header(name).as_deref(), Some(value), "{name} of {self:?}");
        self
    }

    /// Fails unless this status came back.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The cookie that it sets, as a request carries it.
    #[track_caller]
    pub(crate) fn cookie(&self) -> String {
        let set = self.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {self:?}"));
        set.split(';').next().unwrap_or_default().to_owned()
    }
}

/// What curl gets with these arguments; no answer is its complaint.
pub(crate) fn try_curl(args: &[&str]) -> Result<Answer, String> {
    let output = command("curl").args(["-sSki", "--max-time", "20"]).args(args).output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    Ok(Answer {
        status: status.ok_or_else(|| format!("no status: {text}"))?,
        headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
        body: body.to_owned(),
    })
}

/// What curl gets with these arguments.
#[track_caller]
pub(crate) fn curl(args: &[&str]) -> Answer {
    try_curl(args).unwrap_or_else(|error| panic!("curl {args:?}: {error}"))
}

#[track_caller]
pub(crate) fn get(url: &str) -> Answer {
    curl(&[url])
}

/// Posts JSON, with a cookie unless that is empty.
#[track_caller]
pub(crate) fn post(url: &str, cookie: &str, body: &Value) -> Answer {
    let (cookie, body) = (format!("Cookie: {cookie}"), body.to_string());
    curl(&["-H", "Content-Type: application/json", "-H", &cookie, "-d", &body, url])
}

/// The statuses of N requests, one after the other over one connection.
#[track_caller]
pub(crate) fn flood(url: &str, count: u32, more: &[&str]) -> Vec<u16> {
    let range = format!("{url}?n=[1-{count}]");
    let args = ["-sk", "-o", "/dev/null", "-w", "%{http_code}\n", "--max-time", "60"];
    let output = command("curl").args(args).args(more).arg(&range).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let statuses: Vec<u16> = text.lines().filter_map(|line| line.parse().ok()).collect();
    assert_eq!(statuses.len(), count as usize, "answers to {range}: {text}");
    statuses
}
