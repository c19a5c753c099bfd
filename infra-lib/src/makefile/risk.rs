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
