//! Both implementations pass the shared suite; then what is particular to each.

mod in_process;
mod manual_clock;
mod pins;
mod redis_outage;
mod redis_server;
mod redis_suite;
