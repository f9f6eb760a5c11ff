//! In which region a call is made. A credential is good in one, an endpoint serves in some, and a
//! call where these do not meet is not made.

use switchyard_interchange::failure::{Failure, FailureKind};
use switchyard_routing::region_includes;

use crate::credential::bedrock::{BedrockCredential, Region};

/// The region for one call. `stated` is what the catalogue says of the endpoint: a region, a part of
/// the world whose regions share its requests, `global`, or nothing.
pub(super) fn region(
    credential: &BedrockCredential,
    stated: Option<&[String]>,
) -> Result<Region, Failure> {
    let bound_to = match credential {
        BedrockCredential::AccessKey { region, .. } => Some(region),
        BedrockCredential::ApiKey { region, .. } => region.as_ref(),
    };
    let region = match bound_to {
        Some(region) => region.clone(),
        // A key that does not say where it is good is tried where the endpoint is.
        None => stated
            .into_iter()
            .flatten()
            .find_map(|name| Region::parse(name))
            .unwrap_or_else(Region::of_bare_keys),
    };
    if serves_in(stated, &region) {
        Ok(region)
    } else {
        Err(elsewhere(bound_to, &region, stated.unwrap_or_default()))
    }
}

fn serves_in(stated: Option<&[String]>, region: &Region) -> bool {
    let Some(stated) = stated else { return true };
    stated
        .iter()
        .any(|name| name == "global" || region_includes(name, region.as_str()))
}

/// Nobody was asked, and the same model may be had elsewhere or with another credential.
fn elsewhere(bound_to: Option<&Region>, region: &Region, stated: &[String]) -> Failure {
    let stated = stated.join(", ");
    let message = match bound_to {
        Some(_) => format!("the credential is for {region}, and the endpoint serves in {stated}"),
        None => format!(
            "the credential names no region, which means {region}, and the endpoint serves in {stated}"
        ),
    };
    Failure::new(FailureKind::Unsupported, message)
}

#[cfg(test)]
mod tests {
    use switchyard_domain::secret::Secret;

    use super::*;

    fn key(region: Option<&str>) -> BedrockCredential {
        BedrockCredential::ApiKey {
            key: Secret::new("a key".to_owned()),
            region: region.map(|name| Region::parse(name).expect("a region")),
        }
    }

    #[test]
    fn a_call_is_made_where_credential_and_endpoint_meet() {
        let wrong = "the credential is for us-east-1, and the endpoint serves in";
        for (bound_to, stated, expected) in [
            (Some("eu-west-1"), None, Ok("eu-west-1")),
            (Some("eu-west-1"), Some(&["eu-west-1"][..]), Ok("eu-west-1")),
            (Some("eu-west-1"), Some(&["eu"]), Ok("eu-west-1")),
            (Some("eu-west-1"), Some(&["global"]), Ok("eu-west-1")),
            (Some("us-west-2"), Some(&["us"]), Ok("us-west-2")),
            (Some("us-east-1"), Some(&["eu-west-1"]), Err(wrong)),
            (Some("us-east-1"), Some(&["eu"]), Err(wrong)),
            // London is not in the European Union, whatever its region is called.
            (
                Some("eu-west-2"),
                Some(&["eu"]),
                Err("the credential is for eu-west-2"),
            ),
            (None, None, Ok("us-east-1")),
            (None, Some(&["global"]), Ok("us-east-1")),
            (None, Some(&["us"]), Ok("us-east-1")),
            (None, Some(&["eu-west-1"]), Ok("eu-west-1")),
            (
                None,
                Some(&["eu"]),
                Err(
                    "the credential names no region, which means us-east-1, and the endpoint serves in eu",
                ),
            ),
        ] {
            let stated: Option<Vec<String>> =
                stated.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            let found = region(&key(bound_to), stated.as_deref());
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found.as_str(), expected),
                (Err(failure), Err(expected)) => {
                    assert_eq!(failure.kind, FailureKind::Unsupported);
                    assert!(failure.message.starts_with(expected), "{}", failure.message);
                }
                (found, expected) => panic!("{bound_to:?} {stated:?}: {found:?}, not {expected:?}"),
            }
        }
    }
}
