// SPDX-License-Identifier: GPL-2.0

//! Help, manual pages and completions of every command.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::process::Command;

use clap::{CommandFactory, Parser};
use common::{checkout, files_of, Fake};

/// The words of every command that is not hidden, but for the program's.
fn all() -> Vec<Vec<String>> {
    fn walk(command: &clap::Command, words: &[String], all: &mut Vec<Vec<String>>) {
        all.push(words.to_vec());
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let mut words = words.to_vec();
            words.push(sub.get_name().into());
            walk(sub, &words, all);
        }
    }
    let mut found = Vec::new();
    walk(&natfctl::cli::Cli::command(), &[], &mut found);
    assert!(found.len() > 30);
    found
}

#[test]
fn every_command_has_help() {
    let fake = Fake::empty("help");
    for words in all() {
        for option in ["--help", "-h"] {
            let args: Vec<_> = words.iter().map(String::as_str).chain([option]).collect();
            let help = fake.ok(&args);
            let first = help.lines().next().unwrap();
            assert!(
                first.len() > 3 && !first.ends_with('.'),
                "{args:?}: {first}"
            );
            let usage = format!(
                "Usage: {}",
                [&["natfctl".into()], &words[..]].concat().join(" ")
            );
            assert!(help.contains(&usage), "{args:?}: {help}");
            assert!(!help.contains("--sysfs"), "for tests only");
        }
    }
    assert!(fake.ok(&["--version"]).starts_with("natfctl 0."));
}

