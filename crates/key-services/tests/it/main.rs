//! Key services against fakes on this machine that speak the services' own wire formats.

mod clock;
mod fake;
mod fake_kms;
mod fake_transit;
mod sigv4;

mod aws_kms;
mod outages;
mod tls;
mod transit;
