//! HTML pages: the guides, made of their Markdown, and the page around Swagger UI.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::{GUIDES, find, title};

/// The page on which the API is read and tried.
pub fn api() -> String {
    around(
        "Pitboss API",
        r#"<link rel="stylesheet" href="/docs/assets/swagger-ui.css">"#,
        r#"<div id="api"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/api.js"></script>"#,
    )
}

/// The page of this name.
pub fn guide(name: &str, markdown: &str) -> String {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let body = format!("<main>\n{}</main>", render(folder, markdown));
    around(title(markdown), "", &body)
}

fn around(title: &str, head: &str, body: &str) -> String {
    let guides: String = GUIDES
        .iter()
        .map(|(name, text)| {
            format!(
                "<a href=\"/docs/{name}\">{}</a>\n",
                escape(super::title(text))
            )
        })
        .collect();
    format!(
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>{}</title>
{head}
<link rel=\"stylesheet\" href=\"/docs/assets/docs.css\">
<link rel=\"icon\" href=\"/docs/assets/favicon-32x32.png\">
</head>
<body>
<nav>
<a href=\"/docs\">API</a>
{guides}</nav>
{body}
</body>
</html>
",
        escape(title)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Markdown as HTML: headings can be linked to, links lead from its folder to pages here, and HTML in a text is text.
fn render(folder: &str, markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut events: Vec<Event<'_>> = Parser::new_ext(markdown, options).collect();
    let mut known: Vec<String> = Vec::new();
    for start in 0..events.len() {
        let Event::Start(Tag::Heading { .. }) = events[start] else {
            continue;
        };
        let mut anchor = anchor(&text_of(&events[start + 1..]));
        if known.contains(&anchor) {
            let before = known.iter().filter(|other| **other == anchor).count();
            anchor = format!("{anchor}-{before}");
        }
        known.push(anchor.clone());
        if let Event::Start(Tag::Heading { id, .. }) = &mut events[start] {
            *id = Some(anchor.into());
        }
    }
    let mut is_link = Vec::new();
    let events = events.into_iter().filter_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => {
            let target = target(folder, &dest_url);
            is_link.push(target.is_some());
            let dest_url = target?;
            Some(Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }))
        }
        Event::End(TagEnd::Link) => is_link.pop().unwrap_or(false).then_some(event),
        other => Some(other),
    });
    let mut page = String::new();
    html::push_html(&mut page, events);
    page
}

/// Of a heading, up to its end.
fn text_of(events: &[Event<'_>]) -> String {
    let inside = events
        .iter()
        .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    inside
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect()
}

/// The fragment by which a heading is known, as on the usual hosts of source code.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Where a link leads from here. `None`: to a file that is not served.
fn target<'a>(folder: &str, link: &CowStr<'a>) -> Option<CowStr<'a>> {
    if link.contains("://") || link.starts_with('#') || link.starts_with('/') {
        return Some(link.clone());
    }
    let (file, fragment) = match link.split_once('#') {
        Some((file, fragment)) => (file, format!("#{fragment}")),
        None => (link.as_ref(), String::new()),
    };
    let file = file.strip_suffix(".md")?;
    let name = match file.strip_prefix("../") {
        Some(above) if !folder.is_empty() => above.to_owned(),
        _ if folder.is_empty() => file.to_owned(),
        _ => format!("{folder}/{file}"),
    };
    find(&name)?;
    Some(format!("/docs/{name}{fragment}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_becomes_a_page_whose_headings_can_be_linked_to() {
        let page = render(
            "",
            "# A guide\n\n## `bad_signature`\n\n## Two words!\n\n## Two words!\n\n[e](errors.md#busy) [x](#two-words) \
             [away](https://a.example/b) [code](../src/lib.rs)\n\n| a | b |\n|---|---|\n| 1 | <script>alert(1)</script> |\n",
        );
        for wanted in [
            "<h2 id=\"bad_signature\">",
            "<h2 id=\"two-words\">",
            "<h2 id=\"two-words-1\">",
            "<a href=\"/docs/errors#busy\">e</a>",
            "<a href=\"#two-words\">x</a>",
            "<a href=\"https://a.example/b\">away</a>",
            " code</p>",
            "<td>1</td>",
            "&lt;script&gt;",
        ] {
            assert!(page.contains(wanted), "{wanted} is not in {page}");
        }
        assert!(!page.contains("<script"), "{page}");
        let page = render(
            "providers",
            "[e](../errors.md#busy) [a](adding-one.md) [x](errors.md)",
        );
        assert!(page.contains("\"/docs/errors#busy\""), "{page}");
        assert!(page.contains("\"/docs/providers/adding-one\""), "{page}");
        assert!(!page.contains(">x</a>"), "{page}");
    }
}
