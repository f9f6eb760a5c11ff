//! Capabilities as types, for handlers to name in their parameters.

use switchyard_domain::authority::Capability;

/// A capability that a handler asks for.
pub(crate) trait Asks: Send + Sync + 'static {
    const CAPABILITY: Capability;
}

macro_rules! capabilities {
    ($($name:ident)*) => {
        $(
            #[derive(Debug)]
            pub(crate) enum $name {}

            impl Asks for $name {
                const CAPABILITY: Capability = Capability::$name;
            }
        )*
    };
}

capabilities! {
    Infer
    ExplainRoutes
    ReadOwnKey
    ReadActivity
    ReadSpend
    ReadGenerations
    ManageApiKeys
    ManageCredentials
    ManageMembers
    ManageWorkspaces
}
