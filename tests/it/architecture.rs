//! The arrows between the crates run one way.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// Who may import whom. A crate that is not here may import nothing of ours.
const ALLOWED: &[(&str, &[&str])] = &[
    ("wallet", &[]),
    ("services", &[]),
    ("providers", &["wallet"]),
    ("games", &["wallet"]),
    ("actors", &["wallet"]),
    ("schema", &["wallet", "actors"]),
    ("loadtest", &["wallet", "providers", "schema", "services"]),
    (
        "pitboss",
        &[
            "wallet",
            "providers",
            "games",
            "actors",
            "schema",
            "services",
        ],
    ),
];
/// In tests alone.
const ALLOWED_IN_TESTS: &[(&str, &[&str])] = &[("schema", &["services"])];

fn short(name: &str) -> &str {
    name.strip_prefix("pitboss-").unwrap_or(name)
}

/// Each crate's imports of ours, and those of its tests.
fn imports() -> BTreeMap<String, [BTreeSet<String>; 2]> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    packages
        .iter()
        .map(|package| {
            let mut imports = [BTreeSet::new(), BTreeSet::new()];
            for dependency in package["dependencies"].as_array().unwrap() {
                let name = dependency["name"].as_str().unwrap();
                if ours.contains(name) {
                    let of_tests = usize::from(dependency["kind"] == "dev");
                    imports[of_tests].insert(short(name).to_owned());
                }
            }
            (short(package["name"].as_str().unwrap()).to_owned(), imports)
        })
        .collect()
}

fn allowed(table: &[(&str, &[&str])], name: &str) -> BTreeSet<String> {
    let row = table.iter().find(|(of, _)| *of == name);
    row.map(|(_, names)| names.iter().map(|name| (*name).to_owned()).collect())
        .unwrap_or_default()
}

#[test]
fn imports_run_one_way() {
    for (name, [imports, of_tests]) in imports() {
        let may = allowed(ALLOWED, &name);
        let back: Vec<_> = imports.difference(&may).collect();
        assert!(back.is_empty(), "{name} must not import {back:?}");
        let may: BTreeSet<_> = may
            .union(&allowed(ALLOWED_IN_TESTS, &name))
            .cloned()
            .collect();
        let back: Vec<_> = of_tests.difference(&may).collect();
        assert!(
            back.is_empty(),
            "the tests of {name} must not import {back:?}"
        );
    }
}

#[test]
fn every_crate_has_its_place() {
    let found: BTreeSet<String> = imports().into_keys().collect();
    let placed: BTreeSet<String> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found, placed);
    assert_eq!(
        imports()["pitboss"][0],
        allowed(ALLOWED, "pitboss"),
        "the server wires them all"
    );
}

#[test]
fn the_wallet_knows_no_clock_no_network_and_no_runtime() {
    let manifest =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/wallet/Cargo.toml")).unwrap();
    for forbidden in [
        "tokio", "actix", "async", "postgres", "nats", "reqwest", "rand", "hyper",
    ] {
        assert!(!manifest.contains(forbidden), "wallet imports {forbidden}");
    }
}
