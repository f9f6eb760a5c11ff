//! Codes of an authenticator app: six digits that change every 30 seconds.
//!
//! A code works once. [`Authenticator::check`] returns the step a code belongs to; its caller stores the
//! last one that was used and passes it with the next code.

use qrcodegen::{QrCode, QrCodeEcc};
use switchyard_domain::{clock::Timestamp, secret::Secret};
use totp_rs::{Builder, Totp};

/// Bytes of a seed, which is what authenticator apps expect.
pub const SEED_BYTES: usize = 20;

/// Seconds a code is shown for.
const STEP_SECONDS: u64 = 30;
/// Clocks may differ by so many steps, either way.
const STEPS_APART: u64 = 1;
/// White modules that readers want around the black ones.
const QUIET_ZONE: i32 = 4;

/// Why there is no authenticator.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// What was stored has not the length of a seed.
    #[error("a stored authenticator seed has not the length of one")]
    NotASeed,
    /// The address does not fit in a code that a camera reads.
    #[error("the address is too long to be shown as a code")]
    AddressTooLong,
}

/// A person's authenticator app, as far as we know it: its seed.
#[derive(Debug)]
pub struct Authenticator {
    totp: Totp,
}

impl Authenticator {
    /// The authenticator with this seed, which is the address' at `issuer`. A new seed must be random.
    pub fn new(seed: &Secret<Vec<u8>>, issuer: &str, address: &str) -> Result<Self, SeedError> {
        if seed.expose().len() != SEED_BYTES {
            return Err(SeedError::NotASeed);
        }
        // A colon would end the issuer's part of the label.
        let plain = |text: &str| text.replace(':', " ");
        let totp = Builder::new()
            .with_skew(0)
            .with_step_duration(STEP_SECONDS)
            .with_secret(seed.expose().as_slice())
            .with_issuer(Some(plain(issuer)))
            .with_account_name(plain(address))
            .build()
            .map_err(|_| SeedError::NotASeed)?;
        Ok(Self { totp })
    }

    /// The step that `code` belongs to, if it is right and later than the last one used.
    pub fn check(&self, code: &str, now: Timestamp, last_used: Option<u64>) -> Option<u64> {
        let digits: Secret<String> = Secret::new(
            code.chars()
                .filter(|c| !c.is_whitespace())
                .take(7)
                .collect(),
        );
        let present = u64::try_from(now.seconds()).ok()? / STEP_SECONDS;
        let steps = present.saturating_sub(STEPS_APART)..=present + STEPS_APART;
        steps
            .filter(|step| last_used.is_none_or(|last| *step > last))
            .find(|step| {
                self.totp
                    .check(digits.expose(), step * STEP_SECONDS)
                    .is_some()
            })
    }

    /// The code at `now`, as the app would show it.
    pub fn code(&self, now: Timestamp) -> Secret<String> {
        let seconds = u64::try_from(now.seconds()).unwrap_or(0);
        Secret::new(self.totp.generate(seconds).to_string())
    }

