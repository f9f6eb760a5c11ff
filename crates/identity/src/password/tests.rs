use std::collections::BTreeSet;

use super::*;

/// Small, so that tests need not wait for what is made to be slow.
const SMALL: Cost = Cost {
    memory_kib: 64,
    passes: 1,
};

fn workers(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

#[tokio::test]
async fn a_password_is_recognised_and_no_other() {
    let passwords = Passwords::new(Cost::LEAST, workers(1));
    let kept = passwords
        .keep(secret("a lamp in the harbour"), [3; SALT_BYTES])
        .await
        .unwrap();
    assert!(
        kept.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{}",
        kept.as_str()
    );
    assert!(!kept.as_str().contains("lamp"));
    assert_eq!(format!("{kept:?}"), "[password hash]");
    for (presented, checked) in [
        ("a lamp in the harbour", Checked::Right),
        ("a lamp in the harbour ", Checked::Wrong),
        ("A lamp in the harbour", Checked::Wrong),
        ("", Checked::Wrong),
    ] {
        let answer = passwords.check(secret(presented), Some(kept.clone())).await;
        assert_eq!(answer, Ok(checked), "{presented:?}");
    }
}

#[tokio::test]
async fn equal_passwords_are_kept_differently() {
    let passwords = Passwords::new(SMALL, workers(1));
    let mut kept = BTreeSet::new();
    for salt in [[1; SALT_BYTES], [2; SALT_BYTES]] {
        let stored = passwords.keep(secret("a lamp in the harbour"), salt).await;
        kept.insert(stored.unwrap().as_str().to_owned());
    }
    assert_eq!(kept.len(), 2);
}

#[tokio::test]
async fn nobody_has_no_password_not_even_the_decoys() {
    let passwords = Passwords::new(SMALL, workers(1));
    for presented in ["nobody's password", ""] {
        assert_eq!(
            passwords.check(secret(presented), None).await,
            Ok(Checked::Wrong)
        );
    }
}

#[tokio::test]
async fn a_password_kept_at_another_cost_is_to_be_kept_anew() {
    let before = Passwords::new(SMALL, workers(1));
    let now = Passwords::new(Cost { passes: 2, ..SMALL }, workers(1));
    let kept = before
        .keep(secret("a lamp in the harbour"), [1; SALT_BYTES])
        .await
        .unwrap();
    let presented = || secret("a lamp in the harbour");
    assert_eq!(
        now.check(presented(), Some(kept.clone())).await,
        Ok(Checked::RightButOutdated)
    );
    assert_eq!(
        now.check(secret("another one entirely"), Some(kept)).await,
        Ok(Checked::Wrong)
    );
    let anew = now.keep(presented(), [1; SALT_BYTES]).await.unwrap();
    assert_eq!(now.check(presented(), Some(anew)).await, Ok(Checked::Right));
}

#[tokio::test]
async fn what_cannot_be_read_is_no_wrong_password() {
    let passwords = Passwords::new(SMALL, workers(1));
    for stored in [
        "",
        "plain",
        "$argon2id$v=19$m=64,t=1,p=1",
        "$scrypt$ln=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
    ] {
        let stored = StoredPassword::from_stored(stored.to_owned());
        assert_eq!(
            passwords.check(secret("x"), Some(stored)).await,
            Err(PasswordError::Unreadable)
        );
    }
}

#[tokio::test]
async fn who_comes_when_the_queue_is_full_is_told_so() {
    let passwords = Passwords::new(SMALL, workers(1));
    // Nothing is worked off while the only worker is held.
    let worker = Arc::clone(&passwords.workers)
        .acquire_owned()
        .await
        .unwrap();
    let mut waiting = Vec::new();
    for _ in 0..=WAITING_PER_WORKER {
        let mut check = Box::pin(passwords.check(secret("x"), None));
        let pending = std::future::poll_fn(|context| {
            std::task::Poll::Ready(check.as_mut().poll(context).is_pending())
        });
        assert!(pending.await);
        waiting.push(check);
    }
    assert_eq!(
        passwords.check(secret("x"), None).await,
        Err(PasswordError::Busy)
    );
    drop(worker);
    for check in waiting {
        assert_eq!(check.await, Ok(Checked::Wrong));
    }
    assert_eq!(passwords.check(secret("x"), None).await, Ok(Checked::Wrong));
}
