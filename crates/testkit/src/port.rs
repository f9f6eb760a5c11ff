//! Ports for servers that must be told theirs before they start.
//!
//! They come from below the range that the system hands out by itself, and each is locked for as long
//! as its test runs, also against tests in other processes. So no server ever finds another one at its
//! address, and one that is restarted gets its address back.

use std::{
    fs::{self, File},
    net::TcpListener,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// A port on the loopback interface that no other test uses.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// Reserves a free port.
    ///
    /// # Panics
    /// When there is none.
    pub fn reserve() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = std::env::temp_dir().join("switchyard-test-ports");
        fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
        // Processes begin far apart, so that they rarely try each other's ports.
        let start = process::id().wrapping_mul(97);
        (0..COUNT)
            .find_map(|_| {
                let offset = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
                let number = u16::try_from(FIRST + offset).expect("the range ends below 65536");
                let lock = File::create(folder.join(number.to_string())).ok()?;
                lock.try_lock().ok()?;
                TcpListener::bind(("127.0.0.1", number)).ok()?;
                Some(Self {
                    number,
                    _lock: lock,
                })
            })
            .expect("a port is free")
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Its address, such as `127.0.0.1:20000`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_the_same_port_twice_at_once() {
        let (first, second) = (Port::reserve(), Port::reserve());
        assert_ne!(first.number(), second.number());
        let folder = std::env::temp_dir().join("switchyard-test-ports");
        let lock = File::open(folder.join(first.number().to_string())).expect("its lock file");
        assert!(lock.try_lock().is_err(), "it is locked while it is held");
        drop(first);
        lock.try_lock().expect("it is free again");
    }
}
