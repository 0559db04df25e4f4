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

/// JSON as it came, with a space after each comma, broken into lines after commas; long ids are shortened.
pub(super) fn reflow(json: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in pieces(json) {
        let full = lines.last().map_or(0, |line| line.chars().count());
        if full > 0 && full + piece.trim_end().chars().count() > width {
            // One column further in, below the first field.
            lines.push(" ".to_owned());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(&piece);
        }
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// Cuts after each comma that is not inside a text.
fn pieces(json: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut rest = json.chars();
    while let Some(char) = rest.next() {
        match char {
            '"' => piece.push_str(&format!("\"{}\"", shorten(&string(&mut rest)))),
            ',' => {
                piece.push_str(", ");
                pieces.push(std::mem::take(&mut piece));
            }
            ':' => piece.push_str(": "),
            char if char.is_whitespace() => {}
            char => piece.push(char),
        }
    }
    pieces.push(piece);
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

/// The two ends of a long id or token. Texts for people, which have spaces, stay whole.
pub(super) fn shorten(text: &str) -> String {
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
        let narrow = reflow(json, 30);
        assert_eq!(
            narrow,
            [
                r#"{"z": 1, "a": "x, \"y\": z","#,
                r#" "list": [1, {"b": null}],"#,
                r#" "last": true}"#
            ]
        );
    }

    #[test]
    fn a_long_id_shows_its_two_ends_and_a_long_sentence_stays() {
        let id = format!("tx_{}", "0123456789abcdef".repeat(2));
        assert_eq!(shorten(&id), "tx_012345678…cdef");
        let sentence = "the same id came before with other data, and nothing was moved";
        assert_eq!(shorten(sentence), sentence);
    }

    #[test]
    fn anything_at_all_can_be_shown() {
        for text in ["", "\"", "\"\\", "{", "<html>", ",,,", "ünïcødé"] {
            assert!(!reflow(text, 10).is_empty());
        }
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    }
}
