//! Rust text told apart: code, comments, literals, and which of it is tests. Not a parser; enough
//! to look for words without being fooled by a string or a comment.

use std::ops::Range;

/// One file. Positions are byte offsets into its text.
pub(crate) struct RustSource<'a> {
    text: &'a str,
    /// The text with everything inside comments and literals blanked out; quotes are left.
    code: String,
    comments: Vec<Range<usize>>,
    literals: Vec<Range<usize>>,
    tests: Vec<Range<usize>>,
}

impl<'a> RustSource<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let (comments, literals) = Lexer {
            bytes: text.as_bytes(),
            at: 0,
        }
        .run();
        let mut code = text.as_bytes().to_vec();
        for comment in &comments {
            blank(&mut code[comment.clone()]);
        }
        for literal in &literals {
            blank(&mut code[literal.clone()]);
            code[literal.start] = b'"';
            code[literal.end - 1] = b'"';
        }
        let code = String::from_utf8_lossy(&code).into_owned();
        let tests = test_items(&code);
        Self {
            text,
            code,
            comments,
            literals,
            tests,
        }
    }

    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// Whether the position is inside an item that only tests see.
    pub(crate) fn is_test(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }

    pub(crate) fn line(&self, at: usize) -> usize {
        1 + self.text.as_bytes()[..at]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
    }

    pub(crate) fn comments(&self) -> impl Iterator<Item = (usize, &'a str)> {
        self.comments
            .iter()
            .map(|range| (range.start, &self.text[range.clone()]))
    }

    /// The first literal that starts inside `range` right behind one of `behind`.
    pub(crate) fn literal_behind(&self, range: Range<usize>, behind: &[u8]) -> Option<&'a str> {
        let inside = self
            .literals
            .iter()
            .filter(|literal| range.contains(&literal.start));
        for literal in inside {
            let before = self.code[..literal.start].trim_end().as_bytes().last();
            if before.is_some_and(|byte| behind.contains(byte)) {
                let quoted = &self.text[literal.clone()];
                return Some(
                    quoted
                        .trim_start_matches(['b', 'r', 'c', '#'])
                        .trim_matches('"'),
                );
            }
        }
        None
    }

    /// Where `word` stands in code as a word of its own.
    pub(crate) fn find_word(&self, word: &str) -> Vec<usize> {
        find_word(&self.code, word)
    }

    /// From the opening bracket at `open` to its partner.
    pub(crate) fn bracketed(&self, open: usize) -> Range<usize> {
        open..matching_bracket(self.code.as_bytes(), open)
    }
}

