//! Rules about the source itself that no compiler checks.
//!
//! Each rule is a test that lists every place where it does not hold. A reason to break one is a reason to change
//! it here, in the same commit.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Longest a source file may be, its tests left out.
const LINES_MAX: usize = 800;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Calls `check` with every file below `folder` that has one of these endings; it returns complaints.
fn each(folder: &str, endings: &[&str], check: impl Fn(&str, &str) -> Vec<String>) -> (usize, Vec<String>) {
    let root = root();
    let mut waiting = vec![root.join(folder)];
    let (mut seen, mut complaints) = (0, Vec::new());
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !["target", "node_modules", ".git", ".flow", "dist"].contains(&name.as_str()) {
                waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        } else if path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known)) {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            seen += 1;
            complaints.extend(check(&name, &text).into_iter().map(|complaint| format!("{name}: {complaint}")));
        }
    }
    (seen, complaints)
}

/// Fails with every complaint; also when no file was looked at, for then the rule checks nothing.
#[track_caller]
fn hold((seen, complaints): (usize, Vec<String>)) {
    assert!(seen > 0, "no file was looked at");
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Returns the text without its unit tests, which are the last thing in a file.
fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

fn is_test(name: &str) -> bool {
    name.contains("/tests/") || name.contains("/examples/") || name.ends_with("/tests.rs")
}

/// Returns the texts between double quotes of a line, roughly.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

#[test]
fn every_source_file_begins_with_what_it_is_for() {
    hold(each("crates", &["rs"], |name, text| {
        // The tests of a module are about that module; its header has said it.
        let is_said = name.ends_with("/tests.rs")
            || text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.len() > 8);
        if is_said { Vec::new() } else { vec!["has no `//!` header".to_owned()] }
    }));
}

#[test]
fn no_source_file_is_too_long() {
    hold(each("crates", &["rs"], |name, text| {
        let lines = without_tests(text).lines().count();
        if is_test(name) || lines <= LINES_MAX {
            Vec::new()
        } else {
            vec![format!("has {lines} lines: find the missing noun")]
        }
    }));
}

#[test]
fn the_core_depends_on_nothing_that_waits_or_rolls_dice() {
    let manifest = fs::read_to_string(root().join("crates/flow-core/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names: Vec<&str> = dependencies.lines().filter_map(|line| line.split(['.', ' ', '=']).next()).collect();
    assert!(names.contains(&"jiff"), "the list was not found: {names:?}");
    for banned in ["tokio", "sqlx", "axum", "reqwest", "rand", "tracing", "notify", "nix", "uuid"] {
        assert!(!names.contains(&banned), "flow-core depends on {banned}");
    }
}

#[test]
fn the_core_is_not_async() {
    hold(each("crates/flow-core/src", &["rs"], |_, text| {
        let lines = text.lines().enumerate().filter(|(_, line)| line.contains("async fn") || line.contains(".await"));
        lines.map(|(at, _)| format!("line {} is async", at + 1)).collect()
    }));
}

#[test]
fn sql_is_spelled_in_the_store_only() {
    let is_sql = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["SELECT", ..] => words.contains(&"FROM"),
            ["INSERT", "INTO" | "OR", ..] | ["DELETE", "FROM", ..] => true,
            ["UPDATE", _, rest @ ..] => rest.contains(&"SET"),
            _ => false,
        }
    };
    // SQL for other people's databases; Flow's own is reached through the store only.
    let is_for_others = |name: &str| {
        name.starts_with("crates/flow-clients/src/sql") || name.starts_with("crates/flow-operators/src/operators/sql_")
    };
    hold(each("crates", &["rs"], |name, text| {
        if name.starts_with("crates/flow-store/") || is_for_others(name) || is_test(name) {
            return Vec::new();
        }
        let lines = without_tests(text).lines().enumerate();
        let found = lines.filter(|(_, line)| is_sql(line.trim().trim_start_matches('"')) || quoted(line).any(is_sql));
        found.map(|(at, _)| format!("line {} is SQL", at + 1)).collect()
    }));
}

#[test]
fn every_operator_file_is_in_the_list() {
    let crate_folder = root().join("crates/flow-operators/src");
    let folder = crate_folder.join("operators");
    let mut text = fs::read_to_string(crate_folder.join("lib.rs")).unwrap();
    text.push_str(&fs::read_to_string(crate_folder.join("operators.rs")).unwrap_or_default());
    let files = fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    for path in files.filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let source = fs::read_to_string(&path).unwrap();
        if source.contains("impl Operator for") {
            assert!(text.contains(&format!("{name}::")), "operator `{name}` is not in the list of operators");
        }
    }
}

#[test]
fn what_is_left_to_do_has_a_name_or_number() {
    // Put together, so that this file has none itself.
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat()];
    hold(each(".", &["rs", "sql", "toml", "yaml", "ts", "tsx", "css"], |_, text| {
        let is_bare =
            |line: &str| marks.iter().any(|mark| line.split(mark.as_str()).skip(1).any(|rest| !rest.starts_with('(')));
        let lines = text.lines().enumerate().filter(|(_, line)| is_bare(line));
        lines.map(|(at, _)| format!("line {} has a mark without `(name)`", at + 1)).collect()
    }));
}

#[test]
fn nothing_is_printed_around_the_output_module() {
    let words = ["print!(", "println!("];
    hold(each("crates", &["rs"], |name, text| {
        // Build scripts talk to cargo that way.
        let may_print =
            ["crates/flow/src/output.rs", "crates/flow-server/build.rs", "crates/flow-store/build.rs"].contains(&name);
        if is_test(name)
            || may_print
            || name.contains("/benches/")
            || name.contains("/examples/")
            || name.contains("/bin/")
        {
            return Vec::new();
        }
        let is_print = |line: &str| words.iter().any(|word| line.contains(word));
        let lines = without_tests(text).lines().enumerate().filter(|(_, line)| is_print(line));
        lines.map(|(at, _)| format!("line {} prints", at + 1)).collect()
    }));
}

#[test]
fn no_text_holds_a_path_of_somebodys_machine() {
    let homes = ["/root/", "/home/runner", "/Users/"];
    hold(each(".", &["rs", "md", "toml", "yaml", "yml", "sql"], |name, text| {
        if name.ends_with("tests/tidy.rs") {
            return Vec::new();
        }
        let is_found = |line: &str| homes.iter().any(|home| line.contains(home));
        let lines = text.lines().enumerate().filter(|(_, line)| is_found(line));
        lines.map(|(at, _)| format!("line {} names a machine's path", at + 1)).collect()
    }));
}

#[test]
fn links_between_documents_have_a_target() {
    hold(each(".", &["md"], |name, text| {
        let folder = root().join(name).parent().unwrap().to_owned();
        let mut complaints = Vec::new();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or(target);
            let is_elsewhere = path.is_empty() || path.contains("://") || path.contains(' ') || path.contains('`');
            if !is_elsewhere && !folder.join(path).exists() {
                complaints.push(format!("links to `{target}`, which does not exist"));
            }
        }
        complaints
    }));
}