#[test]
fn every_command_has_its_page() {
    let fake = Fake::empty("manual");
    let dir = fake.path("out");
    fake.ok(&["manual", dir.to_str().unwrap()]);
    let mut pages = 0;
    for words in all() {
        let name = [&["natfctl".into()], &words[..]].concat().join("-");
        let page = fake.get(&format!("out/man8/{name}.8"));
        let upper = name.to_uppercase();
        assert!(page.contains(&format!(".TH {upper} 8")), "{name}: {page}");
        assert!(
            page.contains(&format!("{} \\- ", name.replace('-', "\\-"))),
            "{name}: {page}"
        );
        pages += 1;
    }
    assert_eq!(std::fs::read_dir(dir.join("man8")).unwrap().count(), pages);
    let page = fake.get("out/man8/natfctl.8");
    for part in [
        ".SH SYNOPSIS",
        ".SH \"EXIT STATUS\"",
        ".SH FILES",
        ".SH \"SEE ALSO\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    fake.fails(1, &["manual", "/proc/nosuch"]);
}

/// A page that the packages bring along: one of packaging/man, or of a command.
fn page(name: &str) -> String {
    std::fs::read_to_string(checkout(&format!("packaging/man/{name}")))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What the packages install in `folder`, as the lists in packaging/debian say.
fn installed(folder: &str) -> Vec<String> {
    let mut all = Vec::new();
    for list in std::fs::read_dir(checkout("packaging/debian")).unwrap() {
        let list = list.unwrap().path();
        if list.extension().is_some_and(|end| end == "install") {
            let text = std::fs::read_to_string(list).unwrap();
            let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
            let here = lines.filter(|(_, to)| *to == folder);
            let files = here.flat_map(|(files, _)| files.split(' '));
            all.extend(files.map(|file| file.rsplit('/').next().unwrap().to_string()));
        }
    }
    assert!(!all.is_empty(), "{folder}");
    all
}

#[test]
fn every_file_of_the_modules_has_its_page() {
    for module in ["natf_en", "natf_router"] {
        let page = page(&format!("{module}.4"));
        for (file, _) in files_of(module) {
            assert!(
                page.contains(&format!("\n.It Pa {file}\n")),
                "{module}: {file}"
            );
        }
    }
}

#[test]
fn every_configuration_and_program_has_its_page() {
    let text = page("natf.toml.5");
    let here: Vec<_> = std::fs::read_dir(checkout("packaging/etc"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let read = [
        natfctl::config::path(natfctl::sysfs::Module::En),
        natfctl::config::path(natfctl::sysfs::Module::Router),
        natfctl::discover::rules::FILE.into(),
    ];
    let mut packed = installed("etc/natf");
    packed.sort();
    for file in read {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(here.contains(&name.to_string()), "{name} is not delivered");
        assert!(
            packed.contains(&name.to_string()),
            "{name} is not installed"
        );
        for said in [
            format!(".Nm {name}"),
            format!(".It Pa {}\n", file.display()),
        ] {
            assert!(text.contains(&said), "{said}");
        }
    }
    assert_eq!(here.len(), packed.len(), "{here:?} {packed:?}");
    for program in installed("usr/sbin") {
        assert!(page(&format!("{program}.8")).contains(&format!(".Nm {program}")));
    }
}

#[test]
fn every_service_names_pages_that_are_there() {
    let fake = Fake::empty("services");
    let dir = fake.path("out");
    fake.ok(&["manual", dir.to_str().unwrap()]);
    let mut services = 0;
    for unit in std::fs::read_dir(checkout("packaging/systemd")).unwrap() {
        let unit = unit.unwrap().path();
        let text = std::fs::read_to_string(&unit).unwrap();
        let pages = text
            .lines()
            .find_map(|line| line.strip_prefix("Documentation="));
        for name in pages.unwrap_or_default().split(' ') {
            let name = name
                .strip_prefix("man:")
                .and_then(|name| name.strip_suffix(')'));
            let file = name.unwrap_or_default().replace('(', ".");
            let made = dir.join("man8").join(&file);
            let written = checkout("packaging/man").join(&file);
            assert!(
                made.is_file() || written.is_file(),
                "{}: {file}",
                unit.display()
            );
            services += 1;
        }
    }
    assert!(services > 4);
}

/// Commands in a page: between backquotes, and behind a prompt up to a remark, a pipe or the next one.
fn commands(text: &str) -> Vec<String> {
    let inline = text.split('`').skip(1).step_by(2);
    let shown = text.lines().filter(|line| line.starts_with("    "));
    let prompted = shown.flat_map(|line| line.split("# ").skip(1));
    let all = inline.chain(prompted).filter_map(|command| {
        let end = command.find([';', '|', '<', '>', '\n']);
        let command = command.get(..end.unwrap_or(command.len()))?;
        let command = command.split("  ").next()?;
        command.starts_with("natfctl ").then(|| command.to_string())
    });
    // Forms, not commands.
    all.filter(|command| !command.contains(['…', '[']) && !command.contains("COMMAND"))
        .collect()
}

#[test]
fn commands_in_the_documentation_are_right() {
    let mut count = 0;
    for name in [
        "natfctl",
        "install",
        "cookbook",
        "troubleshooting",
        "usage",
        "act",
        "security",
    ] {
        let page = std::fs::read_to_string(checkout(&format!("docs/{name}.md"))).unwrap();
        for command in commands(&page) {
            let words = command.split(' ').map(|word| {
                let word = word.trim_matches(['\'', '"']);
                match word {
                    "NAME" => "alice.home.example.net".into(),
                    "PORT" => "80".into(),
                    "DOMAIN" => "home.example.net".into(),
                    word => word.replace("NUMBER", "1"),
                }
            });
            if let Err(error) = natfctl::cli::Cli::try_parse_from(words) {
                let is_group = error.kind()
                    == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                    || error.kind() == clap::error::ErrorKind::MissingRequiredArgument;
                // A command by its name alone may be spoken of.
                assert!(
                    is_group && command.split(' ').count() < 4,
                    "{name}.md: {command}: {error}"
                );
            }
            count += 1;
        }
    }
    assert!(count > 60, "{count}");
}

#[test]
fn every_command_is_completed() {
    let fake = Fake::empty("completions");
    let dir = fake.path("out");
    fake.ok(&["manual", dir.to_str().unwrap()]);
    let files = ["bash/natfctl", "zsh/_natfctl", "fish/natfctl.fish"];
    for file in files {
        let text = fake.get(&format!("out/{file}"));
        for word in all().iter().filter_map(|words| words.last()) {
            assert!(text.contains(word.as_str()), "{file}: {word}");
        }
        assert!(!text.contains("sysfs"), "{file}: for tests only");
    }
    let completed = |line: &str| {
        let script = format!(
            "source {}/bash/natfctl; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _natfctl natfctl \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; echo \"${{COMPREPLY[*]}}\"",
            dir.display()
        );
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line}");
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    };
    assert_eq!(completed("natfctl ac"), "act");
    assert_eq!(completed("natfctl act lo"), "load");
    assert_eq!(completed("natfctl show nr"), "nrt");
    assert_eq!(completed("natfctl en domains fl"), "flush");
}

#[test]
fn the_documentation_has_every_command_and_column() {
    let text = std::fs::read_to_string(checkout("docs/natfctl.md")).unwrap();
    for words in all().iter().filter(|words| words.len() == 1) {
        assert!(text.contains(&format!("natfctl {}", words[0])), "{words:?}");
    }
    for listing in natfctl::listing::LISTINGS {
        let row = format!("| `{}` | {} |", listing.file, listing.columns.join(", "));
        assert!(text.contains(&row), "{row}");
    }
}
