//! A request that came in another dialect, written from the internal form alone.

use switchyard_domain::model::Parameter;
use switchyard_interchange::{failure::Failure, request::ChatRequest};

use super::{
    CacheMarks, UpstreamTraits,
    parameters::{write_head, write_reasoning, write_response_format, write_tools},
    places,
};
use crate::openai_chat::{
    encode_messages::write_messages,
    write::{Array, Object},
};

pub(super) fn encode(request: &ChatRequest, traits: &UpstreamTraits) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::with_capacity(request.origin.body.expose().len() + 256);
    let mut body = Object::start(&mut out);
    write_head(&mut body, request, traits);
    write_sampling(&mut body, request, traits);
    if !request.stop.is_empty() && traits.supports(Parameter::Stop) {
        let mut list = Array::start(body.key("stop"));
        for sequence in &request.stop {
            crate::openai_chat::write::string(list.item(), sequence);
        }
        list.end();
    }
    write_response_format(&mut body, &request.response_format, traits);
    write_reasoning(&mut body, request, traits);
    if traits.supports(Parameter::Verbosity) {
        body.optional_string("verbosity", request.verbosity.as_deref());
    }
    if let Some(mark) = request
        .automatic_cache
        .filter(|_| traits.cache_marks == CacheMarks::Everywhere)
    {
        crate::openai_chat::encode_messages::write_cache_mark(&mut body, mark);
    }
    let places = places(request, traits);
    write_tools(&mut body, request, places, traits);
    write_messages(body.key("messages"), &request.messages, places, traits)?;
    body.end();
    Ok(out)
}

fn write_sampling(body: &mut Object<'_>, request: &ChatRequest, traits: &UpstreamTraits) {
    let sampling = &request.sampling;
    for (parameter, value) in [
        (Parameter::Temperature, sampling.temperature),
        (Parameter::TopP, sampling.top_p),
        (Parameter::MinP, sampling.min_p),
        (Parameter::TopA, sampling.top_a),
        (Parameter::FrequencyPenalty, sampling.frequency_penalty),
        (Parameter::PresencePenalty, sampling.presence_penalty),
        (Parameter::RepetitionPenalty, sampling.repetition_penalty),
    ] {
        if let Some(value) = value.filter(|_| traits.supports(parameter)) {
            body.float(parameter.as_str(), value);
        }
    }
    if let Some(top_k) = sampling.top_k.filter(|_| traits.supports(Parameter::TopK)) {
        body.integer("top_k", top_k);
    }
    if let Some(seed) = sampling.seed.filter(|_| traits.supports(Parameter::Seed)) {
        body.integer("seed", seed);
    }
}
