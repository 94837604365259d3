#include "include/CSimdJSON.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "decoder.hpp"

namespace {

using namespace vitals;

static_assert(sizeof(vs_reading) == 64, "a reading is a cache line");

constexpr ptrdiff_t texts_per_message = 3 * static_cast<ptrdiff_t>(text_limit);

void reserve_slice(vs_decoder &decoder, ptrdiff_t count) {
    grow(decoder.rejections, static_cast<size_t>(count));
    grow(decoder.origins, static_cast<size_t>(count));
    grow(decoder.texts, static_cast<size_t>(count * texts_per_message));
    decoder.slice_capacity = count;
}

constexpr const char *field_names[field_count] = {
    "heartRate",
    "temperature",
    "oxygenSaturation",
    "respiratoryRate",
    "systolicPressure",
    "diastolicPressure",
    "consciousness",
    "supplementalOxygen",
    "patientId",
    "timestamp",
    "facilityId",
    "sectorId",
    "deviceId",
    "large_data",
};

/// What only shows when all fields are known.
void judge_together(const vs_options &options, const vs_message &raw, Message &message) {
    const int known = message.present | message.faults[VS_WRONG_TYPE] | message.faults[VS_INVALID_PATIENT_ID]
        | message.faults[VS_INVALID_TIMESTAMP];
    message.faults[VS_MISSING_FIELD] = static_cast<FieldSet>((bit(patient_id) | bit(timestamp)) & ~known);
    if ((message.present & bit(timestamp)) != 0 && message.in_future(options.judging, raw)) {
        message.faults[VS_TIMESTAMP_IN_FUTURE] = bit(timestamp);
    }
    constexpr FieldSet pressures = bit(systolic_pressure) | bit(diastolic_pressure);
    if ((message.present & pressures) == pressures
        && message.values[diastolic_pressure] >= message.values[systolic_pressure]) {
        message.faults[VS_PRESSURE_INVERTED] = pressures;
    }
    if (((message.present | message.bad()) & vital_signs) == 0) { message.faults[VS_NO_VITAL_SIGN] = vital_signs; }
}

bool key_matches(const vs_message &raw, const Message &message) {
    if (raw.key == nullptr || raw.key_length != 36) { return false; }
    const auto *key = static_cast<const uint8_t *>(raw.key);
    if (message.patient_text != nullptr && std::memcmp(key, message.patient_text, 36) == 0) { return true; }
    uint64_t high = 0;
    uint64_t low = 0;
    return read_uuid(Text{key, 36}, high, low) && high == message.patient_high && low == message.patient_low;
}

void keep_origin(vs_decoder &decoder, const Message &message) {
    Origin &origin = decoder.origins[decoder.outcome.origins++];
    origin.reading = decoder.outcome.accepted;
    origin.offset = decoder.texts_used;
    for (int i = 0; i < 3; ++i) {
        const bool present = (message.present & bit(static_cast<Field>(facility_id + i))) != 0;
        origin.lengths[i] = present ? static_cast<int16_t>(message.origin[i].length) : int16_t{-1};
        if (present) {
            std::memcpy(decoder.texts + decoder.texts_used, message.origin[i].start, message.origin[i].length);
            decoder.texts_used += origin.lengths[i];
        }
    }
}

void write_reading(const vs_message &raw, const Message &message, vs_reading &reading) {
    reading.patient_high = message.patient_high;
    reading.patient_low = message.patient_low;
    reading.time_ms = message.time;
    for (int i = 0; i < 6; ++i) { reading.values[i] = static_cast<float>(message.values[i]); }
    reading.offset = raw.offset;
    reading.origin = 0;
    reading.partition = static_cast<uint16_t>(raw.partition);
    reading.presence = static_cast<uint8_t>(message.present & vital_signs);
    const bool conscious = (message.present & bit(consciousness)) != 0;
    const bool oxygen = (message.present & bit(supplemental_oxygen)) != 0 && message.oxygen_given;
    reading.categorical = static_cast<uint8_t>((conscious ? message.consciousness_code : 0) | (oxygen ? 8 : 0));
}

/// Judges one message; true when it was accepted and written.
bool decode(vs_decoder &decoder, const vs_message &raw, vs_reading &reading, Rejection &rejection) {
    if (!decoder.document.load(raw, decoder.options.judging, rejection)) { return false; }
    Message message;
    const bool object = decoder.document.read(rejection, [&](Tokens &tokens) {
        return Reader(tokens, decoder.scratch, decoder.options, message).read_members();
    });
    if (!object) { return false; }
    judge_together(decoder.options, raw, message);
    const uint8_t reason = message.reason();
    if (reason != VS_REASON_COUNT) {
        rejection.reason = reason;
        std::memcpy(rejection.faults, message.faults, sizeof rejection.faults);
        return false;
    }
    if ((message.present & origin_fields) != 0) { keep_origin(decoder, message); }
    decoder.outcome.unknown_fields += message.unknown_fields;
    decoder.outcome.key_mismatches += key_matches(raw, message) ? 0 : 1;
    write_reading(raw, message, reading);
    return true;
}

}  // namespace

vs_decoder *vs_decoder_create(const vs_options *options) {
    auto *decoder = new (std::nothrow) vs_decoder();
    if (decoder == nullptr) { stop("out of memory"); }
    decoder->options = *options;
    return decoder;
}

void vs_decoder_destroy(vs_decoder *decoder) {
    if (decoder == nullptr) { return; }
    std::free(decoder->rejections);
    std::free(decoder->origins);
    std::free(decoder->texts);
    delete decoder;
}

vs_outcome vs_decode_slice(
    vs_decoder *decoder, const vs_message *messages, ptrdiff_t count, vs_reading *readings) {
    if (count > decoder->slice_capacity) { reserve_slice(*decoder, count); }
    decoder->outcome = vs_outcome{};
    decoder->texts_used = 0;
    for (ptrdiff_t i = 0; i < count; ++i) {
        if (messages[i].partition < 0 || messages[i].partition > UINT16_MAX) { stop("a partition above 65535"); }
        Rejection &rejection = decoder->rejections[decoder->outcome.rejected];
        if (decode(*decoder, messages[i], readings[decoder->outcome.accepted], rejection)) {
            ++decoder->outcome.accepted;
        } else {
            rejection.message = i;
            ++decoder->outcome.rejected;
        }
    }
    decoder->document.shrink();
    return decoder->outcome;
}

ptrdiff_t vs_rejection_message(const vs_decoder *decoder, ptrdiff_t index) {
    return decoder->rejections[index].message;
}

uint8_t vs_rejection_reason(const vs_decoder *decoder, ptrdiff_t index) { return decoder->rejections[index].reason; }

ptrdiff_t vs_rejection_detail(const vs_decoder *decoder, ptrdiff_t index, uint8_t *text, ptrdiff_t capacity) {
    return write_detail(
        decoder->rejections[index], decoder->options.judging, field_names, field_count, text, capacity);
}

vs_origin vs_origin_at(const vs_decoder *decoder, ptrdiff_t index) {
    const Origin &origin = decoder->origins[index];
    vs_origin result = {};
    result.reading_index = origin.reading;
    const uint8_t *text = decoder->texts + origin.offset;
    for (int i = 0; i < 3; ++i) {
        if (origin.lengths[i] < 0) { continue; }
        result.texts[i] = text;
        result.lengths[i] = origin.lengths[i];
        text += origin.lengths[i];
    }
    return result;
}

const char *vs_simdjson_version(void) { return SIMDJSON_STRINGIFY(SIMDJSON_VERSION); }
