//! Deciding which values are secret.

use std::borrow::Cow;

use crate::secret::MASK;

/// Words that mark a name as that of a secret.
const SECRET: &str = "PASSWORD PASSWORDS PASSWD PASSPHRASE PASS PWD SECRET SECRETS TOKEN TOKENS KEY KEYS CREDENTIAL \
    CREDENTIALS SALT PEPPER PGPASS DBPASS SECRETKEY";

/// Words that also count at the end of a longer word: `PGPASSWORD`, `APIKEY`.
const ENDS: &str = "PASSWORD PASSWD PASSPHRASE SECRET TOKEN APIKEY ACCESSKEY PRIVATEKEY AUTHKEY";

/// Words that, after one of those, mark a property of a secret instead of the secret.
const ABOUT: &str = "FILE PATH DIR NAME ID EXPIRY EXPIRES EXPIRATION TTL LENGTH MIN MAX ALGORITHM ALG ISSUER AUDIENCE \
    HOST PORT ENABLED ROUNDS COUNT SIZE LIMIT TYPE HEADER MINUTES SECONDS HOURS DAYS PREFIX";

/// Whether the name suggests a secret, whose value must be masked.
pub(crate) fn looks_secret(key: &str) -> bool {
    let upper = key.to_ascii_uppercase();
    let words: Vec<&str> = upper.split(['_', '-', '.', '[', ']']).collect();
    let public = words.iter().any(|word| word.starts_with("PUBLI"));
    let Some(at) = words.iter().rposition(|word| is_secret_word(word)) else {
        return false;
    };
    let shared = public && (words[at].ends_with("KEY") || words[at].ends_with("TOKEN"));
    !shared && !words[at + 1..].iter().any(|word| ABOUT.split_whitespace().any(|about| about == *word))
}

fn is_secret_word(word: &str) -> bool {
    SECRET.split_whitespace().any(|secret| secret == word) || ENDS.split_whitespace().any(|end| word.ends_with(end))
}

/// Services that issue their own secrets: a generated one would only hide that it is missing.
const GIVEN: &str = "AWS S3 R2 GCP GCS GOOGLE AZURE GITHUB GITLAB FACEBOOK TWITTER DISCORD SLACK TELEGRAM APPLE MICROSOFT \
    STRIPE PAYPAL TWILIO SENDGRID MAILGUN MAILCHIMP POSTMARK RESEND SMTP MAIL EMAIL SENTRY DATADOG NEWRELIC OPENAI \
    ANTHROPIC CLOUDFLARE CLOUDINARY ALGOLIA FIREBASE SUPABASE NPM OAUTH OIDC SAML CLIENT LDAP VAPID LICENSE API APIKEY \
    ACCESS WEBHOOK PRIVATE TLS SSL SSH CERT ANON";

/// Whether the name suggests a secret that the project can generate, such as its database's password or the key that
/// signs its sessions, and not one that another party issues.
pub(crate) fn is_own_secret(key: &str) -> bool {
    let upper = key.to_ascii_uppercase();
    let given = |word: &str| GIVEN.split_whitespace().any(|given| given == word);
    // In JWT_ACCESS_SECRET, `ACCESS` describes the kind of token.
    looks_secret(key) && (upper.contains("JWT") || !upper.split(['_', '-', '.']).any(given))
}

/// The value for display: masked if the name suggests a secret, else with the password of a URL masked.
pub(crate) fn shown<'a>(key: &str, value: &'a str) -> Cow<'a, str> {
    if looks_secret(key) && !value.is_empty() || contains_secret(value) {
        return Cow::Borrowed(MASK);
    }
    let Some(password) = url_password(value) else {
        return Cow::Borrowed(value);
    };
    Cow::Owned(format!("{}{MASK}{}", &value[..password.start], &value[password.end..]))
}

/// Whether a value has a secret in it: a private key, or JSON with a field that is one.
pub(crate) fn contains_secret(value: &str) -> bool {
    fn has(json: &serde_json::Value) -> bool {
        match json {
            serde_json::Value::Object(map) => map.iter().any(|(key, value)| {
                value.as_str().is_some_and(|text| !text.is_empty()) && looks_secret(key) || has(value)
            }),
            serde_json::Value::Array(items) => items.iter().any(has),
            serde_json::Value::String(text) => text.contains("PRIVATE KEY-----"),
            _ => false,
        }
    }
    value.contains("PRIVATE KEY-----")
        || value.trim_start().starts_with(['{', '[']) && serde_json::from_str(value).is_ok_and(|json| has(&json))
}

/// The byte range of the password in `scheme://user:password@host`, up to the last `@`, so that all of it is masked.
pub(crate) fn url_password(value: &str) -> Option<std::ops::Range<usize>> {
    let authority = value.find("://")? + 3;
    let at = authority + value[authority..].rfind('@')?;
    let colon = authority + value[authority..at].find(':')? + 1;
    Some(colon..at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        let keys = "POSTGRES_PASSWORD DBPASSWORD AWS_SECRET_ACCESS_KEY S3_SECRET_KEY SECRET_KEY_BASE SMTP_PASS \
            jwt_access_secret APP_KEY APP_KEYS PRIVATE_KEY REDIS_PWD PASSWORD_SALT ACCESSTOKEN PUBLIC_SECRET \
            STRIPE_APIKEY";
        for key in keys.split_whitespace() {
            assert!(looks_secret(key), "{key}");
        }
        let keys = "AWS_ACCESS_KEY_ID NEXT_PUBLIC_API_KEY STRIPE_PUBLISHABLE_KEY JWT_SECRET_FILE KEYBOARD TURKEY \
            PASSWORD_MIN_LENGTH ACCESS_TOKEN_EXPIRES_IN COMPASS SALTY BYPASS DB_HOST";
        for key in keys.split_whitespace().chain([""]) {
            assert!(!looks_secret(key), "{key}");
        }
    }

    #[test]
    fn a_password_with_an_at_sign_shows_no_part() {
        assert_eq!(shown("U", "redis://:p@ss:w@h:1/0"), "redis://:***@h:1/0");
        assert_eq!(shown("U", "https://example.com:443/a@b"), "https://example.com:***@b");
        assert_eq!(shown("U", "https://example.com/"), "https://example.com/");
    }

    #[test]
    fn secrets_are_recognised_by_their_keys() {
        assert!(["DB_PASSWORD", "PGPASSWORD", "JWT_SECRET", "api-key", "GITHUB_TOKEN"].into_iter().all(looks_secret));
        let others = ["PORT", "PUBLIC_KEY", "PASSWORD_FILE", "TOKEN_TTL", "MONKEY", "KEYCLOAK_URL"];
        assert!(!others.into_iter().any(looks_secret));
        assert!(["DB_PASSWORD", "JWT_SECRET", "SESSION_KEY", "JWT_ACCESS_SECRET"].into_iter().all(is_own_secret));
        assert!(!["S3_SECRET_KEY", "SMTP_PASSWORD", "STRIPE_API_KEY", "PORT"].into_iter().any(is_own_secret));
    }

    #[test]
    fn secrets_are_masked_also_in_urls() {
        assert_eq!(shown("DB_PASSWORD", "hunter2"), "***");
        assert_eq!(shown("DATABASE_URL", "postgres://app:hunter2@db/app"), "postgres://app:***@db/app");
        assert_eq!(shown("PORT", "8080"), "8080");
    }
}
