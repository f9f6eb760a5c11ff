//! In which place a call is made, and under which host that place is found.

use std::borrow::Cow;

use switchyard_interchange::failure::{Failure, FailureKind};
use switchyard_routing::region_includes;

use crate::credential::vertex::Location;

/// How the host of a region begins.
const REGIONAL: &str = "://{region}-aiplatform.";

/// The place for one call. `wanted` is what the credential says, `stated` what the catalogue says of
/// the endpoint; each may leave it to the other.
pub(super) fn location(
    wanted: Option<&Location>,
    stated: Option<&[String]>,
) -> Result<Location, Failure> {
    let Some(stated) = stated else {
        return Ok(wanted.cloned().unwrap_or_else(Location::global));
    };
    let found = match wanted {
        Some(wanted) => stated
            .iter()
            .any(|name| region_includes(name, wanted.as_str()))
            .then(|| wanted.clone()),
        None => stated.iter().find_map(|name| Location::parse(name)),
    };
    found.ok_or_else(|| {
        let stated = stated.join(", ");
        let message = match wanted {
            Some(wanted) => {
                format!("the credential is for {wanted}, and the endpoint serves in {stated}")
            }
            None => format!("the endpoint serves in {stated}, which is no region of Vertex AI"),
        };
        // Nobody was asked, and the same model may be had elsewhere or with another credential.
        Failure::new(FailureKind::Unsupported, message)
    })
}

/// The catalogue's address, as it is in `location`: places that are more than one region have hosts of
/// another form.
pub(super) fn base_url_at<'u>(base_url: &'u str, location: &Location) -> Cow<'u, str> {
    let begins = match location.as_str() {
        "global" => "://aiplatform.",
        "eu" | "us" => "://aiplatform.{region}.rep.",
        _ => return Cow::Borrowed(base_url),
    };
    Cow::Owned(base_url.replacen(REGIONAL, begins, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_made_where_credential_and_endpoint_meet() {
        for (wanted, stated, expected) in [
            (None, None, Some("global")),
            (Some("us-central1"), None, Some("us-central1")),
            (None, Some(&["us-east5"][..]), Some("us-east5")),
            (None, Some(&["eu"]), Some("eu")),
            (None, Some(&["global"]), Some("global")),
            (Some("global"), Some(&["global"]), Some("global")),
            (Some("europe-west4"), Some(&["eu"]), Some("europe-west4")),
            (Some("us-east5"), Some(&["us"]), Some("us-east5")),
            (Some("us-east5"), Some(&["us-east5"]), Some("us-east5")),
            (Some("us-central1"), Some(&["global"]), None),
            (Some("global"), Some(&["eu"]), None),
            (Some("europe-west6"), Some(&["eu"]), None),
            (None, Some(&["the moon"]), None),
        ] {
            let wanted = wanted.map(|name| Location::parse(name).expect("a place"));
            let stated: Option<Vec<String>> =
                stated.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            let found = location(wanted.as_ref(), stated.as_deref());
            if let Err(failure) = &found {
                assert_eq!(failure.kind, FailureKind::Unsupported);
            }
            let found = found.ok();
            assert_eq!(
                found.as_ref().map(Location::as_str),
                expected,
                "{wanted:?} {stated:?}"
            );
        }
    }

    #[test]
    fn wide_places_have_hosts_of_their_own() {
        let listed =
            "https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}";
        for (place, host) in [
            ("us-east5", "https://{region}-aiplatform.googleapis.com/v1/"),
            ("global", "https://aiplatform.googleapis.com/v1/"),
            ("eu", "https://aiplatform.{region}.rep.googleapis.com/v1/"),
            ("us", "https://aiplatform.{region}.rep.googleapis.com/v1/"),
        ] {
            let place = Location::parse(place).expect("a place");
            let url = base_url_at(listed, &place);
            let expected = format!("{host}projects/{{project}}/locations/{{region}}");
            assert_eq!(url, expected);
        }
    }
}
