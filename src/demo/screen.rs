//! What the visitor sees, and the count of what was as expected.

use std::io::{self, IsTerminal, Write};

use super::text::{reflow, shorten, wrap};

const WIDTH: usize = 100;
/// Lines of one body.
const BODY_LINES_MAX: usize = 12;
/// Lines of a page of a list, whose rows are all alike.
const LIST_LINES_MAX: usize = 4;

#[derive(Clone, Copy)]
pub(super) enum Style {
    Bold,
    Dim,
    Good,
    Bad,
    Accent,
}

/// One expectation and whether it was met.
pub(super) struct Check {
    pub met: bool,
    pub text: String,
}

impl Check {
    pub fn new(met: bool, text: impl Into<String>) -> Self {
        Self {
            met,
            text: text.into(),
        }
    }

    /// A sentence that should be true.
    pub fn so(met: bool, text: &str) -> Self {
        let told = if met { "" } else { "not so: " };
        Self::new(met, format!("{told}{text}"))
    }

    /// Says what was found when it is not what was expected.
    pub fn equal(name: &str, found: &str, expected: &str) -> Self {
        if found == expected {
            return Self::new(true, format!("{name} {}", shorten(expected)));
        }
        Self::new(
            false,
            format!("{name} is {found}, and should be {expected}"),
        )
    }
}

pub(super) struct Screen {
    out: Box<dyn Write + Send>,
    colour: bool,
    /// The heading of the present step, under which what was missed is told again at the end.
    heading: String,
    met: usize,
    missed: Vec<String>,
}

impl Screen {
    /// Colour for a terminal only, and not against the visitor's wish (no-color.org).
    pub fn stdout() -> Self {
        let stdout = io::stdout();
        let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self::new(Box::new(stdout), colour)
    }

