// Strings of JSON text: escapes, and UUIDs.
#pragma once

#include <cstdint>
#include <cstring>

namespace vitals {

/// Bytes between two quotes (or unescaped ones), borrowed.
struct Text {
    const uint8_t *start;
    size_t length;
};

inline int hex_value(uint8_t c) {
    if (static_cast<uint8_t>(c - '0') < 10) { return c - '0'; }
    const uint8_t lower = c | 0x20;
    return static_cast<uint8_t>(lower - 'a') < 6 ? lower - 'a' + 10 : -1;
}

/// The value of four hex digits, -1 when one of them is none.
inline int32_t hex4(const uint8_t *at) {
    int32_t value = 0;
    for (int i = 0; i < 4; ++i) {
        const int digit = hex_value(at[i]);
        if (digit < 0) { return -1; }
        value = value << 4 | digit;
    }
    return value;
}

inline bool has_escape(Text text) { return std::memchr(text.start, '\\', text.length) != nullptr; }

/// Whether every backslash starts an escape of RFC 8259 section 7. Half a surrogate pair is allowed by that grammar.
inline bool escapes_valid(Text text) {
    const uint8_t *at = text.start;
    const uint8_t *end = at + text.length;
    while (const void *found = std::memchr(at, '\\', static_cast<size_t>(end - at))) {
        at = static_cast<const uint8_t *>(found) + 1;
        if (at == end) { return false; }
        switch (*at) {
        case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
            ++at;
            break;
        case 'u':
            if (end - at < 5 || hex4(at + 1) < 0) { return false; }
            at += 5;
            break;
        default:
            return false;
        }
    }
    return true;
}

/// Writes a code point as UTF-8, at most 4 bytes; returns how many.
inline size_t encode_utf8(uint32_t code, uint8_t *out) {
    if (code < 0x80) {
        out[0] = static_cast<uint8_t>(code);
        return 1;
    }
    if (code < 0x800) {
        out[0] = static_cast<uint8_t>(0xC0 | code >> 6);
        out[1] = static_cast<uint8_t>(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = static_cast<uint8_t>(0xE0 | code >> 12);
        out[1] = static_cast<uint8_t>(0x80 | (code >> 6 & 0x3F));
        out[2] = static_cast<uint8_t>(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = static_cast<uint8_t>(0xF0 | code >> 18);
    out[1] = static_cast<uint8_t>(0x80 | (code >> 12 & 0x3F));
    out[2] = static_cast<uint8_t>(0x80 | (code >> 6 & 0x3F));
    out[3] = static_cast<uint8_t>(0x80 | (code & 0x3F));
    return 4;
}

/// Reads the escape behind a backslash and moves past it. False for half a surrogate pair, which is no character.
inline bool read_escape(const uint8_t *&at, const uint8_t *end, uint32_t &code) {
    const uint8_t letter = *at++;
    switch (letter) {
    case 'b': code = '\b'; return true;
    case 'f': code = '\f'; return true;
    case 'n': code = '\n'; return true;
    case 'r': code = '\r'; return true;
    case 't': code = '\t'; return true;
    case 'u': break;
    default: code = letter; return true;
    }
    code = static_cast<uint32_t>(hex4(at));
    at += 4;
    if (code < 0xD800 || code > 0xDFFF) { return true; }
    if (code > 0xDBFF || end - at < 6 || at[0] != '\\' || at[1] != 'u') { return false; }
    const auto low = static_cast<uint32_t>(hex4(at + 2));
    if (low < 0xDC00 || low > 0xDFFF) { return false; }
    at += 6;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

/// Room for an unescaped text that is stored or compared: 255 bytes and one more code point.
constexpr size_t text_limit = 255;
constexpr size_t scratch_size = text_limit + 5;

/// Unescapes a text whose escapes are valid. False when it is longer than 255 bytes, or holds U+0000 or half a
/// surrogate pair: PostgreSQL's text can store neither.
inline bool unescape(Text text, uint8_t (&out)[scratch_size], Text &result) {
    const uint8_t *at = text.start;
    const uint8_t *end = at + text.length;
    size_t length = 0;
    while (at < end) {
        if (*at != '\\') {
            out[length++] = *at++;
        } else {
            uint32_t code = 0;
            if (!read_escape(++at, end, code) || code == 0) { return false; }
            length += encode_utf8(code, out + length);
        }
        if (length > text_limit) { return false; }
    }
    result = Text{out, length};
    return true;
}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "hex8 reads its characters as a little-endian word");

/// Eight hex digits to 32 bits, all at once: false when one of them is none.
inline bool hex8(uint64_t characters, uint64_t &value) {
    constexpr uint64_t each = 0x0101010101010101;
    constexpr uint64_t high = 0x80 * each;
    const uint64_t lower = characters | 0x20 * each;
    // Adding (0x80 - a) sets a byte's top bit when it is at least a; no byte carries while all are below 0x80.
    const uint64_t digit = (characters + (0x80 - '0') * each) & ~(characters + (0x7F - '9') * each);
    const uint64_t letter = (lower + (0x80 - 'a') * each) & ~(lower + (0x7F - 'f') * each) & high;
    if ((characters & high) != 0 || ((digit | letter) & high) != high) { return false; }
    uint64_t nibbles = __builtin_bswap64((characters & 0x0F * each) + (letter >> 7) * 9);
    nibbles = (nibbles | nibbles >> 4) & 0x00FF00FF00FF00FF;
    nibbles = (nibbles | nibbles >> 8) & 0x0000FFFF0000FFFF;
    value = (nibbles | nibbles >> 16) & 0xFFFFFFFF;
    return true;
}

/// A UUID in its 36-character form, any case.
[[gnu::always_inline]] inline bool read_uuid(Text text, uint64_t &high, uint64_t &low) {
    const uint8_t *s = text.start;
    if (text.length != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-') { return false; }
    uint64_t words[4];
    std::memcpy(&words[0], s, 8);
    std::memcpy(&words[1], s + 9, 4);
    std::memcpy(reinterpret_cast<uint8_t *>(&words[1]) + 4, s + 14, 4);
    std::memcpy(&words[2], s + 19, 4);
    std::memcpy(reinterpret_cast<uint8_t *>(&words[2]) + 4, s + 24, 4);
    std::memcpy(&words[3], s + 28, 8);
    uint64_t values[4];
    for (int i = 0; i < 4; ++i) {
        if (!hex8(words[i], values[i])) { return false; }
    }
    high = values[0] << 32 | values[1];
    low = values[2] << 32 | values[3];
    return true;
}

}  // namespace vitals
