// The grammar of JSON over the structural characters that simdjson's first stage found.
//
// The first stage guarantees: valid UTF-8, every string closed, no control character inside a string, and an index
// for each of { } [ ] : , for each opening quote and for the first byte of each other run of non-blank bytes that
// does not touch the end of such a run. So a string token ends at the last quote before the next index, and
// everything else is judged here, byte by byte where needed. No recursion: depth is a number.
#pragma once

#include <cstdint>
#include <cstring>

#include "number.hpp"
#include "text.hpp"

namespace vitals {

/// Levels of arrays and objects, the outermost one included.
constexpr int depth_limit = 1024;

/// A place in the tokens of one payload. `next[0]` is the current token; behind the last one stand two indices of
/// the payload's end, where the padding holds a blank, so that looking one ahead needs no bounds check.
struct Tokens {
    const uint8_t *bytes;
    const uint32_t *next;
    bool too_deep;

    const uint8_t *here() const { return bytes + *next; }
    uint8_t kind() const { return bytes[*next]; }
};

/// The text of the string token at the current place; false only if the first stage broke its guarantee.
inline bool string_at(const Tokens &tokens, Text &text) {
    const uint8_t *open = tokens.here();
    const uint8_t *close = tokens.bytes + tokens.next[1];
    do { --close; } while (*close != '"');
    if (close <= open) { return false; }
    text = Text{open + 1, static_cast<size_t>(close - open - 1)};
    return true;
}

inline bool literal_at(const uint8_t *at, const char *word, size_t length) {
    return std::memcmp(at, word, length) == 0 && ends_scalar(at[length]);
}

/// Judges the string, number or literal at the current place and steps over it.
inline bool skip_scalar(Tokens &tokens) {
    const uint8_t *at = tokens.here();
    Number number;
    Text text;
    bool valid = false;
    switch (*at) {
    case '"': valid = string_at(tokens, text) && escapes_valid(text); break;
    case 't': valid = literal_at(at, "true", 4); break;
    case 'f': valid = literal_at(at, "false", 5); break;
    case 'n': valid = literal_at(at, "null", 4); break;
    default: valid = read_number(at, number); break;
    }
    if (valid) { ++tokens.next; }
    return valid;
}

/// Judges a key and its colon and steps over both.
inline bool skip_key(Tokens &tokens) {
    Text text;
    if (tokens.kind() != '"' || tokens.bytes[tokens.next[1]] != ':') { return false; }
    if (!string_at(tokens, text) || !escapes_valid(text)) { return false; }
    tokens.next += 2;
    return true;
}

/// Which of the open containers are objects; one bit a level.
class Nesting {
public:
    explicit Nesting(int outer) : depth(outer), base(outer) {}

    bool open(bool object) {
        if (depth == depth_limit) { return false; }
        const uint64_t bit = uint64_t{1} << (depth & 63);
        objects[depth >> 6] = object ? objects[depth >> 6] | bit : objects[depth >> 6] & ~bit;
        ++depth;
        return true;
    }
    void close() { --depth; }
    bool any() const { return depth > base; }
    bool in_object() const { return (objects[(depth - 1) >> 6] >> ((depth - 1) & 63) & 1) != 0; }

private:
    int depth;
    int base;
    uint64_t objects[depth_limit / 64];  // a bit is written before it is read
};

/// After a value inside containers: closes what ends here and stands before the next value when one follows.
inline bool step_out(Tokens &tokens, Nesting &nesting) {
    while (nesting.any()) {
        const bool object = nesting.in_object();
        const uint8_t c = tokens.kind();
        if (c == ',') {
            ++tokens.next;
            return !object || skip_key(tokens);
        }
        if (c != (object ? '}' : ']')) { return false; }
        ++tokens.next;
        nesting.close();
    }
    return true;
}

/// Judges any array or object at the current place and steps over it; `outer` levels are open around it.
inline bool skip_container(Tokens &tokens, int outer) {
    Nesting nesting(outer);
    do {
        const uint8_t c = tokens.kind();
        if (c == '{' || c == '[') {
            if (!nesting.open(c == '{')) {
                tokens.too_deep = true;
                return false;
            }
            ++tokens.next;
            if (tokens.kind() != (c == '{' ? '}' : ']')) {
                if (c == '{' && !skip_key(tokens)) { return false; }
                continue;
            }
            ++tokens.next;
            nesting.close();
        } else if (!skip_scalar(tokens)) {
            return false;
        }
        if (!step_out(tokens, nesting)) { return false; }
    } while (nesting.any());
    return true;
}

/// Judges any value and steps over it.
inline bool skip_value(Tokens &tokens, int outer) {
    const uint8_t c = tokens.kind();
    return c == '{' || c == '[' ? skip_container(tokens, outer) : skip_scalar(tokens);
}

}  // namespace vitals
