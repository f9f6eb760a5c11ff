//! The full name of a KMS key.

use std::{fmt, str::FromStr};

use crate::address::ServiceAddress;

/// `arn:aws:kms:eu-central-1:111122223333:key/1234abcd-…`: the one name of a key that says its
/// account and region and that nobody can point elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyArn {
    text: String,
    partition: Partition,
    region: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Partition {
    Worldwide,
    China,
    UsGovernment,
}

/// Why a text names no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyArn {
    /// It is an alias.
    #[error("is an alias, which can be pointed at another key; give the ARN of the key itself")]
    Alias,
    /// It is something else.
    #[error("must be a key's ARN, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-…")]
    Malformed,
}

impl KeyArn {
    /// The ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the key is.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Where its region is asked over the public network.
    pub fn regional_endpoint(&self) -> ServiceAddress {
        let domain = match self.partition {
            Partition::Worldwide | Partition::UsGovernment => "amazonaws.com",
            Partition::China => "amazonaws.com.cn",
        };
        format!("https://kms.{}.{domain}", self.region)
            .parse()
            .expect("a checked region makes a host")
    }
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for KeyArn {
    type Err = InvalidKeyArn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fields: Vec<&str> = text.split(':').collect();
        let resource = fields.last().copied().unwrap_or_default();
        if resource.starts_with("alias/") {
            return Err(InvalidKeyArn::Alias);
        }
        let ["arn", partition, "kms", region, account, resource] = fields[..] else {
            return Err(InvalidKeyArn::Malformed);
        };
        let partition = match partition {
            "aws" => Partition::Worldwide,
            "aws-cn" => Partition::China,
            "aws-us-gov" => Partition::UsGovernment,
            _ => return Err(InvalidKeyArn::Malformed),
        };
        let id = resource.strip_prefix("key/").unwrap_or_default();
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if !is_account || !is_label(region, 32) || !is_label(id, 64) {
            return Err(InvalidKeyArn::Malformed);
        }
        Ok(Self {
            text: text.to_owned(),
            partition,
            region: region.to_owned(),
        })
    }
}

/// Lower-case letters, digits and inner hyphens.
fn is_label(text: &str, bytes_max: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= bytes_max
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_name() {
        let key = "1234abcd-12ab-34cd-56ef-1234567890ab";
        for (text, expected) in [
            (
                format!("arn:aws:kms:eu-central-1:111122223333:key/{key}"),
                Ok("https://kms.eu-central-1.amazonaws.com"),
            ),
            (
                format!("arn:aws-cn:kms:cn-north-1:111122223333:key/{key}"),
                Ok("https://kms.cn-north-1.amazonaws.com.cn"),
            ),
            (
                "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1234abcd".to_owned(),
                Ok("https://kms.us-gov-west-1.amazonaws.com"),
            ),
            (key.to_owned(), Err(InvalidKeyArn::Malformed)),
            ("alias/vault".to_owned(), Err(InvalidKeyArn::Alias)),
            (
                "arn:aws:kms:eu-central-1:111122223333:alias/vault".to_owned(),
                Err(InvalidKeyArn::Alias),
            ),
            (
                format!("arn:aws:kms:evil#:111122223333:key/{key}"),
                Err(InvalidKeyArn::Malformed),
            ),
            (
                format!("arn:aws:kms:a.example/:111122223333:key/{key}"),
                Err(InvalidKeyArn::Malformed),
            ),
            (
                format!("arn:aws:kms:eu-central-1:1111:key/{key}"),
                Err(InvalidKeyArn::Malformed),
            ),
            (
                format!("arn:aws:s3:eu-central-1:111122223333:key/{key}"),
                Err(InvalidKeyArn::Malformed),
            ),
            (String::new(), Err(InvalidKeyArn::Malformed)),
        ] {
            let endpoint = text
                .parse::<KeyArn>()
                .map(|key| key.regional_endpoint().to_string());
            assert_eq!(
                endpoint.as_deref().map_err(|error| *error),
                expected,
                "{text}"
            );
        }
    }
}
