//! Commands that reach beyond the project.

/// The words of a text, wherever a command may begin.
fn words(text: &str) -> Vec<&str> {
    text.split(|char: char| char.is_whitespace() || ";&|()".contains(char)).filter(|word| !word.is_empty()).collect()
}

/// Whether a command removes or stops what other projects have on this machine too.
pub(super) fn reaches_beyond(text: &str) -> bool {
    let words = words(text);
    let kinds = ["system", "volume", "image", "container", "network", "builder", "buildx"];
    let ends = ["rm", "rmi", "stop", "kill"];
    let is_of_all = (text.contains("$(docker ") || text.contains("xargs"))
        && !text.contains("--filter")
        && !text.contains("-f name=");
    words.windows(2).any(|pair| kinds.contains(&pair[0]) && pair[1] == "prune")
        || is_of_all
            && words.windows(2).any(|pair| (pair[0] == "docker" || kinds.contains(&pair[0])) && ends.contains(&pair[1]))
}

/// Whether a command works on another machine.
pub(super) fn is_remote(text: &str) -> bool {
    const REMOTE: [&str; 8] = ["ssh", "kubectl", "helm", "heroku", "flyctl", "gcloud", "ansible-playbook", "oc"];
    words(text).iter().any(|word| REMOTE.contains(word))
}

/// Whether a command reads a file into the database.
pub(super) fn loads_a_file(text: &str) -> bool {
    let words = words(text);
    let feeds = ["cat", "gunzip", "zcat", "gzip", "<"].iter().any(|word| words.contains(word))
        || words.iter().any(|word| word.starts_with('<') && *word != "<");
    words.contains(&"pg_restore") || text.contains("psql") && feeds
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
        assert!(!reaches_beyond("docker rm $(docker ps -q --filter name=shop)"));
    }

    #[test]
    fn loading_a_file_is_seen() {
        assert!(loads_a_file("docker compose exec -T db psql -U a b < x.sql"));
        assert!(loads_a_file("gunzip -c x.gz | docker compose exec -T db psql"));
        assert!(!loads_a_file("docker compose exec db psql -U a b"));
    }
}
