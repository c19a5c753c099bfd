//! Rules for every command.
//!
//! The help is pinned by snapshots. To accept a change: `INSTA_UPDATE=always cargo test -p infra-lib --lib cli::`.

use std::sync::{Mutex, PoisonError};

use clap::error::ErrorKind;

use super::assemble::assemble;
use super::command::Command;
use super::{commands, completions, help};

/// The root command, without the tasks of any project. What is offered is static, so one test at a time.
fn with_root<T>(test: impl FnOnce(clap::Command) -> T) -> T {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let empty = tempfile::tempdir().unwrap();
    let (root, problem) = assemble::<Command>(empty.path());
    assert!(problem.is_none());
    test(root.term_width(100))
}

#[test]
fn clap_finds_no_fault() {
    with_root(clap::Command::debug_assert);
}

#[test]
fn parsed_from_nothing_is_the_default() {
    for entry in commands::all() {
        match entry.command().try_get_matches_from([entry.name]) {
            Ok(matches) => {
                let (parsed, default) = (entry.parsed_and_default)(&matches);
                assert_eq!(parsed, default, "{}", entry.name);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument, "{}", entry.name),
        }
    }
}

#[test]
fn every_command_and_option_says_what_it_is_in_one_line() {
    with_root(|root| {
        for command in root.get_subcommands() {
            let (name, summary) = (command.get_name(), help::summary(command));
            assert!((10..=65).contains(&summary.chars().count()), "{name}: {summary}");
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{name}: {} has no help", arg.get_id());
                assert!(arg.get_long_help().is_none(), "{name}: {} spreads the help out", arg.get_id());
            }
        }
    });
}

/// Completion knows what an argument is by the name of its value.
#[test]
fn services_are_called_so_wherever_they_are_arguments() {
    for entry in commands::all() {
        for arg in entry.command().get_positionals() {
            let name = arg.get_value_names().map(|names| names[0].to_string()).unwrap_or_default();
            assert!(!name.contains("SERVICES"), "{}: call it SERVICE", entry.name);
        }
    }
}

#[test]
fn the_help_reads_like_a_good_makefiles() {
    with_root(|mut root| {
        let text = root.render_help().to_string();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        for entry in commands::all() {
            assert!(text.contains(&format!("\n  {} ", entry.name)), "{} is in the help", entry.name);
        }
        insta::assert_snapshot!("help", text);
    });
}

#[test]
fn each_commands_help() {
    with_root(|mut root| {
        root.build();
        let names = commands::all().into_iter().map(|entry| entry.name).chain([completions::script::NAME]);
        let mut globals = None;
        for name in names {
            let text = root.find_subcommand_mut(name).unwrap().render_help().to_string();
            // The common part is pinned once.
            let (own, common) = text.split_once("Global options:").unwrap();
            insta::assert_snapshot!(format!("help-{name}"), own.trim_end());
            globals.get_or_insert_with(|| common.split("\n\n").next().unwrap_or_default().to_owned());
        }
        insta::assert_snapshot!("help-global-options", globals.unwrap());
    });
}
