// A payload in a padded buffer with simdjson's first stage over it: the part of a decoder that knows no field.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "findings.hpp"

namespace vitals {

/// Blanks behind the payload: they end a number or a literal that the payload's end cuts off, so that the walk needs
/// no check of bounds at every byte.
constexpr size_t padding = 64;
/// What a decoder keeps between slices; larger buffers are given back.
constexpr size_t kept_capacity = size_t{1} << 20;
constexpr size_t first_capacity = size_t{1} << 12;

[[noreturn]] inline void stop(const char *why) {
    std::fprintf(stderr, "CSimdJSON: %s\n", why);
    std::abort();
}

template <typename Element>
void grow(Element *&array, size_t count) {
    std::free(array);
    array = static_cast<Element *>(std::malloc(count * sizeof(Element)));
    if (array == nullptr) { stop("out of memory"); }
}

/// A rejected message; its detail is written from this when somebody asks.
struct Rejection {
    ptrdiff_t message;
    ptrdiff_t length;  ///< bytes of the payload
    uint8_t reason;
    Malformed malformed;
    uint8_t root;  ///< first byte of a value that is not an object
    bool tombstone;
    uint32_t place;  ///< of a syntax error, bytes from the start
    FieldSet faults[VS_REASON_COUNT];
};

/// What the payload is, before its fields are judged together.
enum class Shape { object, other, malformed };

/// The buffer and its parser; grows to the largest payload.
class Document {
public:
    Document() {
        // The implementation for this processor is chosen when the program runs; depth is kept here, not there.
        const simdjson::error_code error = simdjson::get_active_implementation()->create_dom_parser_implementation(
            first_capacity, 1, parser);
        if (error != simdjson::SUCCESS) { stop("simdjson has no implementation for this processor, or no memory"); }
        set_capacity(first_capacity);
    }
    ~Document() { std::free(buffer); }
    Document(const Document &) = delete;
    Document &operator=(const Document &) = delete;

    /// Takes the payload in; false (with the reason) when it is empty or too long to be read at all.
    bool load(const vs_message &raw, const vs_judging &judging, Rejection &rejection) {
        rejection.length = raw.payload_length;
        rejection.tombstone = raw.payload == nullptr;
        if (raw.payload == nullptr || raw.payload_length <= 0) {
            rejection.reason = VS_EMPTY_PAYLOAD;
            return false;
        }
        if (raw.payload_length > judging.max_message_bytes) {
            rejection.reason = VS_OVERSIZE;
            return false;
        }
        length = static_cast<size_t>(raw.payload_length);
        size_t wanted = capacity;
        while (wanted < length) { wanted *= 2; }
        if (wanted > capacity) { set_capacity(wanted); }
        std::memcpy(buffer, raw.payload, length);
        std::memset(buffer + length, ' ', padding);
        return true;
    }

    /// Walks through the whole payload; `read_members` (Tokens&) reads an object's. False with the reason when it is
    /// no JSON object.
    template <typename ReadMembers>
    bool read(Rejection &rejection, ReadMembers read_members) {
        const Shape shape = walk(rejection, read_members);
        if (shape == Shape::object) { return true; }
        rejection.reason = shape == Shape::other ? VS_NOT_AN_OBJECT : VS_MALFORMED_JSON;
        return false;
    }

    /// Gives back what a large payload needed.
    void shrink() {
        if (capacity > kept_capacity) { set_capacity(kept_capacity); }
    }

private:
    uint8_t *buffer = nullptr;
    size_t capacity = 0;
    size_t length = 0;
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;

    void set_capacity(size_t wanted) {
        grow(buffer, wanted + padding);
        if (parser->set_capacity(wanted) != simdjson::SUCCESS) { stop("out of memory"); }
        capacity = wanted;
    }

    static Malformed cause(simdjson::error_code error) {
        switch (error) {
        case simdjson::UTF8_ERROR: return Malformed::not_utf8;
        case simdjson::UNCLOSED_STRING: return Malformed::unclosed_string;
        case simdjson::UNESCAPED_CHARS: return Malformed::control_character;
        case simdjson::EMPTY: return Malformed::blank;
        default: return Malformed::syntax;
        }
    }

    template <typename ReadMembers>
    Shape walk(Rejection &rejection, ReadMembers read_members) {
        const simdjson::error_code error = parser->stage1(buffer, length, simdjson::stage1_mode::regular);
        rejection.place = 0;
        if (error != simdjson::SUCCESS) {
            rejection.malformed = cause(error);
            return Shape::malformed;
        }
        uint32_t *indices = parser->structural_indexes.get();
        const uint32_t count = parser->n_structural_indexes;
        // The parser has room for more indices than the payload has bytes.
        indices[count] = indices[count + 1] = static_cast<uint32_t>(length);
        Tokens tokens{buffer, indices, false};
        bool valid;
        const uint8_t root = tokens.kind();
        if (root == '{') {
            ++tokens.next;
            valid = read_members(tokens);
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
};

/// Writes the detail of a rejection: names of fields, counts and places, never a value of the payload.
ptrdiff_t write_detail(
    const Rejection &rejection, const vs_judging &judging, const char *const *field_names, int field_count,
    uint8_t *text, ptrdiff_t capacity);

}  // namespace vitals
