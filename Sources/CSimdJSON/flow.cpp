// Events of the `patient-flow` topic: one message a call, over the same grammar as the vital signs.
#include "flow.hpp"

#include <new>

#include "document.hpp"

struct vs_flow_decoder {
    vs_judging judging = {};
    vitals::flow::Scratch scratch = {};
    vitals::Document document;
    vitals::Rejection rejection = {};
};

namespace {

using namespace vitals;
using namespace vitals::flow;

constexpr const char *field_names[field_count] = {
    "eventId", "facilityId", "sectorId", "visitId", "patientId", "event", "toSectorId", "acuity", "timestamp",
};

/// What only shows when all fields are known.
void judge_together(const vs_judging &judging, const vs_message &raw, flow::Message &message) {
    const bool transfer = (message.present & bit(event)) != 0 && message.kind == VS_TRANSFER;
    if (!transfer) {
        // Only a transfer has a destination; elsewhere the field is ignored, whatever it holds.
        message.present &= static_cast<FieldSet>(~bit(to_sector_id));
        message.faults[VS_WRONG_TYPE] &= static_cast<FieldSet>(~bit(to_sector_id));
    }
    const int needed = required | (transfer ? bit(to_sector_id) : 0);
    message.faults[VS_MISSING_FIELD] = static_cast<FieldSet>(needed & ~(message.present | message.bad()));
    if ((message.present & bit(timestamp)) != 0 && message.in_future(judging, raw)) {
        message.faults[VS_TIMESTAMP_IN_FUTURE] = bit(timestamp);
    }
}

vs_text text_of(const flow::Message &message, Field field) {
    if ((message.present & bit(field)) == 0) { return vs_text{nullptr, 0}; }
    return vs_text{message.texts[field].start, static_cast<ptrdiff_t>(message.texts[field].length)};
}

bool key_matches(const vs_message &raw, const vs_text &facility) {
    return raw.key != nullptr && raw.key_length == facility.length
        && std::memcmp(raw.key, facility.start, static_cast<size_t>(facility.length)) == 0;
}

void write_event(const vs_message &raw, const flow::Message &message, vs_flow_event &event) {
    event = vs_flow_event{};
    event.event_high = message.event_id.high;
    event.event_low = message.event_id.low;
    event.has_patient = (message.present & bit(patient_id)) != 0 ? 1 : 0;
    if (event.has_patient != 0) {
        event.patient_high = message.patient_id.high;
        event.patient_low = message.patient_id.low;
    }
    event.time_ms = message.time;
    event.facility = text_of(message, facility_id);
    event.sector = text_of(message, sector_id);
    event.visit = text_of(message, visit_id);
    event.to_sector = text_of(message, to_sector_id);
    event.kind = message.kind;
    event.acuity = (message.present & bit(acuity)) != 0 ? message.acuity : uint8_t{0};
    event.unknown_fields = message.unknown_fields;
    event.key_mismatch = key_matches(raw, event.facility) ? 0 : 1;
}

}  // namespace

vs_flow_decoder *vs_flow_decoder_create(const vs_judging *judging) {
    auto *decoder = new (std::nothrow) vs_flow_decoder();
    if (decoder == nullptr) { stop("out of memory"); }
    decoder->judging = *judging;
    return decoder;
}

void vs_flow_decoder_destroy(vs_flow_decoder *decoder) { delete decoder; }

uint8_t vs_flow_decode(vs_flow_decoder *decoder, const vs_message *raw, vs_flow_event *event) {
    // Before the payload is taken in: the last event's texts are no longer needed.
    decoder->document.shrink();
    Rejection &rejection = decoder->rejection;
    if (!decoder->document.load(*raw, decoder->judging, rejection)) { return rejection.reason; }
    flow::Message message;
    const bool object = decoder->document.read(rejection, [&](Tokens &tokens) {
        return flow::Reader(tokens, decoder->scratch, decoder->judging, message).read_members();
    });
    if (!object) { return rejection.reason; }
    judge_together(decoder->judging, *raw, message);
    rejection.reason = message.reason();
    std::memcpy(rejection.faults, message.faults, sizeof rejection.faults);
    if (rejection.reason == VS_REASON_COUNT) { write_event(*raw, message, *event); }
    return rejection.reason;
}

ptrdiff_t vs_flow_rejection_detail(const vs_flow_decoder *decoder, uint8_t *text, ptrdiff_t capacity) {
    return write_detail(decoder->rejection, decoder->judging, field_names, field_count, text, capacity);
}
