//! Where a launch sends the player: a URL with placeholders, each filled in percent-encoded.

use actix_web::http::Uri;

/// What a launch is about.
pub struct Launch<'a> {
    pub token: &'a str,
    pub session: &'a str,
    pub game: &'a str,
    pub language: &'a str,
    pub currency: &'a str,
    pub device: &'a str,
    pub return_url: &'a str,
    pub mode: Mode,
}

/// For money or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Real,
    Demo,
}

impl Mode {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Demo => "demo",
        }
    }
}

const CHARS_MAX: usize = 1024;
/// Of a URL that a player comes back to.
const RETURN_CHARS_MAX: usize = 2048;
const PLACEHOLDERS: [&str; 8] = [
    "token",
    "session",
    "game",
    "language",
    "currency",
    "device",
    "return_url",
    "mode",
];

impl Launch<'_> {
    fn value(&self, placeholder: &str) -> &str {
        match placeholder {
            "token" => self.token,
            "session" => self.session,
            "game" => self.game,
            "language" => self.language,
            "currency" => self.currency,
            "device" => self.device,
            "return_url" => self.return_url,
            "mode" => self.mode.as_str(),
            _ => "",
        }
    }

    /// The template with everything filled in.
    #[must_use]
    pub fn fill(&self, template: &str) -> String {
        let mut url = String::with_capacity(template.len() + 128);
        for (text, placeholder) in pieces(template) {
            url.push_str(text);
            url.push_str(&escape(self.value(placeholder)));
        }
        url
    }
}

/// Texts, each with the placeholder that follows it; the last has none.
fn pieces(template: &str) -> Vec<(&str, &str)> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once('{') {
        let Some((placeholder, after)) = after.split_once('}') else {
            break;
        };
        pieces.push((text, placeholder));
        rest = after;
    }
    pieces.push((rest, ""));
    pieces
}

/// Whether a template may be kept. The host is told in full: a token must not choose where it goes.
pub fn check(template: &str, has_demo: bool) -> Result<(), String> {
    if template.chars().count() > CHARS_MAX {
        return Err(format!("must have at most {CHARS_MAX} characters"));
    }
    let pieces = pieces(template);
    let (_, named) = pieces.split_last().unwrap_or((&("", ""), &[]));
    let names: Vec<&str> = named.iter().map(|(_, name)| *name).collect();
    if let Some(unknown) = names.iter().find(|name| !PLACEHOLDERS.contains(name)) {
        let shown: String = unknown.chars().take(40).collect();
        return Err(format!("there is no placeholder {{{shown}}}"));
    }
    let plain: String = pieces
        .iter()
        .map(|(text, name)| format!("{text}{}", if name.is_empty() { "" } else { "x" }))
        .collect();
    if plain.contains(['{', '}']) || !is_web_address(&plain) {
        return Err("must be an http or https URL with placeholders such as {token}".to_owned());
    }
    let path = template
        .split("://")
        .nth(1)
        .and_then(|rest| rest.find(['/', '?', '#']).map(|at| &rest[..at]));
    if path.is_none_or(|host| host.contains('{')) {
        return Err("must name its host in full, and have a path".to_owned());
    }
    if !names.contains(&"token") {
        return Err("must have the placeholder {token}".to_owned());
    }
    if has_demo && !names.contains(&"mode") {
        return Err("must have the placeholder {mode}, for the game has a demo".to_owned());
    }
    Ok(())
}

/// Whether a player may be sent back there.
pub fn check_return(url: &str) -> Result<(), String> {
    if url.len() <= RETURN_CHARS_MAX && is_web_address(url) {
        return Ok(());
    }
    Err(format!(
        "must be an http or https URL of at most {RETURN_CHARS_MAX} characters"
    ))
}

/// An http or https URL with a host, and without a user in it.
pub fn is_web_address(text: &str) -> bool {
    let has_scheme = text.starts_with("https://") || text.starts_with("http://");
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    let has_user = uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'));
    has_scheme && is_plain && has_host && !has_user
}

/// A text as a part of a path or a query.
#[must_use]
pub fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> Launch<'static> {
        Launch {
            token: "lt_test_a",
            session: "gs_1",
            game: "a/b c",
            language: "pt-BR",
            currency: "EUR",
            device: "mobile",
            return_url: "https://casino.example/?a=1&b=2",
            mode: Mode::Real,
        }
    }

    #[test]
    fn every_placeholder_is_filled_in_and_stays_in_its_place() {
        let template = "https://g.example/{game}?t={token}&s={session}&l={language}&c={currency}&d={device}&r={return_url}&m={mode}";
        check(template, true).unwrap();
        assert_eq!(
            launch().fill(template),
            "https://g.example/a%2Fb%20c?t=lt_test_a&s=gs_1&l=pt-BR&c=EUR&d=mobile\
             &r=https%3A%2F%2Fcasino.example%2F%3Fa%3D1%26b%3D2&m=real"
        );
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_is_not_filled_in() {
        let launch = Launch {
            language: "{token}",
            ..launch()
        };
        assert_eq!(
            launch.fill("https://g.example/{language}"),
            "https://g.example/%7Btoken%7D"
        );
    }

    #[test]
    fn a_template_that_would_not_work_or_would_give_the_token_away_is_refused() {
        for wrong in [
            "",
            "g.example/{token}",
            "ftp://g.example/{token}",
            "javascript:alert('{token}')",
            "https://{token}.g.example/",
            "https://g.example{token}/",
            "https://g.example:{token}/",
            "https://u:p@g.example/{token}",
            "https://g.example/",
            "https://g.example/{token",
            "https://g.example/{tokens}",
            "https://g.example/{}{token}",
            "https://g.example/a b?{token}",
            "https:///{token}",
        ] {
            assert!(check(wrong, false).is_err(), "{wrong}");
        }
        assert!(
            check("https://g.example/{token}", true).is_err(),
            "a demo needs the mode"
        );
        check("http://localhost:3000/?{token}", false).unwrap();
    }

    #[test]
    fn a_player_comes_back_to_a_web_page() {
        check_return("https://casino.example/lobby?x=1#top").unwrap();
        for wrong in [
            "",
            "/lobby",
            "javascript:alert(1)",
            "https://",
            "https://u@h/",
            "http://a b/",
        ] {
            assert!(check_return(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_game_id_stays_one_segment() {
        assert_eq!(escape("dice"), "dice");
        assert_eq!(escape("a/b?c d%ü"), "a%2Fb%3Fc%20d%25%C3%BC");
    }
}
