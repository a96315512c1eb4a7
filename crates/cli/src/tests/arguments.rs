//! How commands are understood.

use clap::{CommandFactory, Parser};

use crate::{Cli, Command, OutputFormat};

fn all_commands(root: &clap::Command) -> Vec<clap::Command> {
    let below = root.get_subcommands().flat_map(all_commands);
    std::iter::once(root.clone()).chain(below).collect()
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_examples_and_every_example_is_understood() {
    for command in all_commands(&Cli::command()) {
        if command.has_subcommands() {
            continue;
        }
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples: Vec<&str> = help
            .lines()
            .filter_map(|line| line.strip_prefix("  "))
            .filter(|line| line.contains("braid "))
            .collect();
        assert!(!examples.is_empty(), "{} has no example", command.get_name());
        for example in examples {
            let line = &example[example.find("braid ").unwrap()..];
            let ends = ["   ", " > ", " | "];
            let line = ends.iter().fold(line, |line, end| line.split(end).next().unwrap());
            let words = shell_words(line);
            assert!(Cli::try_parse_from(&words).is_ok(), "{line}: {:?}", Cli::try_parse_from(&words).err());
        }
    }
}

/// Words of a line, with single quotes.
fn shell_words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

#[test]
fn global_options_go_before_and_after_the_command() {
    for line in [
        "braid -o json --endpoint http://x ls braid://lake/main",
        "braid ls braid://lake/main --endpoint http://x -o json",
    ] {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        assert_eq!(cli.options.endpoint.as_deref(), Some("http://x"));
        assert_eq!(cli.options.output, OutputFormat::Json);
        assert!(matches!(cli.command, Command::Ls(_)));
    }
}

#[test]
fn wrong_addresses_are_refused_with_a_reason() {
    for (line, reason) in [
        ("braid ls lake/main", "looks like braid://repository/ref/path"),
        ("braid cat braid://lake/main/", "the path is missing"),
        ("braid commit braid://lake/main~1 -m x", "this changes a branch"),
        ("braid log braid://lake/main/a", "there must be no path here"),
        ("braid merge-base braid://lake/main braid://lake/x", "give the ref alone"),
        ("braid get braid://lake/main/ --parallel 0", "zero"),
        ("braid diff braid://lake/main --two-dot", "RIGHT"),
        ("braid diff braid://lake/main --summary -d", "cannot be used with"),
        ("braid du lake", "looks like braid://repository/ref/path"),
        ("braid du braid://lake", "the ref is missing"),
        ("braid fsck braid://lake/main", "only a repository can be named here"),
        ("braid fsck lake braid://lake/main", "give the ref alone"),
    ] {
        let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains(reason), "{line}: {error}");
    }
}

#[test]
fn secrets_have_no_flag() {
    let command = Cli::command();
    assert!(command.get_arguments().all(|argument| argument.get_long() != Some("secret-access-key")));
}
