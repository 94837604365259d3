// The fields of one `vitals` message: which there are, what they say, what is wrong with them.
#pragma once

#include <cstdint>
#include <cstring>

#include "include/CSimdJSON.h"
#include "walk.hpp"

namespace vitals {

/// The fields of the format. The six numeric vital signs come first, so that a field is also an index of `values`
/// and a bit of a reading's presence, as are the two categorical ones behind them.
enum Field : uint8_t {
    heart_rate,
    temperature,
    oxygen_saturation,
    respiratory_rate,
    systolic_pressure,
    diastolic_pressure,
    consciousness,
    supplemental_oxygen,
    patient_id,
    timestamp,
    facility_id,
    sector_id,
    device_id,
    large_data,
    field_count
};

using FieldSet = uint16_t;
constexpr FieldSet bit(Field field) { return static_cast<FieldSet>(1u << field); }
constexpr FieldSet vital_signs = 0x00FF;
constexpr FieldSet origin_fields = bit(facility_id) | bit(sector_id) | bit(device_id);

/// Why a payload is not JSON, for the detail.
enum class Malformed : uint8_t { syntax, truncated, too_deep, not_utf8, unclosed_string, control_character, blank };

/// Everything that is known of a message after its payload was walked through once.
struct Message {
    FieldSet seen = 0;     ///< named in the payload, also with null
    FieldSet present = 0;  ///< of the right type and readable
    FieldSet faults[VS_REASON_COUNT] = {};  ///< bad fields by reason
    int64_t unknown_fields = 0;
    uint64_t patient_high = 0;
    uint64_t patient_low = 0;
    const uint8_t *patient_text = nullptr;  ///< 36 bytes; nullptr when it was written with escapes
    int64_t time = 0;
    double values[6] = {};
    uint8_t consciousness_code = 0;
    bool oxygen_given = false;
    Text origin[3] = {};
};

/// Where unescaped texts go; one for each origin text, so that all three live until the message is judged.
struct Scratch {
    uint8_t texts[3][scratch_size];
    uint8_t other[scratch_size];
};

template <size_t size>
inline bool is(const uint8_t *key, const char (&name)[size]) {
    return std::memcmp(key, name, size - 1) == 0;
}

/// The field of a key, `field_count` for one that the format does not know.
[[gnu::always_inline]] inline Field field_named(Text key) {
    const uint8_t *k = key.start;
    switch (key.length) {
    case 8: return is(k, "sectorId") ? sector_id : is(k, "deviceId") ? device_id : field_count;
    case 9:
        return is(k, "heartRate") ? heart_rate
            : is(k, "patientId") ? patient_id
            : is(k, "timestamp") ? timestamp
                                 : field_count;
    case 10: return is(k, "large_data") ? large_data : is(k, "facilityId") ? facility_id : field_count;
    case 11: return is(k, "temperature") ? temperature : field_count;
    case 13: return is(k, "consciousness") ? consciousness : field_count;
    case 15: return is(k, "respiratoryRate") ? respiratory_rate : field_count;
    case 16:
        return is(k, "oxygenSaturation") ? oxygen_saturation
            : is(k, "systolicPressure")  ? systolic_pressure
                                         : field_count;
    case 17: return is(k, "diastolicPressure") ? diastolic_pressure : field_count;
    case 18: return is(k, "supplementalOxygen") ? supplemental_oxygen : field_count;
    default: return field_count;
    }
}

/// Reads the fields of an object; `Tokens` stand behind its opening brace. Of a field given twice the last counts.
class Reader {
public:
    Reader(Tokens &tokens, Scratch &scratch, const vs_options &options, Message &message)
        : tokens(tokens), scratch(scratch), options(options), message(message) {}

    /// False when the payload breaks JSON's grammar.
    bool read_members() {
        if (tokens.kind() == '}') {
            ++tokens.next;
            return true;
        }
        while (true) {
            if (!read_member()) { return false; }
            const uint8_t c = tokens.kind();
            ++tokens.next;
            if (c == '}') { return true; }
            if (c != ',') {
                --tokens.next;
                return false;
            }
        }
    }

private:
    Tokens &tokens;
    Scratch &scratch;
    const vs_options &options;
    Message &message;

    bool read_member() {
        Text key;
        if (tokens.kind() != '"' || tokens.bytes[tokens.next[1]] != ':' || !string_at(tokens, key)) { return false; }
        Field field = field_named(key);
        if (__builtin_expect(field == field_count, 0)) {
            if (!escapes_valid(key)) { return false; }
            Text plain;
            // "heart\u0052ate" is the same key as "heartRate".
            if (has_escape(key) && unescape(key, scratch.other, plain)) { field = field_named(plain); }
        }
        tokens.next += 2;
        if (field == field_count) {
            ++message.unknown_fields;
            return skip_value(tokens, 1);
        }
        if (__builtin_expect((message.seen & bit(field)) != 0, 0)) { forget(field); }
        message.seen |= bit(field);
        return read_value(field);
    }

