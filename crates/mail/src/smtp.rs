//! Handing one mail to the operator's mail server.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, SinglePart},
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use switchyard_app::mail::Mail;
use switchyard_domain::{clock::Timestamp, secret::Secret};

use crate::outbox::{Courier, Undelivered};

/// How long one exchange with the server may take.
const EXCHANGE_MAX: Duration = Duration::from_secs(30);

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first byte.
    Tls,
    /// TLS after a greeting, and nothing without it.
    StartTls,
    /// None: only to a server on this machine.
    None,
}

impl Protection {
    /// The setting's name for it.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "tls" => Some(Self::Tls),
            "starttls" => Some(Self::StartTls),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    /// The usual port.
    pub const fn port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

/// Where mail goes out.
#[derive(Debug)]
pub struct SmtpSettings {
    /// The server's name.
    pub host: String,
    /// Its port; `None` for the usual one.
    pub port: Option<u16>,
    /// How the way there is protected.
    pub protection: Protection,
    /// Whom to sign in as there.
    pub user: Option<String>,
    /// With what.
    pub password: Option<Secret<String>>,
    /// What mails say they are from, such as `Switchyard <console@example.com>`.
    pub from: String,
}

/// Why these settings cannot work.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpSettingsError {
    /// Passwords and links would be readable on the way.
    #[error("mail without TLS may only go to this machine, and `{0}` is another")]
    UnprotectedAbroad(String),
    /// The sender's address has not the form of one.
    #[error("`{0}` is not an address to send mail from")]
    NotASender(String),
    /// One of user and password is missing.
    #[error("the mail server needs a user and a password, or neither")]
    HalfACredential,
    /// The server's name cannot be verified.
    #[error("`{0}` is not a server name that TLS can verify")]
    NotAServerName(String),
}

/// A mail server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").finish_non_exhaustive()
    }
}

impl Smtp {
    /// Reads settings; nothing is dialled yet.
    pub fn new(settings: &SmtpSettings) -> Result<Self, SmtpSettingsError> {
        let host = settings.host.as_str();
        let from: Mailbox = settings
            .from
            .parse()
            .map_err(|_| SmtpSettingsError::NotASender(settings.from.clone()))?;
        let parameters = || {
            TlsParameters::new(host.to_owned())
                .map_err(|_| SmtpSettingsError::NotAServerName(host.to_owned()))
        };
        let tls = match settings.protection {
            Protection::Tls => Tls::Wrapper(parameters()?),
            Protection::StartTls => Tls::Required(parameters()?),
            Protection::None if is_this_machine(host) => Tls::None,
            Protection::None => return Err(SmtpSettingsError::UnprotectedAbroad(host.to_owned())),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(settings.port.unwrap_or(settings.protection.port()))
            .tls(tls)
            .timeout(Some(EXCHANGE_MAX));
        match (&settings.user, &settings.password) {
            (Some(user), Some(password)) => {
                let password = password.expose().clone();
                builder = builder.credentials(Credentials::new(user.clone(), password));
            }
            (None, None) => {}
            _ => return Err(SmtpSettingsError::HalfACredential),
        }
        Ok(Self {
            transport: builder.build(),
            from,
        })
    }

    fn message(&self, mail: &Mail, at: Timestamp) -> Result<Message, Undelivered> {
        let unsendable = |_| Undelivered::ForGood("the mail cannot be written down".to_owned());
        let to = mail
            .to
            .parse()
            .map_err(|_| Undelivered::ForGood("that is not an address".to_owned()))?;
        let micros = u64::try_from(at.micros()).unwrap_or(0);
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
            .message_id(None)
            .subject(mail.subject.clone())
            .singlepart(SinglePart::plain(mail.text.expose().clone()))
            .map_err(unsendable)
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[async_trait]
impl Courier for Smtp {
    async fn deliver(&self, mail: &Mail, at: Timestamp) -> Result<(), Undelivered> {
        let message = self.message(mail, at)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            // What servers say may repeat the address or a line of the mail: its code is enough.
            Err(error) => {
                let code = error.status().map(|code| code.to_string());
                let says = code.map_or_else(
                    || "the server was not reached".to_owned(),
                    |code| format!("the server answered {code}"),
                );
                Err(if error.is_permanent() {
                    Undelivered::ForGood(says)
                } else {
                    Undelivered::ForNow(says)
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
