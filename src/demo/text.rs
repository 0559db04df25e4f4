//! Texts for a terminal: JSON in few short lines, paragraphs, and request bodies in the order of the manual.

use serde_json::Value;

/// Ids and tokens from this length on are shown by their two ends. A problem's `type` still fits.
const SHOWN_CHARS_MAX: usize = 34;

/// A flat JSON object whose fields stay in the order in which they are given.
#[derive(Default)]
pub(super) struct Body(String);

impl Body {
    pub fn text(self, name: &str, value: &str) -> Self {
        self.value(name, &Value::from(value).to_string())
    }

    pub fn flag(self, name: &str, value: bool) -> Self {
        self.value(name, &value.to_string())
    }

    pub fn list(self, name: &str, items: &[Self]) -> Self {
        let items: Vec<_> = items.iter().map(Self::json).collect();
        self.value(name, &format!("[{}]", items.join(",")))
    }

    fn value(mut self, name: &str, json: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(&format!("{}:{json}", Value::from(name)));
        self
    }

    pub fn json(&self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// JSON as it came, with a space after each comma and long ids shortened, broken into lines after commas:
/// after outer ones first, so that a small object stays together.
pub(super) fn reflow(json: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    fill(&mut lines, &pieces(json), 1, width);
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// A part of a JSON text up to a comma, and how deep that comma lies.
struct Piece {
    text: String,
    depth: usize,
}

fn fill(lines: &mut Vec<String>, pieces: &[Piece], level: usize, width: usize) {
    for group in pieces.split_inclusive(|piece| piece.depth <= level) {
        let text: String = group.iter().map(|piece| piece.text.as_str()).collect();
        let chars = text.trim_end().chars().count();
        let full = lines.last().map_or(0, |line| line.chars().count());
        if full + chars > width && full > 1 {
            // One column further in, below the first field.
            lines.push(" ".to_owned());
        }
        if chars < width {
            push(lines, &text);
        } else if group.len() > 1 {
            fill(lines, group, level + 1, width);
        } else {
            // One long text: it is broken between its words.
            for (index, words) in wrap(&text, width - 1).iter().enumerate() {
                if index > 0 {
                    lines.push("   ".to_owned());
                }
                push(lines, words);
            }
            push(lines, " ");
        }
    }
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

/// Cuts after each comma that is not inside a text.
fn pieces(json: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut depth: usize = 0;
    let mut rest = json.chars();
    while let Some(char) = rest.next() {
        match char {
            '"' => text.push_str(&format!("\"{}\"", shorten(&string(&mut rest)))),
            ',' => {
                text.push_str(", ");
                let text = std::mem::take(&mut text);
                pieces.push(Piece { text, depth });
            }
            ':' => text.push_str(": "),
            char if char.is_whitespace() => {}
            char => {
                match char {
                    '{' | '[' => depth += 1,
                    '}' | ']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                text.push(char);
            }
        }
    }
    pieces.push(Piece { text, depth: 0 });
    pieces
}

/// The rest of a JSON string, as it is written, without its closing quote.
fn string(rest: &mut std::str::Chars<'_>) -> String {
    let mut text = String::new();
    while let Some(char) = rest.next() {
        match char {
            '"' => break,
            '\\' => {
                text.push(char);
                text.extend(rest.next());
            }
            char => text.push(char),
        }
    }
    text
}

/// The two ends of a long id or token. Texts for people, which have spaces, stay whole, and so does a URL up
/// to the token in it.
pub(super) fn shorten(text: &str) -> String {
    if let Some((url, token)) = text.split_once('=') {
        return format!("{url}={}", shorten(token));
    }
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= SHOWN_CHARS_MAX || text.contains(' ') {
        return text.to_owned();
    }
    let head: String = chars[..12].iter().collect();
    let tail: String = chars[chars.len() - 4..].iter().collect();
    format!("{head}…{tail}")
}

/// Breaks a paragraph between its words.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let full = lines.last().map_or(0, |line| line.chars().count());
        if full > 0 && full + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// A number in few characters: base 36.
pub(super) fn short_number(number: i64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut rest = usize::try_from(number).unwrap_or_default();
    let mut digits = Vec::new();
    loop {
        digits.push(char::from(DIGITS[rest % DIGITS.len()]));
        rest /= DIGITS.len();
        if rest == 0 {
            return digits.iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_keeps_the_order_of_its_fields() {
        let action = Body::default().text("type", "bet").text("amount", "5.00");
        let body = Body::default()
            .text("player", "a\"b")
            .list("actions", &[action])
            .flag("round_closed", true);
        let expected =
            r#"{"player":"a\"b","actions":[{"type":"bet","amount":"5.00"}],"round_closed":true}"#;
        assert_eq!(body.json(), expected);
    }

    #[test]
    fn json_keeps_its_order_and_its_texts_and_fits_the_width() {
        let json = r#"{"z":1,"a":"x, \"y\": z","list":[1,{"b":null}],"last":true}"#;
        assert_eq!(
            reflow(json, 200),
            [r#"{"z": 1, "a": "x, \"y\": z", "list": [1, {"b": null}], "last": true}"#]
        );
        assert_eq!(
            reflow(json, 30),
            [
                r#"{"z": 1, "a": "x, \"y\": z","#,
                r#" "list": [1, {"b": null}],"#,
                r#" "last": true}"#
            ]
        );
    }

    #[test]
    fn a_long_text_is_broken_between_its_words() {
        let json = r#"{"a":1,"detail":"not that of this path","b":2}"#;
        assert_eq!(
            reflow(json, 20),
            [
                r#"{"a": 1,"#,
                r#" "detail": "not that"#,
                r#"   of this path","#,
                r#" "b": 2}"#
            ]
        );
    }

    #[test]
    fn a_small_object_stays_together_and_a_large_one_is_broken() {
        let json = r#"{"a":1,"b":{"c":2,"d":3},"e":[{"f":4,"g":5},{"f":6,"g":7}]}"#;
        assert_eq!(
            reflow(json, 24),
            [
                r#"{"a": 1,"#,
                r#" "b": {"c": 2, "d": 3},"#,
                r#" "e": [{"f": 4, "g": 5},"#,
                r#" {"f": 6, "g": 7}]}"#
            ]
        );
    }

    #[test]
    fn a_long_id_shows_its_two_ends_and_a_long_sentence_stays() {
        let id = format!("tx_{}", "0123456789abcdef".repeat(2));
        assert_eq!(shorten(&id), "tx_012345678…cdef");
        let url = format!("http://127.0.0.1:8080/games/dice?token={id}");
        let shown = "http://127.0.0.1:8080/games/dice?token=tx_012345678…cdef";
        assert_eq!(shorten(&url), shown);
        let sentence = "the same id came before with other data, and nothing was moved";
        assert_eq!(shorten(sentence), sentence);
    }

    #[test]
    fn anything_at_all_can_be_shown() {
        for text in ["", "\"", "\"\\", "{", "<html>", ",,,", "ünïcødé"] {
            assert!(!reflow(text, 10).is_empty());
        }
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!([0, 35, 36].map(short_number), ["0", "z", "10"]);
    }
}