    pub fn new(out: Box<dyn Write + Send>, colour: bool) -> Self {
        Self {
            out,
            colour,
            heading: String::new(),
            met: 0,
            missed: Vec::new(),
        }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match style {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Good => "32",
            Style::Bad => "1;31",
            Style::Accent => "36",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    fn line(&mut self, indent: usize, style: Option<Style>, text: &str) -> io::Result<()> {
        let painted = match style {
            Some(style) => self.paint(style, text),
            None => text.to_owned(),
        };
        writeln!(self.out, "{:indent$}{painted}", "")
    }

    pub fn title(&mut self, title: &str, subtitle: &str) -> io::Result<()> {
        self.line(0, Some(Style::Bold), title)?;
        self.line(0, Some(Style::Dim), subtitle)?;
        self.line(0, None, "")
    }

    pub fn paragraph(&mut self, text: &str) -> io::Result<()> {
        for line in wrap(text, WIDTH) {
            self.line(0, None, &line)?;
        }
        Ok(())
    }

    /// A step's heading, and why it is there.
    pub fn step(&mut self, number: usize, title: &str, why: &str) -> io::Result<()> {
        self.heading = format!("step {number}, {title}");
        self.line(0, None, "")?;
        let mut heading = format!("{number:>2}  {title} ");
        let rule = WIDTH.saturating_sub(heading.chars().count());
        heading.push_str(&"─".repeat(rule));
        self.line(0, Some(Style::Bold), &heading)?;
        for line in wrap(why, WIDTH - 4) {
            self.line(4, None, &line)?;
        }
        Ok(())
    }

    /// A section at the end, without a number.
    pub fn section(&mut self, title: &str, why: &str) -> io::Result<()> {
        self.line(0, None, "")?;
        self.heading = title.to_owned();
        self.line(0, Some(Style::Bold), title)?;
        for line in wrap(why, WIDTH - 4) {
            self.line(4, None, &line)?;
        }
        Ok(())
    }

    pub fn request(&mut self, line: &str, note: &str, body: Option<&str>) -> io::Result<()> {
        let arrow = self.paint(Style::Accent, &format!("→ {line}"));
        let note = self.paint(Style::Dim, note);
        self.line(4, None, &format!("{arrow}  {note}"))?;
        body.map_or(Ok(()), |body| self.body(body))
    }

    pub fn answer(&mut self, line: &str, body: &str) -> io::Result<()> {
        self.line(4, Some(Style::Accent), &format!("← {line}"))?;
        self.body(body)
    }

    fn body(&mut self, json: &str) -> io::Result<()> {
        let lines = reflow(json, WIDTH - 6);
        let max = match json.starts_with(r#"{"data":["#) {
            true => LIST_LINES_MAX,
            false => BODY_LINES_MAX,
        };
        for line in lines.iter().take(max) {
            self.line(6, None, line)?;
        }
        match lines.len().saturating_sub(max) {
            0 => Ok(()),
            more => self.line(6, Some(Style::Dim), &format!(" … {more} more lines")),
        }
    }

    /// What came over a channel, a line each.
    pub fn heard(&mut self, channel: &str, lines: &[String]) -> io::Result<()> {
        for (index, line) in lines.iter().enumerate() {
            let name = if index == 0 { channel } else { "" };
            let name = self.paint(Style::Accent, &format!("{name:<9}"));
            self.line(4, None, &format!("{name}  {line}"))?;
        }
        Ok(())
    }

    /// Marks expectations: those that were met side by side, each other one on a line of its own.
    pub fn checks(&mut self, checks: &[Check]) -> io::Result<()> {
        let mut rows: Vec<Vec<&str>> = Vec::new();
        let mut width = WIDTH;
        for check in checks.iter().filter(|check| check.met) {
            let needed = check.text.chars().count() + 5;
            if width + needed > WIDTH {
                rows.push(Vec::new());
                width = 4;
            }
            width += needed;
            if let Some(row) = rows.last_mut() {
                row.push(&check.text);
            }
        }
        for row in rows {
            let mark = self.paint(Style::Good, "✓");
            let marked: Vec<_> = row.iter().map(|text| format!("{mark} {text}")).collect();
            self.line(4, None, &marked.join("   "))?;
        }
        self.met += checks.iter().filter(|check| check.met).count();
        for check in checks.iter().filter(|check| !check.met) {
            self.missed(&check.text)?;
        }
        Ok(())
    }

    pub fn missed(&mut self, text: &str) -> io::Result<()> {
        self.missed.push(format!("{}: {text}", self.heading));
        self.cross(text)
    }

    fn cross(&mut self, text: &str) -> io::Result<()> {
        for (index, line) in wrap(text, WIDTH - 6).iter().enumerate() {
            let mark = if index == 0 { "✗" } else { " " };
            self.line(4, Some(Style::Bad), &format!("{mark} {line}"))?;
        }
        Ok(())
    }

    pub fn audit(&mut self, holds: bool, text: &str) -> io::Result<()> {
        self.section(
            "The audit",
            "All balances of all players, recomputed from the ledger.",
        )?;
        for line in text.lines() {
            self.line(4, None, line)?;
        }
        self.checks(&[Check::so(holds, "the ledger's invariants hold")])
    }

    /// The end. Returns whether everything was as expected.
    pub fn summary(&mut self) -> io::Result<bool> {
        self.line(0, None, "")?;
        let missed = std::mem::take(&mut self.missed);
        if missed.is_empty() {
            let text = format!("All as expected: {} of {} checks.", self.met, self.met);
            self.line(0, Some(Style::Good), &text)?;
            self.paragraph(
                "A repeated, reordered or refused call moved nothing twice, and everyone saw the same. Run it \
                 again: each run is a new player. The calls themselves are in docs/callbacks.md.",
            )?;
        } else {
            let all = self.met + missed.len();
            let text = format!("NOT as expected: {} of {all} checks.", missed.len());
            self.line(0, Some(Style::Bad), &text)?;
            for text in &missed {
                self.cross(text)?;
            }
        }
        self.out.flush()?;
        Ok(missed.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Paper {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let paper = Paper::default();
        let mut screen = Screen::new(Box::new(paper.clone()), false);
        let long = "word ".repeat(60);
        screen.step(3, "A step", &long).unwrap();
        let json = format!("[{}]", vec!["\"0123456789\""; 200].join(","));
        screen.request("POST /x", "signed", Some(&json)).unwrap();
        let checks: Vec<_> = (0..20)
            .map(|number| Check::equal("value", &number.to_string(), &number.to_string()))
            .collect();
        screen.checks(&checks).unwrap();
        screen.missed(&long).unwrap();
        screen.summary().unwrap();
        for line in paper.text().lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn one_missed_expectation_is_told_again_and_fails_the_whole() {
        let paper = Paper::default();
        let mut screen = Screen::new(Box::new(paper.clone()), false);
        screen.step(3, "A bet", "why").unwrap();
        screen
            .checks(&[
                Check::new(true, "fine"),
                Check::equal("status", "500", "200"),
            ])
            .unwrap();
        assert!(!screen.summary().unwrap());
        let text = paper.text();
        assert!(text.contains("✓ fine"), "{text}");
        let told = "step 3, A bet: status is 500, and should be 200";
        assert!(text.contains(told), "{text}");
        assert!(text.contains("1 of 2 checks"), "{text}");
        assert!(!text.contains('\x1b'), "{text}");
    }
}
