//! Calls to clouds that are played on loopback: Amazon Bedrock and Google Vertex AI, whose requests are
//! signed or carry tokens, and whose hosts follow from the credential.

mod bedrock;
mod endpoint;
mod fake;
mod signature;
mod vertex;
