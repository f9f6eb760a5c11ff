//! Who may sign up, what new accounts get, and how mail goes out.

use std::{num::NonZeroUsize, sync::Arc};

use switchyard_domain::{money::UsdNanos, secret::Secret};
use switchyard_mail::smtp::{Protection, SmtpSettings};

use super::values::Reader;

/// What an installation decides about people.
#[derive(Debug, Clone)]
pub(crate) struct Accounts {
    pub(crate) sign_up_is_open: bool,
    pub(crate) sign_up_credit: UsdNanos,
    /// `None`: failures are not counted by network address.
    pub(crate) address_failures_max: Option<u32>,
    /// `None`: one a core.
    pub(crate) password_workers: Option<NonZeroUsize>,
}

impl Accounts {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let credit = reader.text("accounts.signup_credit_usd");
        let sign_up_credit = credit.trim().parse::<UsdNanos>().ok();
        let sign_up_credit = sign_up_credit.filter(|amount| *amount >= UsdNanos::ZERO);
        if sign_up_credit.is_none() {
            let problem = format!("`{credit}` is not an amount such as 0 or 2.50");
            reader.fault("accounts.signup_credit_usd", &problem);
        }
        let failures: u32 = reader.parsed("accounts.address_failures_max", "a number of sign-ins");
        let workers: usize = reader.parsed("accounts.password_workers", "a number of passwords");
        Self {
            sign_up_is_open: reader.parsed("accounts.signup_open", "true or false"),
            sign_up_credit: sign_up_credit.unwrap_or(UsdNanos::ZERO),
            address_failures_max: (failures > 0).then_some(failures),
            password_workers: NonZeroUsize::new(workers),
        }
    }
}

/// The mail server; `None` where no mail is sent.
#[derive(Debug, Clone)]
pub(crate) struct MailServer {
    host: String,
    port: Option<u16>,
    protection: Protection,
    user: Option<String>,
    password: Option<Arc<Secret<String>>>,
    from: String,
}

impl MailServer {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let text = |name: &str| Some(reader.text(name)).filter(|text| !text.is_empty());
        let host = text("mail.host")?;
        let user = text("mail.user");
        let from = text("mail.from");
        let protections = [
            ("starttls", Protection::StartTls),
            ("tls", Protection::Tls),
            ("none", Protection::None),
        ];
        let from = reader.needed("mail.from", from, "mail.host is set");
        let server = Self {
            host,
            port: reader.optional("mail.port"),
            protection: reader.choice("mail.protection", &protections),
            user,
            password: reader.secret("mail.password"),
            from: from?,
        };
        if let Err(error) = switchyard_mail::smtp::Smtp::new(&server.settings()) {
            reader.fault("mail.host", &error.to_string());
        }
        Some(server)
    }

    pub(crate) fn settings(&self) -> SmtpSettings {
        let password = self.password.as_ref();
        SmtpSettings {
            host: self.host.clone(),
            port: self.port,
            protection: self.protection,
            user: self.user.clone(),
            password: password.map(|password| Secret::new(password.expose().clone())),
            from: self.from.clone(),
        }
    }
}
