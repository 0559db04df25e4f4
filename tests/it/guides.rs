//! The pages: all that they need is here, every link leads somewhere, and the quick start works as it is written.

use std::{collections::BTreeSet, fs, process::Command};

use pitboss_services::ScratchDir;
use reqwest::Method;

use crate::support::{
    client::{Answer, Client, send},
    program::{self, stderr, stdout},
    sandbox::{shared, shared_data},
};

async fn page(client: &Client, path: &str) -> Answer {
    let request = client.http(Method::GET, path);
    send(request.header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"))
        .await
        .ok()
}

/// The values of an attribute, without looking closer at HTML.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!("{attribute}=\"");
    html.split(start.as_str())
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

#[tokio::test]
async fn pages_need_nothing_from_elsewhere_and_their_links_lead_somewhere() {
    let client = shared().await;
    let index = send(client.http(Method::GET, "/docs")).await.ok();
    assert_eq!(index.header("content-type"), "text/markdown; charset=utf-8");
    let guides: Vec<&str> = index
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("- ")?.split(':').next())
        .filter(|path| path.starts_with("/docs/"))
        .collect();
    assert!(guides.len() >= 12, "{guides:?}");
    let mut parts = BTreeSet::new();
    let mut links = BTreeSet::new();
    for path in guides.iter().chain(&["/docs", "/"]) {
        let html = page(&client, path).await;
        assert_eq!(
            html.header("content-type"),
            "text/html; charset=utf-8",
            "{path}"
        );
        let policy = html.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("http"),
            "{policy}"
        );
        assert!(!policy.contains("script-src 'self' '"), "{policy}");
        assert_eq!(
            html.header("vary"),
            "accept, accept-encoding".split(',').next().unwrap()
        );
        for part in values(&html.text, "src") {
            parts.insert(part.to_owned());
        }
        for line in html.text.lines().filter(|line| line.starts_with("<link ")) {
            parts.insert(values(line, "href")[0].to_owned());
        }
        for link in values(&html.text, "<a href") {
            let here = if link.starts_with('#') { path } else { "" };
            links.insert(format!("{here}{link}"));
        }
        // A program gets what was written.
        let plain = send(client.http(Method::GET, path)).await.ok();
        assert!(plain.text.starts_with("# "), "{path}: {}", plain.text);
    }
    assert!(parts.len() >= 5, "{parts:?}");
    for part in &parts {
        assert!(part.starts_with("/docs/assets/"), "{part} is elsewhere");
        let found = send(client.http(Method::GET, part)).await.ok();
        if part.ends_with(".css") {
            let elsewhere = found.text.contains("@import") || found.text.contains("url(http");
            assert!(!elsewhere, "{part} asks elsewhere");
        }
    }
    for link in links.iter().filter(|link| link.starts_with('/')) {
        let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
        let html = page(&client, path).await;
        let anchor = format!("id=\"{fragment}\"");
        assert!(
            fragment.is_empty() || html.text.contains(&anchor),
            "{link} leads nowhere"
        );
    }
    let missing = send(client.http(Method::GET, "/docs/nowhere")).await;
    missing.refused(404, "not_found");
    let missing = send(client.http(Method::GET, "/docs/assets/index.html")).await;
    missing.refused(404, "not_found");
}

#[tokio::test]
async fn every_error_leads_to_its_paragraph() {
    let client = shared().await;
    let refused = client.get("/v1/players/nobody").await;
    let place = refused.refused(404, "unknown_player").text_at("/type");
    let (path, code) = place.split_once('#').unwrap();
    let html = page(&client, path).await;
    assert!(
        html.text.contains(&format!("<h2 id=\"{code}\">")),
        "{place}"
    );
}

/// The blocks of a language, in order.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("```{language}\n");
    text.split(start.as_str())
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

#[tokio::test]
async fn the_quick_start_works_as_it_is_written() {
    let client = shared().await;
    let scratch = ScratchDir::new("quick-start").unwrap();
    let folder = scratch.join("folder");
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink(shared_data().await, folder.join(".sandbox")).unwrap();
    let guide = include_str!("../../docs/quick-start.md");
    let shell = blocks(guide, "sh");
    let (last, first) = shell.split_last().unwrap();
    fs::write(folder.join("bet.py"), blocks(guide, "python")[0]).unwrap();
    fs::write(folder.join("bet.mjs"), blocks(guide, "js")[0]).unwrap();
    let script = format!(
        "set -eu\n{}\npython3 bet.py\nnode bet.mjs\n{last}",
        first.join("\n")
    );
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(&folder);
    let output = program::run(command).await;
    assert!(
        output.status.success(),
        "{}\n{}",
        stdout(&output),
        stderr(&output)
    );
    // 100.00 - 2.50 + 5.00 - 1.00 - 1.00
    let wallets = client.get("/v1/players/anna/wallets").await.ok();
    assert_eq!(
        wallets.text_at("/data/0/cash"),
        "100.50",
        "{}",
        stdout(&output)
    );
    assert!(
        stdout(&output).contains("wallet.win_credited"),
        "{}",
        stdout(&output)
    );
}
