// What is known of a message's fields, whatever its format, and how an object's members are walked through.
#pragma once

#include <cstdint>
#include <cstring>

#include "include/CSimdJSON.h"
#include "walk.hpp"

namespace vitals {

/// Fields of one format as bits; a format has at most 16.
using FieldSet = uint16_t;
constexpr FieldSet bit(unsigned field) { return static_cast<FieldSet>(1u << field); }

/// Why a payload is not JSON, for the detail.
enum class Malformed : uint8_t { syntax, truncated, too_deep, not_utf8, unclosed_string, control_character, blank };

/// Everything that every format's message has.
struct Findings {
    FieldSet seen = 0;     ///< named in the payload, also with null
    FieldSet present = 0;  ///< of the right type and readable
    FieldSet faults[VS_REASON_COUNT] = {};  ///< bad fields by reason
    int64_t unknown_fields = 0;
    int64_t time = 0;

    void fault(int reason, unsigned field) { faults[reason] |= bit(field); }

    FieldSet bad() const {
        FieldSet all = 0;
        for (const FieldSet set : faults) { all |= set; }
        return all;
    }

    /// The first reason that applies; VS_REASON_COUNT when nothing is wrong.
    uint8_t reason() const {
        uint8_t first = VS_MISSING_FIELD;
        while (first < VS_REASON_COUNT && faults[first] == 0) { ++first; }
        return first;
    }

    /// Whether the instant is further ahead of the broker's than allowed; a broker without one judges nothing.
    bool in_future(const vs_judging &judging, const vs_message &raw) const {
        return judging.max_future_ms >= 0 && raw.timestamp_ms >= 0 && time > raw.timestamp_ms
            && time - raw.timestamp_ms > judging.max_future_ms;
    }
};

/// Reads the members of an object; `Tokens` stand behind its opening brace. Of a field given twice the last counts.
///
/// `Format` derives from this and gives `field_named(Text)`, `forget(unsigned)` and `read_value(unsigned)`; `count` is
/// its number of fields, which also stands for a field that the format does not know.
template <typename Format, unsigned count>
class MemberReader {
public:
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

protected:
    Tokens &tokens;

    MemberReader(Tokens &place, const vs_judging &options, Findings &message)
        : tokens(place), judging(options), findings(message) {}

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

    /// An instant in milliseconds since 1970, above 0 and before the year 10000.
    bool read_timestamp(unsigned field) {
        Number number;
        if (!read_number(tokens.here(), number)) { return false; }
        ++tokens.next;
        switch (as_integer(number, findings.time)) {
        case IntegerKind::fraction: findings.fault(VS_WRONG_TYPE, field); break;
        case IntegerKind::too_large: findings.fault(VS_INVALID_TIMESTAMP, field); break;
        case IntegerKind::integer:
            if (findings.time > 0 && findings.time <= judging.latest_time_ms) {
                findings.present |= bit(field);
            } else {
                findings.fault(VS_INVALID_TIMESTAMP, field);
            }
        }
        return true;
    }

    /// A value of another type than the field's: null equals absent; the rest is a fault, and must still be JSON.
    bool refuse_value(unsigned field) {
        if (tokens.kind() != 'n') { findings.fault(VS_WRONG_TYPE, field); }
        return skip_value(tokens, 1);
    }

private:
    const vs_judging &judging;
    Findings &findings;

    Format &format() { return static_cast<Format &>(*this); }

    bool read_member() {
        Text key;
        if (tokens.kind() != '"' || tokens.bytes[tokens.next[1]] != ':' || !string_at(tokens, key)) { return false; }
        unsigned field = Format::field_named(key);
        if (__builtin_expect(field == count, 0)) {
            if (!escapes_valid(key)) { return false; }
            uint8_t room[scratch_size];
            Text plain;
            // "heart\u0052ate" is the same key as "heartRate".
            if (has_escape(key) && unescape(key, room, plain)) { field = Format::field_named(plain); }
        }
        tokens.next += 2;
        if (field == count) {
            ++findings.unknown_fields;
            return skip_value(tokens, 1);
        }
        if (__builtin_expect((findings.seen & bit(field)) != 0, 0)) { forget(field); }
        findings.seen |= bit(field);
        return format().read_value(field);
    }

    void forget(unsigned field) {
        findings.present &= static_cast<FieldSet>(~bit(field));
        for (FieldSet &fault : findings.faults) { fault &= static_cast<FieldSet>(~bit(field)); }
        format().forget(field);
    }
};

template <size_t size>
inline bool is(const uint8_t *key, const char (&name)[size]) {
    return std::memcmp(key, name, size - 1) == 0;
}

}  // namespace vitals
