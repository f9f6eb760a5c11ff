//! From a byte offset to the path of the value there. Only runs when parsing has already failed.

/// A level of nesting on the way to a value.
enum Level {
    Object { key: String },
    Array { index: usize },
}

/// The path of the innermost value that holds the byte before `offset`, such as
/// `messages[2].content`. Reads what is there and gives up quietly on what is not JSON.
pub(super) fn path_at(body: &[u8], offset: usize) -> String {
    let consumed = &body[..offset.min(body.len())];
    let mut levels: Vec<Level> = Vec::new();
    // A key counts from its colon on: until then the place is the object itself.
    let mut pending_key: Option<String> = None;
    let mut position = 0;
    while position < consumed.len() {
        match consumed[position] {
            b'"' => {
                let end = string_end(consumed, position);
                pending_key =
                    Some(String::from_utf8_lossy(&consumed[position + 1..end]).into_owned());
                position = end;
            }
            b':' => {
                if let (Some(Level::Object { key }), Some(name)) =
                    (levels.last_mut(), pending_key.take())
                {
                    *key = name;
                }
            }
            b'{' => levels.push(Level::Object { key: String::new() }),
            b'[' => levels.push(Level::Array { index: 0 }),
            b'}' | b']' => {
                levels.pop();
            }
            b',' => match levels.last_mut() {
                Some(Level::Array { index }) => *index += 1,
                Some(Level::Object { key }) => key.clear(),
                None => {}
            },
            _ => {}
        }
        position += 1;
    }
    // A container that just opened is itself the value, unless the parser stopped before its
    // first element, which it does not step into when it is a container of the wrong kind.
    let before_first = || {
        let next = body[consumed.len()..].trim_ascii_start().first();
        consumed.ends_with(b"[") && matches!(next, Some(b'{' | b'['))
    };
    if matches!(consumed.last(), Some(b'{' | b'[')) && !before_first() {
        levels.pop();
    }
    write_path(&levels)
}

/// The index of the quote that closes the string opened at `start`, or the end of input.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut position = start + 1;
    while position < bytes.len() {
        match bytes[position] {
            b'"' => return position,
            b'\\' => position += 2,
            _ => position += 1,
        }
    }
    bytes.len()
}

fn write_path(levels: &[Level]) -> String {
    let mut path = String::new();
    for level in levels {
        match level {
            Level::Object { key } if key.is_empty() => {}
            Level::Object { key } => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.extend(key.chars().take(64));
            }
            Level::Array { index } => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_value_that_was_just_read() {
        let body = br#"{"a":1,"b":[{"c":"x,]"},{"d":[2,3]}],"e":{}}"#;
        for (until, path) in [
            (r#"{"a":1"#, "a"),
            (r#"{"a":1,"b":["#, "b[0]"),
            (r#"{"a":1,"b":[{"c":"x,]"},{"d":["#, "b[1].d"),
            (r#"{"a":1,"b":[{"c":"x,]""#, "b[0].c"),
            (r#"{"a":1,"b":[{"c":"x,]"}"#, "b[0]"),
            (r#"{"a":1,"b":[{"c":"x,]"},{"d":[2,3"#, "b[1].d[1]"),
            (r#"{"a":1,"b":[{"c":"x,]"},{"d":[2,3]}],"e""#, ""),
            (r#"{"a":1,"b":[{"c":"x,]"},{"d":[2,3]}],"e":{"#, "e"),
        ] {
            assert_eq!(path_at(body, until.len()), path, "{until}");
        }
    }

    #[test]
    fn survives_what_is_not_json() {
        assert_eq!(path_at(b"\"abc\\", 5), "");
        assert_eq!(path_at(b"]]]}", 4), "");
        assert_eq!(path_at(b"", 7), "");
    }
}