    void forget(Field field) {
        message.present &= static_cast<FieldSet>(~bit(field));
        for (FieldSet &fault : message.faults) { fault &= static_cast<FieldSet>(~bit(field)); }
        if (field < 6) { message.values[field] = 0; }
    }

    void fault(int reason, Field field) { message.faults[reason] |= bit(field); }

    bool read_value(Field field) {
        const uint8_t c = tokens.kind();
        switch (field) {
        case patient_id:
            if (c == '"') { return read_patient(); }
            break;
        case timestamp:
            if (c == '-' || is_digit(c)) { return read_timestamp(); }
            break;
        case consciousness:
            if (c == '"') { return read_consciousness(); }
            break;
        case supplemental_oxygen:
            if (c == 't' || c == 'f') { return read_oxygen(c == 't'); }
            break;
        case facility_id:
        case sector_id:
        case device_id:
            if (c == '"') { return read_origin(field); }
            break;
        case large_data:
            if (c == '"') { return skip_scalar(tokens); }
            break;
        default:
            if (c == '-' || is_digit(c)) { return read_vital(field); }
            break;
        }
        // null equals absent; anything else is of the wrong type, and must still be JSON.
        if (c != 'n') { fault(VS_WRONG_TYPE, field); }
        return skip_value(tokens, 1);
    }

    bool read_vital(Field field) {
        Number number;
        if (!read_number(tokens.here(), number)) { return false; }
        ++tokens.next;
        const double value = as_double(number);
        message.values[field] = value;
        message.present |= bit(field);
        if (__builtin_expect(!(value >= options.lowest[field] && value <= options.highest[field]), 0)) {
            const bool fahrenheit = field == temperature && value >= options.fahrenheit_lowest
                && value <= options.fahrenheit_highest;
            fault(fahrenheit ? VS_TEMPERATURE_FAHRENHEIT_SUSPECTED : VS_OUT_OF_RANGE, field);
        }
        return true;
    }

    bool read_timestamp() {
        Number number;
        if (!read_number(tokens.here(), number)) { return false; }
        ++tokens.next;
        switch (as_integer(number, message.time)) {
        case IntegerKind::fraction: fault(VS_WRONG_TYPE, timestamp); break;
        case IntegerKind::too_large: fault(VS_INVALID_TIMESTAMP, timestamp); break;
        case IntegerKind::integer:
            if (message.time > 0 && message.time <= options.latest_time_ms) {
                message.present |= bit(timestamp);
            } else {
                fault(VS_INVALID_TIMESTAMP, timestamp);
            }
        }
        return true;
    }

    /// The text at the current place without escapes. False when the payload is malformed; `usable` is false when
    /// the text is too long or cannot be stored.
    bool read_text(uint8_t (&room)[scratch_size], Text &text, bool &usable) {
        Text raw;
        if (!string_at(tokens, raw)) { return false; }
        text = raw;
        usable = raw.length <= text_limit;
        if (has_escape(raw)) {
            if (!escapes_valid(raw)) { return false; }
            usable = unescape(raw, room, text);
        }
        ++tokens.next;
        return true;
    }

    bool read_patient() {
        Text raw;
        if (!string_at(tokens, raw)) { return false; }
        if (__builtin_expect(read_uuid(raw, message.patient_high, message.patient_low), 1)) {
            message.patient_text = raw.start;
            message.present |= bit(patient_id);
            ++tokens.next;
            return true;
        }
        Text text;
        bool usable = false;
        if (!read_text(scratch.other, text, usable)) { return false; }
        message.patient_text = nullptr;
        if (usable && read_uuid(text, message.patient_high, message.patient_low)) {
            message.present |= bit(patient_id);
        } else {
            fault(VS_INVALID_PATIENT_ID, patient_id);
        }
        return true;
    }

    bool read_consciousness() {
        Text text;
        bool usable = false;
        if (!read_text(scratch.other, text, usable)) { return false; }
        message.consciousness_code = 0;
        if (usable && text.length == 1) {
            switch (text.start[0]) {
            case 'A': message.consciousness_code = 1; break;
            case 'C': message.consciousness_code = 2; break;
            case 'V': message.consciousness_code = 3; break;
            case 'P': message.consciousness_code = 4; break;
            case 'U': message.consciousness_code = 5; break;
            default: break;
            }
        }
        if (message.consciousness_code == 0) { fault(VS_OUT_OF_RANGE, consciousness); }
        message.present |= bit(consciousness);
        return true;
    }

    bool read_oxygen(bool given) {
        message.oxygen_given = given;
        message.present |= bit(supplemental_oxygen);
        return skip_scalar(tokens);
    }

    bool read_origin(Field field) {
        const int place = field - facility_id;
        bool usable = false;
        if (!read_text(scratch.texts[place], message.origin[place], usable)) { return false; }
        if (usable) {
            message.present |= bit(field);
        } else {
            fault(VS_WRONG_TYPE, field);
        }
        return true;
    }
};

}  // namespace vitals
