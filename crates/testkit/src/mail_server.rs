//! A mail server that keeps what it is given.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::wait;

const PATIENCE: Duration = Duration::from_secs(30);

/// A mail as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// Whom it is for.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// What it says.
    pub text: String,
}

impl ReceivedMail {
    /// The path of the first link in it that goes below `prefix`, such as `/verify/`.
    ///
    /// # Panics
    /// When there is none.
    pub fn path(&self, prefix: &str) -> String {
        let lines = self.text.lines().filter(|line| line.starts_with("http"));
        let paths = lines.filter_map(|line| {
            let at = line.match_indices('/').nth(2)?.0;
            line[at..]
                .starts_with(prefix)
                .then(|| line[at..].to_owned())
        });
        let found = paths.into_iter().next();
        found.unwrap_or_else(|| panic!("no {prefix} in {}", self.text))
    }
}

/// A server on this machine. It ends with the value.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    mails: Arc<Mutex<Vec<ReceivedMail>>>,
    _conversations: JoinSet<()>,
}

impl MailServer {
    /// Starts one.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&mails);
        let mut conversations = JoinSet::new();
        conversations.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                open.spawn(async move {
                    // A client that leaves has said what it wanted.
                    let _ = converse(stream, &kept).await;
                });
            }
        });
        Self {
            address,
            mails,
            _conversations: conversations,
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The mails to an address, oldest first.
    pub fn mails_to(&self, address: &str) -> Vec<ReceivedMail> {
        let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = mails.iter().filter(|mail| mail.to == address);
        theirs.cloned().collect()
    }

    /// Waits for a mail with this subject.
    ///
    /// # Panics
    /// When none comes.
    pub async fn mail(&self, address: &str, subject: &str) -> ReceivedMail {
        wait::until(format!("{subject} to {address}"), PATIENCE, || async {
            let mails = self.mails_to(address);
            mails.into_iter().rev().find(|mail| mail.subject == subject)
        })
        .await
    }
}

async fn converse(stream: TcpStream, kept: &Mutex<Vec<ReceivedMail>>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 ready\r\n").await?;
    let mut to = String::new();
    while let Some(line) = lines.next_line().await? {
        if let Some(address) = line.strip_prefix("RCPT TO:<") {
            address.trim_end_matches('>').clone_into(&mut to);
        }
        if line == "DATA" {
            writer.write_all(b"354 go on\r\n").await?;
            let mut raw = Vec::new();
            while let Some(line) = lines.next_line().await? {
                if line == "." {
                    break;
                }
                raw.push(line);
            }
            let mut mails = kept.lock().unwrap_or_else(PoisonError::into_inner);
            mails.push(read(&to, &raw));
        }
        let answer: &[u8] = if line == "QUIT" {
            b"221 bye\r\n"
        } else {
            b"250 yes\r\n"
        };
        writer.write_all(answer).await?;
    }
    Ok(())
}

/// Headers, an empty line, the text.
fn read(to: &str, raw: &[String]) -> ReceivedMail {
    let end = raw.iter().position(String::is_empty).unwrap_or(raw.len());
    let (headers, body) = raw.split_at(end);
    let header = |name: &str| {
        let mut values = headers.iter().filter_map(|line| line.strip_prefix(name));
        values.next().unwrap_or_default()
    };
    let text = body.join("\n");
    let is_quoted = header("Content-Transfer-Encoding: ") == "quoted-printable";
    let text = if is_quoted { unquoted(&text) } else { text };
    ReceivedMail {
        to: to.to_owned(),
        subject: header("Subject: ").to_owned(),
        text: text.trim().to_owned(),
    }
}

/// Undoes quoted-printable: soft line ends and bytes in hexadecimal.
fn unquoted(text: &str) -> String {
    let whole = text.replace("=\n", "");
    let mut pieces = whole.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let byte = piece
            .get(..2)
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(byte.unwrap_or_else(|| panic!("`={piece}` is not quoted-printable")));
        bytes.extend(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).expect("mails are UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_read() {
        let raw = [
            "Subject: Hello",
            "Content-Transfer-Encoding: quoted-printable",
            "",
            "http://a.example/verify/01=",
            "23?x=3D1",
            "caf=C3=A9",
        ];
        let mail = read("ada@example.com", &raw.map(str::to_owned));
        assert_eq!(mail.subject, "Hello");
        assert_eq!(mail.text, "http://a.example/verify/0123?x=1\ncaf\u{e9}");
        assert_eq!(mail.path("/verify/"), "/verify/0123?x=1");
    }
}
