//! A form, said as the call to the API that does the same.

use std::fmt::Write as _;

use serde_json::Value;

/// A call to the JSON API. The key stands in the reader's environment, never here.
#[derive(Debug, Clone)]
pub(crate) struct ApiCall {
    url: String,
    method: &'static str,
    body: Option<Value>,
}

/// Where the reader keeps the key.
const KEY: &str = "SWITCHYARD_API_KEY";

impl ApiCall {
    /// A call without a body. `path` begins behind `/api/v1`.
    pub(crate) fn new(public_url: &str, method: &'static str, path: &str) -> Self {
        Self {
            url: format!("{public_url}/api/v1{path}"),
            method,
            body: None,
        }
    }

    /// The same with a body.
    pub(crate) fn with_body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Language and text, for `code_tabs`.
    pub(crate) fn snippets(&self) -> Vec<(&'static str, String)> {
        vec![
            ("curl", self.curl()),
            ("Python", self.python()),
            ("TypeScript", self.typescript()),
        ]
    }

    fn json(&self) -> Option<String> {
        let body = self.body.as_ref()?;
        Some(serde_json::to_string_pretty(body).unwrap_or_default())
    }

    fn curl(&self) -> String {
        let mut text = String::from("curl ");
        if self.method != "GET" {
            let _ = write!(text, "-X {} ", self.method);
        }
        let _ = write!(
            text,
            "{} \\\n  -H \"Authorization: Bearer ${KEY}\"",
            shell_quoted(&self.url)
        );
        if let Some(json) = self.json() {
            let _ = write!(
                text,
                " \\\n  -H 'Content-Type: application/json' \\\n  -d {}",
                shell_quoted(&json)
            );
        }
        text
    }

    fn python(&self) -> String {
        let mut text = format!(
            "import os, requests\n\nresponse = requests.{method}(\n    {url},\n    headers={{\"Authorization\": f\"Bearer {{os.environ['{KEY}']}}\"}},\n",
            method = self.method.to_lowercase(),
            url = quoted(&self.url),
        );
        if let Some(body) = &self.body {
            let _ = writeln!(text, "    json={},", python(body, 4));
        }
        text.push_str(")\nresponse.raise_for_status()\nprint(response.json())");
        text
    }

    fn typescript(&self) -> String {
        let mut text = format!("const response = await fetch({}, {{\n", quoted(&self.url));
        if self.method != "GET" {
            let _ = writeln!(text, "  method: {},", quoted(self.method));
        }
        let _ = write!(
            text,
            "  headers: {{\n    Authorization: `Bearer ${{process.env.{KEY}}}`,\n"
        );
        if self.body.is_some() {
            text.push_str("    \"Content-Type\": \"application/json\",\n");
        }
        text.push_str("  },\n");
        if let Some(json) = self.json() {
            let _ = writeln!(
                text,
                "  body: JSON.stringify({}),",
                json.replace('\n', "\n  ")
            );
        }
        text.push_str("});\nconsole.log(await response.json());");
        text
    }
}

/// One word for a shell, whatever is in it.
fn shell_quoted(text: &str) -> String {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/:.-_".contains(&byte));
    if is_plain {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A string in JSON, which Python and TypeScript read the same.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A value as Python writes it.
fn python(value: &Value, indent: usize) -> String {
    let (inner, outer) = (" ".repeat(indent + 4), " ".repeat(indent));
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(_) | Value::String(_) => value.to_string(),
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Array(items) => {
            let lines = items
                .iter()
                .map(|item| format!("{inner}{},\n", python(item, indent + 4)));
            format!("[\n{}{outer}]", lines.collect::<String>())
        }
        Value::Object(fields) => {
            let lines = fields.iter().map(|(name, item)| {
                format!("{inner}{}: {},\n", quoted(name), python(item, indent + 4))
            });
            format!("{{\n{}{outer}}}", lines.collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_reads_the_same_in_every_language() {
        let call = ApiCall::new("http://localhost:8080", "POST", "/keys")
            .with_body(json!({"name": "it's mine", "limit": 5, "disabled": false, "tags": []}));
        let [curl, python, typescript] = &call.snippets()[..] else {
            panic!("three languages");
        };
        assert!(
            curl.1
                .contains("curl -X POST http://localhost:8080/api/v1/keys"),
            "{}",
            curl.1
        );
        assert!(curl.1.contains(r"it'\''s mine"), "{}", curl.1);
        assert!(python.1.contains("\"disabled\": False,"), "{}", python.1);
        assert!(python.1.contains("\"tags\": [],"), "{}", python.1);
        assert!(
            typescript.1.contains("method: \"POST\""),
            "{}",
            typescript.1
        );
    }

    #[test]
    fn a_call_without_a_body_sends_none() {
        let call = ApiCall::new("http://localhost:8080", "GET", "/keys?offset=100");
        for (_, text) in call.snippets() {
            assert!(
                !text.contains("json") || text.contains("response.json()"),
                "{text}"
            );
            assert!(!text.contains("Content-Type"), "{text}");
        }
        assert!(
            call.curl()
                .contains("'http://localhost:8080/api/v1/keys?offset=100'")
        );
    }
}
