// What a decoder holds: buffers made once, and what the last slice left to be asked for.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <memory>

#include "message.hpp"

namespace vitals {

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

/// An accepted reading's place: texts in `vs_decoder::texts`, length -1 where there is none.
struct Origin {
    ptrdiff_t reading;
    ptrdiff_t offset;
    int16_t lengths[3];
};

}  // namespace vitals

struct vs_decoder {
    vs_options options = {};
    vitals::Scratch scratch = {};
    /// The current payload, then at least `padding` blanks.
    uint8_t *buffer = nullptr;
    size_t buffer_capacity = 0;
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
    /// Room for a slice of `slice_capacity` messages, all of them rejected or all with an origin.
    ptrdiff_t slice_capacity = 0;
    vitals::Rejection *rejections = nullptr;
    vitals::Origin *origins = nullptr;
    uint8_t *texts = nullptr;
    ptrdiff_t texts_used = 0;
    vs_outcome outcome = {};
};