    /// The seed for typing in, in groups of four.
    pub fn typed_seed(&self) -> Secret<String> {
        let seed = Secret::new(self.totp.secret().to_base32());
        let mut groups = String::with_capacity(40);
        for (place, letter) in seed.expose().chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                groups.push(' ');
            }
            groups.push(letter);
        }
        Secret::new(groups)
    }

    /// What the app reads: an `otpauth:` address.
    pub fn url(&self) -> Result<Secret<String>, SeedError> {
        self.totp
            .to_url()
            .map(Secret::new)
            .map_err(|_| SeedError::AddressTooLong)
    }

    /// The same as a picture: an SVG image that needs no style and no script. Black on white whatever
    /// the page's colours, because cameras want it so.
    pub fn svg(&self) -> Result<Secret<String>, SeedError> {
        let url = self.url()?;
        let code = QrCode::encode_text(url.expose(), QrCodeEcc::Medium)
            .map_err(|_| SeedError::AddressTooLong)?;
        let side = code.size() + 2 * QUIET_ZONE;
        let mut path = String::new();
        for y in 0..code.size() {
            let mut x = 0;
            while x < code.size() {
                let run = (x..code.size())
                    .take_while(|x| code.get_module(*x, y))
                    .count();
                let run = i32::try_from(run).unwrap_or(0);
                if run > 0 {
                    let (left, top) = (x + QUIET_ZONE, y + QUIET_ZONE);
                    path.push_str(&format!("M{left} {top}h{run}v1h-{run}z"));
                }
                x += run + 1;
            }
        }
        Ok(Secret::new(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" role=\"img\" \
             aria-label=\"Code to scan with an authenticator app\" shape-rendering=\"crispEdges\">\
             <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/>\
             <path d=\"{path}\" fill=\"#000\"/></svg>"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seed of RFC 6238's test vectors.
    fn authenticator() -> Authenticator {
        let seed = Secret::new(b"12345678901234567890".to_vec());
        Authenticator::new(&seed, "Switch: yard", "a:b@example.com").unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // The standard's table has eight digits; six of them are the last six.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (2_000_000_000, "279037"),
        ] {
            let authenticator = authenticator();
            assert_eq!(authenticator.code(at(seconds)).expose(), code);
            let step = u64::try_from(seconds).unwrap() / 30;
            assert_eq!(authenticator.check(code, at(seconds), None), Some(step));
        }
    }

    #[test]
    fn a_clock_may_be_one_step_off() {
        let authenticator = authenticator();
        let code = authenticator.code(at(3_000));
        for (now, step) in [
            (2_939, None),
            (2_970, Some(100)),
            (3_029, Some(100)),
            (3_059, Some(100)),
            (3_060, None),
        ] {
            assert_eq!(
                authenticator.check(code.expose(), at(now), None),
                step,
                "{now}"
            );
        }
        let spaced = format!(" {} {}", &code.expose()[..3], &code.expose()[3..]);
        assert_eq!(authenticator.check(&spaced, at(3_000), None), Some(100));
    }

    #[test]
    fn t20_a_code_works_once() {
        let authenticator = authenticator();
        let code = authenticator.code(at(3_000));
        let used = authenticator.check(code.expose(), at(3_000), None);
        assert_eq!(used, Some(100));
        assert_eq!(authenticator.check(code.expose(), at(3_000), used), None);
        assert_eq!(authenticator.check(code.expose(), at(3_029), used), None);
        let earlier = authenticator.code(at(2_970));
        assert_eq!(authenticator.check(earlier.expose(), at(3_000), used), None);
        let next = authenticator.code(at(3_030));
        assert_eq!(
            authenticator.check(next.expose(), at(3_030), used),
            Some(101)
        );
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let authenticator = authenticator();
        for code in ["", "12345", "1234567", "28708x", "-87082", "２８７０８２"] {
            assert_eq!(authenticator.check(code, at(59), None), None, "{code}");
        }
        let short = Secret::new(vec![1; 16]);
        assert_eq!(
            Authenticator::new(&short, "i", "a").err(),
            Some(SeedError::NotASeed)
        );
    }

    #[test]
    fn apps_are_told_the_seed() {
        let authenticator = authenticator();
        let url = authenticator.url().unwrap();
        assert!(
            url.expose().starts_with("otpauth://totp/"),
            "{}",
            url.expose()
        );
        let seed = authenticator.typed_seed().expose().replace(' ', "");
        assert!(url.expose().contains(&seed));
        assert!(!format!("{authenticator:?}").contains(&seed));
    }

    #[test]
    fn the_picture_has_the_modules_of_the_code() {
        let authenticator = authenticator();
        let svg = authenticator.svg().unwrap();
        let code = QrCode::encode_text(authenticator.url().unwrap().expose(), QrCodeEcc::Medium);
        let code = code.unwrap();
        let path = svg.expose().split("d=\"").nth(1).unwrap();
        let path = path.split('"').next().unwrap();
        let mut black = 0;
        for run in path.split('M').skip(1) {
            let (from, rest) = run.split_once('h').unwrap();
            let (x, y) = from.split_once(' ').unwrap();
            let length: i32 = rest.split('v').next().unwrap().parse().unwrap();
            let (x, y): (i32, i32) = (x.parse().unwrap(), y.parse().unwrap());
            for x in x..x + length {
                assert!(code.get_module(x - QUIET_ZONE, y - QUIET_ZONE));
                black += 1;
            }
        }
        let size = code.size();
        let wanted = (0..size * size).filter(|at| code.get_module(at % size, at / size));
        assert_eq!(black, wanted.count());
        assert!(!svg.expose().contains("style"));
    }
}
