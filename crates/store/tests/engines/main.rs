//! Both ports on both engines: the same suites over a SQLite file and over a private PostgreSQL
//! server.

mod directory;
mod engine;
mod schema;
mod tampering;
mod trouble;

mod sqlite {
    use crate::engine::Engine;

    async fn fixture() -> Engine {
        Engine::sqlite().await
    }

    switchyard_billing::ledger_test_suite!(fixture);
    crate::directory_test_suite!(fixture);
}

mod postgres {
    use crate::engine::Engine;

    async fn fixture() -> Engine {
        Engine::postgres().await
    }

    switchyard_billing::ledger_test_suite!(fixture);
    crate::directory_test_suite!(fixture);
}
