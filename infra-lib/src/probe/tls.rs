//! TLS: whether a certificate is valid, now and for some time.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::exec::{ExecError, Invocation};

use super::configured::{configured, host, is_local};
use super::ports::{Speaks, published};
use super::{Check, Known, PROGRAM, Probe, Snapshot, one_line};

pub(super) const KIND: &str = "tls";

struct Tls {
    name: String,
    /// `host:port`
    address: String,
    /// How many days it must still be valid.
    min_days: u32,
}

const MIN_DAYS: u32 = 14;

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let mut probes: Vec<Box<dyn Probe>> = Vec::new();
    for (service, port) in published(snapshot) {
        if port.speaks(service) == Speaks::Https {
            probes.push(Box::new(Tls { address: port.address(), name: port.service, min_days: MIN_DAYS }));
        }
    }
    for stated in configured(snapshot, KIND, |target| target.tls.as_ref()) {
        probes.push(match stated.address {
            Ok(address) => {
                let min_days = stated.target.min_days.unwrap_or(MIN_DAYS);
                Box::new(Tls { name: stated.name.to_owned(), address, min_days })
            }
            Err(check) => Box::new(Known(check)),
        });
    }
    probes
}

impl Probe for Tls {
    fn target(&self) -> String {
        self.name.clone()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let Self { name, address, min_days: _ } = self;
        let runner = snapshot.project.runner();
        if runner.find("openssl").is_err() {
            return vec![
                Check::skip(
                    KIND,
                    name,
                    format!("{address}: reading a certificate needs openssl, which is not on PATH"),
                )
                .with_hint("install openssl"),
            ];
        }
        let local = is_local(&host(address));
        let handshake = match self.handshake(snapshot, !local) {
            Ok(text) => text,
            Err(why) => {
                let check = Check::fail(KIND, name, format!("{address}: {}", one_line(&snapshot.clean(&why))));
                return vec![check.with_hint(
                    "the certificate must be issued for this name by an authority that this machine trusts",
                )];
            }
        };
        let dates = Invocation::new("openssl")
            .args(["x509", "-noout", "-startdate", "-enddate"])
            .stdin(handshake)
            .deadline(PROGRAM);
        let dates = runner.read(&dates).map(|output| output.text());
        let validity = dates.ok().and_then(|text| Some((date(&text, "notBefore=")?, date(&text, "notAfter=")?)));
        let Some((from, until)) = validity else {
            return vec![Check::fail(KIND, name, format!("{address} shows no certificate that openssl can read"))];
        };
        vec![self.judge(from, until, snapshot.now, local)]
    }
}

impl Tls {
    /// The server's certificate. One for this machine may be self-signed; any other must be trusted.
    fn handshake(&self, snapshot: &Snapshot<'_>, verified: bool) -> Result<Vec<u8>, String> {
        let name = host(&self.address);
        let mut call = Invocation::new("openssl").args(["s_client", "-connect", &self.address]).deadline(PROGRAM);
        if name.parse::<std::net::IpAddr>().is_err() {
            call = call.args(["-servername", &name]);
            if verified {
                call = call.args(["-verify_return_error", "-verify_hostname", &name]);
            }
        } else if verified {
            call = call.args(["-verify_return_error", "-verify_ip", &name]);
        }
        match snapshot.project.runner().read(&call) {
            Ok(output) => Ok(output.stdout),
            Err(ExecError::Exited { tail, .. }) => Err(reason(&tail)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn judge(&self, from: Timestamp, until: Timestamp, now: Timestamp, local: bool) -> Check {
        let Self { name, address, min_days } = self;
        let days = until.duration_since(now).as_hours() / 24;
        let day = until.strftime("%Y-%m-%d");
        let renew = "renew the certificate, and let its service read it again";
        if now < from {
            return Check::fail(
                KIND,
                name,
                format!("{address}: valid only from {}", from.strftime("%Y-%m-%d %H:%M UTC")),
            )
            .with_hint("check this machine's clock");
        }
        if until <= now {
            return Check::fail(KIND, name, format!("{address}: expired on {day}")).with_hint(renew);
        }
        if until.duration_since(now) < SignedDuration::from_hours(24 * i64::from(*min_days)) {
            return Check::warn(KIND, name, format!("{address}: expires in {days} days, on {day}")).with_hint(renew);
        }
        let note = if local { " (issuer not verified: local)" } else { "" };
        Check::ok(KIND, name, format!("{address}: valid for {days} days, until {day}{note}"))
    }
}

/// The line of openssl's output with the cause: `verify error:num=18:self-signed certificate`, `connect:errno=111`.
fn reason(talk: &str) -> String {
    let line = |has: &str| talk.lines().find_map(|line| line.split_once(has).map(|(_, rest)| rest.trim().to_owned()));
    let verify = line("verify error:").map(|text| text.rsplit(':').next().unwrap_or_default().to_owned());
    verify
        .or_else(|| line("connect:").map(|what| format!("cannot connect ({what})")))
        .or_else(|| talk.lines().next().map(str::to_owned))
        .unwrap_or_else(|| "no TLS handshake".to_owned())
}

/// `notAfter=Nov 21 06:02:00 2026 GMT`
fn date(text: &str, key: &str) -> Option<Timestamp> {
    let value = text.lines().find_map(|line| line.strip_prefix(key))?;
    let time =
        DateTime::strptime("%b %d %H:%M:%S %Y GMT", value.split_whitespace().collect::<Vec<_>>().join(" ")).ok()?;
    time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;

    #[test]
    fn openssls_dates_are_read() {
        let text = "notBefore=Nov  1 06:02:00 2026 GMT\nnotAfter=Dec 21 16:02:00 2026 GMT\n";
        assert_eq!(date(text, "notBefore=").unwrap().to_string(), "2026-11-01T06:02:00Z");
        assert_eq!(date(text, "notAfter=").unwrap().to_string(), "2026-12-21T16:02:00Z");
        assert_eq!(date("nonsense", "notAfter="), None);
    }

    #[test]
    fn validity_is_judged_by_days() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 1000);
        let tls = Tls { name: "x".into(), address: "x:443".into(), min_days: 14 };
        let judge = |from: i64, until: i64| {
            let day = |days| now + SignedDuration::from_hours(24 * days);
            tls.judge(day(from), day(until), now, false).status
        };
        assert_eq!(judge(-1, 90), Verdict::Ok);
        assert_eq!(judge(-1, 14), Verdict::Ok);
        assert_eq!(judge(-1, 13), Verdict::Warn);
        assert_eq!(judge(-9, -1), Verdict::Fail);
        assert_eq!(judge(1, 90), Verdict::Fail);
    }

    #[test]
    fn the_reason_is_found_in_the_talk() {
        let talk = "depth=0 CN = x\nverify error:num=18:self-signed certificate\nmore";
        assert_eq!(reason(talk), "self-signed certificate");
        assert_eq!(reason("4057:error\nconnect:errno=111"), "cannot connect (errno=111)");
    }
}
