//! What was seen of the stack, and holds until something is changed.

use std::sync::{Mutex, PoisonError};

use crate::compose::Container;

/// The container of the database, with the number of changes that had been made when it was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Option<(usize, Container)>>);

impl Seen {
    /// The container of this service, unless something has been changed since it was seen.
    pub(crate) fn container(&self, service: &str, changes: usize) -> Option<Container> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        seen.filter(|(then, it)| *then == changes && it.service == service).map(|(_, it)| it)
    }

    /// Remembers the container; `None` if it does not run.
    pub(crate) fn note(&self, container: Option<Container>, changes: usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = container.map(|container| (changes, container));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(service: &str) -> Container {
        let json = format!(
            r#"[{{"Id":"1","Name":"/x-1","Created":"2026-01-01T00:00:00Z","State":{{"Status":"running"}},
                "HostConfig":{{"RestartPolicy":{{}}}},"NetworkSettings":{{}},
                "Config":{{"Image":"x","Labels":{{"com.docker.compose.service":"{service}"}}}}}}]"#
        );
        Container::parse_list(json.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn what_was_seen_holds_until_a_change_and_for_its_service() {
        let seen = Seen::default();
        assert!(seen.container("db", 1).is_none());
        seen.note(Some(container("db")), 1);
        let holds = |service, changes| seen.container(service, changes).is_some();
        assert_eq!((holds("db", 1), holds("db", 2), holds("web", 1)), (true, false, false));
        seen.note(None, 1);
        assert!(!holds("db", 1));
    }
}
