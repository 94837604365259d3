// The text of a rejection: names of fields, counts and places, never a value of the payload.
#include <charconv>
#include <cstring>

#include "document.hpp"

namespace {

using namespace vitals;

constexpr const char *reason_codes[VS_REASON_COUNT] = {
    "empty_payload",
    "oversize",
    "malformed_json",
    "not_an_object",
    "missing_field",
    "wrong_type",
    "unknown_event",
    "invalid_patient_id",
    "invalid_timestamp",
    "timestamp_in_future",
    "temperature_fahrenheit_suspected",
    "out_of_range",
    "pressure_inverted",
    "no_vital_sign",
};

/// Appends to a fixed room; what does not fit is cut.
class Writer {
public:
    Writer(char *text, ptrdiff_t capacity) : start(text), at(text), end(text + capacity) {}

    void append(const char *text) {
        const auto length = static_cast<ptrdiff_t>(std::strlen(text));
        const ptrdiff_t fits = length < end - at ? length : end - at;
        std::memcpy(at, text, static_cast<size_t>(fits));
        at += fits;
    }
    void append(long long number) {
        char digits[24];
        *std::to_chars(digits, digits + 23, number).ptr = 0;
        append(digits);
    }
    ptrdiff_t length() const { return at - start; }

private:
    char *start;
    char *at;
    char *end;
};

void write_malformed(Writer &writer, const Rejection &rejection) {
    switch (rejection.malformed) {
    case Malformed::syntax:
        writer.append("unexpected at byte ");
        writer.append(static_cast<long long>(rejection.place));
        break;
    case Malformed::truncated:
        writer.append("ends too early, after ");
        writer.append(static_cast<long long>(rejection.length));
        writer.append(" bytes");
        break;
    case Malformed::too_deep: writer.append("nested deeper than 1024 levels"); break;
    case Malformed::not_utf8: writer.append("not UTF-8"); break;
    case Malformed::unclosed_string: writer.append("a string is not closed"); break;
    case Malformed::control_character: writer.append("a control character in a string"); break;
    case Malformed::blank: writer.append("blank"); break;
    }
}

const char *kind_of(uint8_t root) {
    switch (root) {
    case '[': return "array";
    case '"': return "string";
    case 't':
    case 'f': return "boolean";
    case 'n': return "null";
    default: return "number";
    }
}

/// "wrong_type: heartRate, timestamp; out_of_range: temperature"
void write_faults(Writer &writer, const Rejection &rejection, const char *const *field_names, int field_count) {
    const char *separator = "";
    for (int reason = VS_MISSING_FIELD; reason < VS_REASON_COUNT; ++reason) {
        const FieldSet fields = rejection.faults[reason];
        if (fields == 0) { continue; }
        writer.append(separator);
        writer.append(reason_codes[reason]);
        separator = "; ";
        if (reason == VS_NO_VITAL_SIGN) { continue; }
        const char *before = ": ";
        for (int field = 0; field < field_count; ++field) {
            if ((fields & bit(static_cast<unsigned>(field))) == 0) { continue; }
            writer.append(before);
            writer.append(field_names[field]);
            before = ", ";
        }
    }
}

}  // namespace

ptrdiff_t vitals::write_detail(
    const Rejection &rejection, const vs_judging &judging, const char *const *field_names, int field_count,
    uint8_t *text, ptrdiff_t capacity) {
    Writer writer(reinterpret_cast<char *>(text), capacity);
    switch (rejection.reason) {
    case VS_EMPTY_PAYLOAD: writer.append(rejection.tombstone ? "tombstone" : "0 bytes"); break;
    case VS_OVERSIZE:
        writer.append(static_cast<long long>(rejection.length));
        writer.append(" bytes, at most ");
        writer.append(static_cast<long long>(judging.max_message_bytes));
        break;
    case VS_MALFORMED_JSON: write_malformed(writer, rejection); break;
    case VS_NOT_AN_OBJECT: writer.append(kind_of(rejection.root)); break;
    default: write_faults(writer, rejection, field_names, field_count); break;
    }
    return writer.length();
}
