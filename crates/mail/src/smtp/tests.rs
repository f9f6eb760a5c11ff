use std::net::SocketAddr;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

use super::*;
use crate::fixture::mail;

fn settings(host: &str, protection: Protection) -> SmtpSettings {
    SmtpSettings {
        host: host.to_owned(),
        port: None,
        protection,
        user: None,
        password: None,
        from: "Switchyard <console@switchyard.example>".to_owned(),
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let abroad = settings("mail.example.com", Protection::None);
    assert_eq!(
        Smtp::new(&abroad).err(),
        Some(SmtpSettingsError::UnprotectedAbroad(
            "mail.example.com".to_owned()
        ))
    );
    let mut half = settings("mail.example.com", Protection::Tls);
    half.user = Some("console".to_owned());
    assert_eq!(
        Smtp::new(&half).err(),
        Some(SmtpSettingsError::HalfACredential)
    );
    let mut nobody = settings("mail.example.com", Protection::StartTls);
    nobody.from = "nobody".to_owned();
    assert_eq!(
        Smtp::new(&nobody).err(),
        Some(SmtpSettingsError::NotASender("nobody".to_owned()))
    );
    for host in ["localhost", "127.0.0.1", "::1"] {
        assert!(
            Smtp::new(&settings(host, Protection::None)).is_ok(),
            "{host}"
        );
    }
}

/// A mail server that answers one conversation, says `verdict` to the mail, and returns what it heard.
async fn server(verdict: &'static str) -> (SocketAddr, impl Future<Output = Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let conversation = async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        let mut heard = Vec::new();
        let mut is_text = false;
        writer.write_all(b"220 ready\r\n").await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            let answer = match line.as_str() {
                "." if is_text => {
                    is_text = false;
                    verdict
                }
                _ if is_text => "",
                "DATA" => {
                    is_text = true;
                    "354 go on\r\n"
                }
                "QUIT" => "221 bye\r\n",
                _ => "250 yes\r\n",
            };
            let is_over = line == "QUIT";
            heard.push(line);
            if writer.write_all(answer.as_bytes()).await.is_err() || is_over {
                break;
            }
        }
        heard
    };
    (address, conversation)
}

fn smtp(address: SocketAddr) -> Smtp {
    let mut settings = settings("127.0.0.1", Protection::None);
    settings.port = Some(address.port());
    Smtp::new(&settings).unwrap()
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let (address, conversation) = server("250 taken\r\n").await;
    let smtp = smtp(address);
    let sent = mail("Confirm your address");
    let at = Timestamp::from_seconds(1_795_500_000);
    let (delivered, heard) = tokio::join!(smtp.deliver(&sent, at), conversation);
    assert_eq!(delivered, Ok(()));
    for line in [
        "MAIL FROM:<console@switchyard.example>",
        "RCPT TO:<ada@example.com>",
        "From: Switchyard <console@switchyard.example>",
        "To: ada@example.com",
        "Subject: Confirm your address",
        "Date: Tue, 24 Nov 2026 06:00:00 +0000",
        "https://switchyard.example/verify/0123",
    ] {
        assert!(
            heard.iter().any(|one| one.starts_with(line)),
            "{line}\n{heard:#?}"
        );
    }
}

#[tokio::test]
async fn refusals_say_whether_waiting_helps_and_nothing_of_the_mail() {
    for (verdict, undelivered) in [
        (
            "451 ada@example.com is busy\r\n",
            Undelivered::ForNow("the server answered 451".to_owned()),
        ),
        (
            "550 ada@example.com is gone\r\n",
            Undelivered::ForGood("the server answered 550".to_owned()),
        ),
    ] {
        let (address, conversation) = server(verdict).await;
        let smtp = smtp(address);
        let sent = mail("Confirm your address");
        let (delivered, _) = tokio::join!(smtp.deliver(&sent, Timestamp::default()), conversation);
        assert_eq!(delivered, Err(undelivered));
    }
    // Nobody listens there any more.
    let (address, conversation) = server("").await;
    drop(conversation);
    let delivered = smtp(address)
        .deliver(&mail("a"), Timestamp::default())
        .await;
    assert!(
        matches!(delivered, Err(Undelivered::ForNow(_))),
        "{delivered:?}"
    );
    let mut nobody = mail("a");
    nobody.to = "not an address".to_owned();
    let delivered = smtp(address).deliver(&nobody, Timestamp::default()).await;
    assert!(
        matches!(delivered, Err(Undelivered::ForGood(_))),
        "{delivered:?}"
    );
}
