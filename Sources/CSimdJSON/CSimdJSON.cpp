#include "include/CSimdJSON.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "decoder.hpp"

namespace {

using namespace vitals;

static_assert(sizeof(vs_reading) == 64, "a reading is a cache line");

/// Blanks behind the payload: they end a number or a literal that the payload's end cuts off, so that the walk needs
/// no check of bounds at every byte.
constexpr size_t padding = 64;
/// What a decoder keeps between slices; larger buffers are given back.
constexpr size_t kept_capacity = size_t{1} << 20;
constexpr size_t first_capacity = size_t{1} << 12;
constexpr ptrdiff_t texts_per_message = 3 * static_cast<ptrdiff_t>(text_limit);

[[noreturn]] void stop(const char *why) {
    std::fprintf(stderr, "CSimdJSON: %s\n", why);
    std::abort();
}

template <typename Element>
void grow(Element *&array, size_t count) {
    std::free(array);
    array = static_cast<Element *>(std::malloc(count * sizeof(Element)));
    if (array == nullptr) { stop("out of memory"); }
}

void set_capacity(vs_decoder &decoder, size_t capacity) {
    grow(decoder.buffer, capacity + padding);
    if (decoder.parser->set_capacity(capacity) != simdjson::SUCCESS) { stop("out of memory"); }
    decoder.buffer_capacity = capacity;
}

void reserve_payload(vs_decoder &decoder, size_t length) {
    size_t capacity = decoder.buffer_capacity;
    while (capacity < length) { capacity *= 2; }
    set_capacity(decoder, capacity);
}

void reserve_slice(vs_decoder &decoder, ptrdiff_t count) {
    grow(decoder.rejections, static_cast<size_t>(count));
    grow(decoder.origins, static_cast<size_t>(count));
    grow(decoder.texts, static_cast<size_t>(count * texts_per_message));
    decoder.slice_capacity = count;
}

Malformed cause(simdjson::error_code error) {
    switch (error) {
    case simdjson::UTF8_ERROR: return Malformed::not_utf8;
    case simdjson::UNCLOSED_STRING: return Malformed::unclosed_string;
    case simdjson::UNESCAPED_CHARS: return Malformed::control_character;
    case simdjson::EMPTY: return Malformed::blank;
    default: return Malformed::syntax;
    }
}

/// What the payload is, before its fields are judged together.
enum class Shape { object, other, malformed };

/// Walks through the whole payload, in the decoder's buffer.
Shape read_payload(vs_decoder &decoder, size_t length, Message &message, Rejection &rejection) {
    simdjson::internal::dom_parser_implementation &parser = *decoder.parser;
    const simdjson::error_code error =
        parser.stage1(decoder.buffer, length, simdjson::stage1_mode::regular);
    rejection.place = 0;
    if (error != simdjson::SUCCESS) {
        rejection.malformed = cause(error);
        return Shape::malformed;
    }
    uint32_t *indices = parser.structural_indexes.get();
    const uint32_t count = parser.n_structural_indexes;
    // The parser has room for more indices than the payload has bytes.
    indices[count] = indices[count + 1] = static_cast<uint32_t>(length);
    Tokens tokens{decoder.buffer, indices, false};
    bool valid;
    const uint8_t root = tokens.kind();
    if (root == '{') {
        ++tokens.next;
        valid = Reader(tokens, decoder.scratch, decoder.options, message).read_members();
    } else {
        valid = skip_value(tokens, 0);
    }
    if (valid && tokens.next == indices + count) {
        rejection.root = root;
        return root == '{' ? Shape::object : Shape::other;
    }
    rejection.place = *tokens.next;
    rejection.malformed = tokens.too_deep ? Malformed::too_deep
        : rejection.place == length       ? Malformed::truncated
                                          : Malformed::syntax;
    return Shape::malformed;
}

/// What only shows when all fields are known.
void judge_together(const vs_options &options, const vs_message &raw, Message &message) {
    const int known = message.present | message.faults[VS_WRONG_TYPE] | message.faults[VS_INVALID_PATIENT_ID]
        | message.faults[VS_INVALID_TIMESTAMP];
    message.faults[VS_MISSING_FIELD] = static_cast<FieldSet>((bit(patient_id) | bit(timestamp)) & ~known);
    if ((message.present & bit(timestamp)) != 0 && options.max_future_ms >= 0 && raw.timestamp_ms >= 0
        && message.time > raw.timestamp_ms && message.time - raw.timestamp_ms > options.max_future_ms) {
        message.faults[VS_TIMESTAMP_IN_FUTURE] = bit(timestamp);
    }
    constexpr FieldSet pressures = bit(systolic_pressure) | bit(diastolic_pressure);
    if ((message.present & pressures) == pressures
        && message.values[diastolic_pressure] >= message.values[systolic_pressure]) {
        message.faults[VS_PRESSURE_INVERTED] = pressures;
    }
    FieldSet bad = 0;
    for (const FieldSet fault : message.faults) { bad |= fault; }
    if (((message.present | bad) & vital_signs) == 0) { message.faults[VS_NO_VITAL_SIGN] = vital_signs; }
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
    rejection.length = raw.payload_length;
    rejection.tombstone = raw.payload == nullptr;
    if (raw.payload == nullptr || raw.payload_length <= 0) {
        rejection.reason = VS_EMPTY_PAYLOAD;
        return false;
    }
    if (raw.payload_length > decoder.options.max_message_bytes) {
        rejection.reason = VS_OVERSIZE;
        return false;
    }
    const auto length = static_cast<size_t>(raw.payload_length);
    if (length > decoder.buffer_capacity) { reserve_payload(decoder, length); }
    std::memcpy(decoder.buffer, raw.payload, length);
    std::memset(decoder.buffer + length, ' ', padding);
    Message message;
    const Shape shape = read_payload(decoder, length, message, rejection);
    if (shape != Shape::object) {
        rejection.reason = shape == Shape::other ? VS_NOT_AN_OBJECT : VS_MALFORMED_JSON;
        return false;
    }
    judge_together(decoder.options, raw, message);
    for (uint8_t reason = VS_MISSING_FIELD; reason < VS_REASON_COUNT; ++reason) {
        if (message.faults[reason] != 0) {
            rejection.reason = reason;
            std::memcpy(rejection.faults, message.faults, sizeof rejection.faults);
            return false;
        }
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
    // The implementation for this processor is chosen when the program runs; depth is kept here, not there.
    const simdjson::error_code error = simdjson::get_active_implementation()->create_dom_parser_implementation(
        first_capacity, 1, decoder->parser);
    if (error != simdjson::SUCCESS) { stop("simdjson has no implementation for this processor, or no memory"); }
    set_capacity(*decoder, first_capacity);
    return decoder;
}

void vs_decoder_destroy(vs_decoder *decoder) {
    if (decoder == nullptr) { return; }
    std::free(decoder->buffer);
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
    if (decoder->buffer_capacity > kept_capacity) { set_capacity(*decoder, kept_capacity); }
    return decoder->outcome;
}

ptrdiff_t vs_rejection_message(const vs_decoder *decoder, ptrdiff_t index) {
    return decoder->rejections[index].message;
}

uint8_t vs_rejection_reason(const vs_decoder *decoder, ptrdiff_t index) { return decoder->rejections[index].reason; }

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
