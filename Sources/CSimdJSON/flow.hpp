// The fields of one `patient-flow` message: which there are, what they say, what is wrong with them.
#pragma once

#include "findings.hpp"

namespace vitals::flow {

/// The fields of the format, in the contract's order, which is the order of a detail.
enum Field : uint8_t {
    event_id,
    facility_id,
    sector_id,
    visit_id,
    patient_id,
    event,
    to_sector_id,
    acuity,
    timestamp,
    field_count
};

constexpr FieldSet required =
    bit(event_id) | bit(facility_id) | bit(sector_id) | bit(visit_id) | bit(event) | bit(timestamp);

/// A 128-bit id, big-endian.
struct Identity {
    uint64_t high = 0;
    uint64_t low = 0;
};

/// Everything that is known of a message after its payload was walked through once.
struct Message : Findings {
    Identity event_id;
    Identity patient_id;
    Text texts[to_sector_id + 1] = {};  ///< by field; facility, sector, visit and destination are used
    uint8_t kind = 0;                   ///< VS_ARRIVAL...; 0 when unknown
    uint8_t acuity = 0;
};

/// Where unescaped texts go, by field, so that all of them live until the event is taken.
struct Scratch {
    uint8_t texts[to_sector_id + 1][scratch_size];
};

/// The field of a key, `field_count` for one that the format does not know.
inline unsigned field_named(Text key) {
    const uint8_t *k = key.start;
    switch (key.length) {
    case 5: return is(k, "event") ? event : field_count;
    case 6: return is(k, "acuity") ? acuity : field_count;
    case 7: return is(k, "eventId") ? event_id : is(k, "visitId") ? visit_id : field_count;
    case 8: return is(k, "sectorId") ? sector_id : field_count;
    case 9: return is(k, "patientId") ? patient_id : is(k, "timestamp") ? timestamp : field_count;
    case 10: return is(k, "facilityId") ? facility_id : is(k, "toSectorId") ? to_sector_id : field_count;
    default: return field_count;
    }
}

/// The kind of an event's name, 0 for none of the seven.
inline uint8_t kind_named(Text name) {
    const uint8_t *n = name.start;
    switch (name.length) {
    case 6: return is(n, "triage") ? VS_TRIAGE : 0;
    case 7: return is(n, "arrival") ? VS_ARRIVAL : 0;
    case 8: return is(n, "transfer") ? VS_TRANSFER : 0;
    case 9: return is(n, "departure") ? VS_DEPARTURE : is(n, "cancelled") ? VS_CANCELLED : 0;
    case 15: return is(n, "treatment_start") ? VS_TREATMENT_START : 0;
    case 23: return is(n, "left_without_being_seen") ? VS_LEFT_WITHOUT_BEING_SEEN : 0;
    default: return 0;
    }
}

/// Reads the fields of an object of the `patient-flow` topic.
class Reader : public MemberReader<Reader, field_count> {
public:
    Reader(Tokens &place, Scratch &room, const vs_judging &options, Message &found)
        : MemberReader(place, options, found), scratch(room), message(found) {}

private:
    friend class MemberReader<Reader, field_count>;
    Scratch &scratch;
    Message &message;

    static unsigned field_named(Text key) { return flow::field_named(key); }

    /// Values are only used when their field is present, so there is nothing more to forget.
    void forget(unsigned) {}

    bool read_value(unsigned field) {
        const uint8_t c = tokens.kind();
        const bool number = c == '-' || is_digit(c);
        switch (field) {
        case timestamp:
            if (number) { return read_timestamp(timestamp); }
            break;
        case acuity:
            if (number) { return read_acuity(); }
            break;
        case event_id:
            if (c == '"') { return read_identity(field, message.event_id, VS_WRONG_TYPE); }
            break;
        case patient_id:
            if (c == '"') { return read_identity(field, message.patient_id, VS_INVALID_PATIENT_ID); }
            break;
        case event:
            if (c == '"') { return read_kind(); }
            break;
        default:
            if (c == '"') { return read_name(field); }
            break;
        }
        return refuse_value(field);
    }

    bool read_identity(unsigned field, Identity &identity, int reason) {
        Text text;
        bool usable = false;
        if (!read_text(scratch.texts[field], text, usable)) { return false; }
        if (usable && read_uuid(text, identity.high, identity.low)) {
            message.present |= bit(field);
        } else {
            message.fault(reason, field);
        }
        return true;
    }

    /// A text that is stored: 1 to 255 bytes, none of them U+0000.
    bool read_name(unsigned field) {
        bool usable = false;
        if (!read_text(scratch.texts[field], message.texts[field], usable)) { return false; }
        if (usable && message.texts[field].length > 0) {
            message.present |= bit(field);
        } else {
            message.fault(VS_WRONG_TYPE, field);
        }
        return true;
    }

    bool read_kind() {
        Text text;
        bool usable = false;
        if (!read_text(scratch.texts[event], text, usable)) { return false; }
        message.kind = usable ? kind_named(text) : 0;
        if (message.kind != 0) {
            message.present |= bit(event);
        } else {
            message.fault(VS_UNKNOWN_EVENT, event);
        }
        return true;
    }

    bool read_acuity() {
        Number number;
        if (!read_number(tokens.here(), number)) { return false; }
        ++tokens.next;
        int64_t level = 0;
        const IntegerKind kind = as_integer(number, level);
        if (kind == IntegerKind::fraction) {
            message.fault(VS_WRONG_TYPE, acuity);
        } else if (kind == IntegerKind::too_large || level < 1 || level > 5) {
            message.fault(VS_OUT_OF_RANGE, acuity);
        } else {
            message.acuity = static_cast<uint8_t>(level);
            message.present |= bit(acuity);
        }
        return true;
    }
};

}  // namespace vitals::flow
