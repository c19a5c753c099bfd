//! Commands that reach beyond the project.

/// Whether a command removes or stops whatever is on this machine, or whatever nobody uses just now, whoever it belongs to.
pub(super) fn reaches_beyond(text: &str) -> bool {
    let words: Vec<&str> = text.split(|char: char| char.is_whitespace() || ";&|()".contains(char)).collect();
    let kinds = ["system", "volume", "image", "container", "network", "builder", "buildx"];
    let ends = ["rm", "rmi", "stop", "kill"];
    let is_of_all = text.contains("$(docker ") || text.contains("xargs");
    words.windows(2).any(|pair| kinds.contains(&pair[0]) && pair[1] == "prune")
        || is_of_all
            && words.windows(2).any(|pair| (pair[0] == "docker" || kinds.contains(&pair[0])) && ends.contains(&pair[1]))
}

/// Programs that work on another machine.
const REMOTE: [&str; 8] = ["ssh", "kubectl", "helm", "heroku", "flyctl", "gcloud", "ansible-playbook", "oc"];
/// Programs that hand something to somebody else.
const SENDERS: [&str; 9] = ["aws", "gsutil", "rclone", "rsync", "scp", "mail", "sendmail", "mc", "az"];

fn called<'a>(text: &str, programs: &[&'a str]) -> Option<&'a str> {
    let mut words = text.split(|char: char| char.is_whitespace() || ";&|()".contains(char));
    words.find_map(|word| programs.iter().find(|program| **program == word)).copied()
}

/// Whether a command is for another machine, whatever it does there.
pub(super) fn is_remote(text: &str) -> bool {
    called(text, &REMOTE).is_some()
}

/// A program by which a command also sends something away.
pub(super) fn sender(text: &str) -> Option<&'static str> {
    called(text, &SENDERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g03_reaching_beyond_is_seen_wherever_it_stands() {
        for text in [
            "docker system prune -af --volumes",
            "x && docker volume prune -f",
            "(docker builder prune)",
            "docker rm -f $(docker ps -aq)",
            "docker volume ls -q | xargs docker volume rm",
        ] {
            assert!(reaches_beyond(text), "{text}");
        }
        assert!(!reaches_beyond("docker system df && docker rm mine"));
    }
}