/// Where `word` stands in `text` with no letter, digit or underscore touching its ends.
pub(crate) fn find_word(text: &str, word: &str) -> Vec<usize> {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = text.as_bytes();
    let (first, last) = (word.as_bytes()[0], word.as_bytes()[word.len() - 1]);
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(|at| !is_inside(first) || *at == 0 || !is_inside(bytes[at - 1]))
        .filter(|at| {
            let end = at + word.len();
            !is_inside(last) || end == bytes.len() || !is_inside(bytes[end])
        })
        .collect()
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

fn matching_bracket(code: &[u8], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    for attribute in ["#[cfg(test)]", "#[cfg(all(test", "#[test]", "#[tokio::test"] {
        for (start, _) in code.match_indices(attribute) {
            let after = matching_bracket(code.as_bytes(), start + 1);
            let body = code[after..].find(['{', ';']).map(|offset| after + offset);
            match body {
                Some(at) if code.as_bytes()[at] == b'{' => {
                    items.push(start..matching_bracket(code.as_bytes(), at));
                }
                _ => {}
            }
        }
    }
    items
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Lexer<'_> {
    fn run(mut self) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
        let (mut comments, mut literals) = (Vec::new(), Vec::new());
        while self.at < self.bytes.len() {
            let start = self.at;
            if self.rest().starts_with(b"//") {
                self.line_comment();
                comments.push(start..self.at);
            } else if self.rest().starts_with(b"/*") {
                self.block_comment();
                comments.push(start..self.at);
            } else if self.raw_string() || self.string() || self.character() {
                literals.push(start..self.at);
            } else {
                self.at += 1;
            }
        }
        (comments, literals)
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    fn line_comment(&mut self) {
        let length = self.rest().iter().position(|byte| *byte == b'\n');
        self.at += length.unwrap_or(self.rest().len());
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            if self.rest().starts_with(b"/*") {
                depth += 1;
                self.at += 2;
            } else if self.rest().starts_with(b"*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                self.at += 1;
            }
        }
    }

    /// `r"…"`, `r#"…"#` and so on; the letter may follow a `b` or `c`.
    fn raw_string(&mut self) -> bool {
        let inside_word = self.at > 0 && self.bytes[self.at - 1].is_ascii_alphanumeric();
        let after_prefix = self.at > 0 && matches!(self.bytes[self.at - 1], b'b' | b'c');
        if self.bytes[self.at] != b'r' || (inside_word && !after_prefix) {
            return false;
        }
        let hashes = self.rest()[1..]
            .iter()
            .take_while(|byte| **byte == b'#')
            .count();
        if self.rest().get(1 + hashes) != Some(&b'"') {
            return false;
        }
        let mut end = vec![b'"'];
        end.resize(1 + hashes, b'#');
        let body = self.at + 2 + hashes;
        let length = self.bytes[body..]
            .windows(end.len())
            .position(|window| window == end);
        self.at = length.map_or(self.bytes.len(), |length| body + length + end.len());
        true
    }

    fn string(&mut self) -> bool {
        if self.bytes[self.at] != b'"' {
            return false;
        }
        self.at += 1;
        self.until_unescaped(b'"');
        true
    }

    /// A character, but not a lifetime: `'a'` and `'\n'`, not `'a`.
    fn character(&mut self) -> bool {
        if self.bytes[self.at] != b'\'' {
            return false;
        }
        let is_escape = self.rest().get(1) == Some(&b'\\');
        // A character is at most four bytes long.
        let quote = (2..=5).find(|offset| self.rest().get(*offset) == Some(&b'\''));
        let is_one = quote.is_some_and(|offset| {
            std::str::from_utf8(&self.rest()[1..offset]).is_ok_and(|text| text.chars().count() == 1)
        });
        if !is_escape && !is_one {
            return false;
        }
        self.at += 1;
        self.until_unescaped(b'\'');
        true
    }

    fn until_unescaped(&mut self, end: u8) {
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b'\\' => self.at = (self.at + 2).min(self.bytes.len()),
                byte => {
                    self.at += 1;
                    if byte == end {
                        return;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_comments_and_literals_are_not_code() {
        let source = RustSource::new(
            "let a = \"word \\\" word\"; // word\n/* word /* word */ word */ let b = r#\"word\"#;\n\
             let c: &'word str = word('\"', '\\'', 'w', b\"word\", br\"word\");\n",
        );
        assert_eq!(source.find_word("word").len(), 2, "{}", source.code());
        assert_eq!(source.comments().count(), 2);
        assert_eq!(source.code().lines().count(), 3);
    }

    #[test]
    fn words_stand_alone() {
        assert_eq!(find_word("f64 xf64 f64x f64_ (f64)", "f64"), [0, 20]);
        assert_eq!(find_word("a.unwrap() a.unwrap_or()", ".unwrap()"), [1]);
    }

    #[test]
    fn items_for_tests_are_known() {
        let source = RustSource::new(
            "fn real() { word(); }\n#[cfg(test)]\nmod tests { fn a() { word(\"}\") } }\nfn word() {}\n\
             #[test]\nfn b() { word() }\n",
        );
        let in_tests: Vec<bool> = source
            .find_word("word")
            .into_iter()
            .map(|at| source.is_test(at))
            .collect();
        assert_eq!(in_tests, [false, true, false, true]);
    }

    #[test]
    fn the_message_is_the_literal_behind_a_comma_or_bracket() {
        let text = "warn!(error = &e as &dyn E, kind = \"X\", \"the message\", extra = 1)";
        let source = RustSource::new(text);
        let inside = source.bracketed(text.find('(').expect("there is one"));
        assert_eq!(source.literal_behind(inside, b"(,"), Some("the message"));
    }
}
