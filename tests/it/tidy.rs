//! What the repository promises of its own files.

use std::{
    fs,
    path::{Path, PathBuf},
};

const LINES_MAX: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What is made from our files, or fetched for them.
const NOT_OURS: [&str; 4] = ["target", "node_modules", "dist", "build"];

/// Files of ours below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if path.is_dir() {
            if !NOT_OURS.contains(&&*name) && !name.starts_with('.') {
                files(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

/// The Rust sources, each with its path from the root, and its text.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(root(), &mut found);
    let rust = found
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| (shown(path), fs::read_to_string(path).unwrap()))
        .collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

fn fail_with(complaints: &[String], rule: &str) {
    assert!(complaints.is_empty(), "{rule}:\n{}", complaints.join("\n"));
}

#[test]
fn a_file_is_short_enough_to_be_read() {
    let complaints: Vec<String> = sources()
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    fail_with(&complaints, "files have at most 500 lines");
}

#[test]
fn a_folder_says_what_lives_there() {
    let complaints: Vec<String> = sources()
        .into_iter()
        .filter(|(path, _)| {
            let name = path.rsplit('/').next().unwrap();
            matches!(name, "mod.rs" | "lib.rs" | "main.rs")
        })
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    fail_with(&complaints, "the first line is a module doc");
}

#[test]
fn nothing_is_left_to_do_and_no_machine_is_named() {
    // Put together here, so that this file does not find itself.
    let left = ["to", "do!("].concat();
    let words = [
        left.as_str(),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("TO", "DO"),
    ];
    let machines = [
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/wo", "rk/"),
        concat!("/Us", "ers/"),
    ];
    let mut found = Vec::new();
    files(root(), &mut found);
    let mut complaints = Vec::new();
    for path in found {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            for word in words.iter().chain(&machines) {
                if line.contains(word) {
                    complaints.push(format!("{}:{}: {word}", shown(&path), number + 1));
                }
            }
        }
    }
    fail_with(&complaints, "no work left open, no path of one machine");
}

/// Whether a line has a string that begins as a statement does. A heuristic: it is meant to be noticed.
/// Questions to the server itself, such as a lock or a sign of life, are none.
fn has_statement(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let code = code.replace("\"SELECT 1\"", "").replace("\"SELECT pg_", "");
    [
        "SELECT ",
        "INSERT INTO ",
        "UPDATE ",
        "DELETE FROM ",
        "CREATE TABLE ",
        "WITH ",
    ]
    .iter()
    .any(|verb| code.contains(&format!("\"{verb}")))
}

#[test]
fn sql_is_in_sql_files() {
    let complaints: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| path.starts_with("src/") || path.contains("/src/"))
        // The load driver's baseline is the textbook's transaction, to be read beside its code.
        .filter(|(path, _)| !path.starts_with("loadtest/") && !path.ends_with("/tests.rs"))
        .flat_map(|(path, text)| {
            let product = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = product
                .lines()
                .enumerate()
                .filter(|(_, line)| has_statement(line));
            lines
                .map(|(number, line)| format!("{path}:{}: {}", number + 1, line.trim()))
                .collect::<Vec<_>>()
        })
        .collect();
    fail_with(
        &complaints,
        "statements live in .sql files, named after what they do",
    );
}

/// The words of a text between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A page that names a test promises what it shows.
#[test]
fn what_shows_that_a_clause_is_kept_is_there() {
    let page = include_str!("../../docs/compliance.md");
    let clauses = page.lines().filter(|line| line.starts_with("| ")).skip(1);
    let sources: String = sources().into_iter().map(|(_, text)| text).collect();
    let mut complaints = Vec::new();
    for line in clauses {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (clause, state, shown_by) = (cells[1], cells[3], cells[4]);
        let has_test = |name: &str| sources.contains(&format!("fn {name}("));
        let is_test = |name: &&str| name.contains('_') && !name.contains(['.', '/', ' ']);
        for name in quoted(shown_by)
            .filter(is_test)
            .filter(|name| !has_test(name))
        {
            complaints.push(format!("{clause}: there is no test {name}"));
        }
        let is_shown = match state {
            "done" => quoted(shown_by).next().is_some(),
            "later" => !shown_by.is_empty(),
            _ => state == "outside",
        };
        if !is_shown {
            complaints.push(format!("{clause}: {state}, but nothing shows it"));
        }
    }
    fail_with(&complaints, "docs/compliance.md names what shows it");
}

#[test]
fn migrations_and_queries_are_used() {
    let mut found = Vec::new();
    files(&root().join("schema").join("queries"), &mut found);
    let code: String = sources()
        .into_iter()
        .filter(|(path, _)| path.starts_with("schema/"))
        .map(|(_, text)| text)
        .collect();
    let unused: Vec<String> = found
        .iter()
        .filter(|path| {
            let stem = path.file_stem().unwrap().to_string_lossy();
            // The audit's macro puts `_count` and `.sql` behind a name.
            let name = stem.strip_suffix("_count").unwrap_or(&stem).to_owned();
            !code.contains(&format!("{stem}.sql")) && !code.contains(&format!("\"{name}\""))
        })
        .map(|path| shown(path))
        .collect();
    fail_with(&unused, "a query that nobody asks is thrown away");
}
