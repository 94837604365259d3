// The fields of one `vitals` message: which there are, what they say, what is wrong with them.
#pragma once

#include "findings.hpp"

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

constexpr FieldSet vital_signs = 0x00FF;
constexpr FieldSet origin_fields = bit(facility_id) | bit(sector_id) | bit(device_id);

/// Everything that is known of a message after its payload was walked through once.
struct Message : Findings {
    uint64_t patient_high = 0;
    uint64_t patient_low = 0;
    const uint8_t *patient_text = nullptr;  ///< 36 bytes; nullptr when it was written with escapes
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

/// Reads the fields of an object of the `vitals` topic.
class Reader : public MemberReader<Reader, field_count> {
public:
    Reader(Tokens &place, Scratch &room, const vs_options &limits, Message &found)
        : MemberReader(place, limits.judging, found), scratch(room), options(limits), message(found) {}

private:
    friend class MemberReader<Reader, field_count>;
    Scratch &scratch;
    const vs_options &options;
    Message &message;

    static unsigned field_named(Text key) { return vitals::field_named(key); }

    void forget(unsigned field) {
        if (field < 6) { message.values[field] = 0; }
    }

    void fault(int reason, unsigned field) { message.fault(reason, field); }

    bool read_value(unsigned field) {
        const uint8_t c = tokens.kind();
        switch (field) {
        case patient_id:
            if (c == '"') { return read_patient(); }
            break;
        case timestamp:
            if (c == '-' || is_digit(c)) { return read_timestamp(timestamp); }
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
        return refuse_value(field);
    }

    bool read_vital(unsigned field) {
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

    bool read_origin(unsigned field) {
        const unsigned place = field - facility_id;
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
