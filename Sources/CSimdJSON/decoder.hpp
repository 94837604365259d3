// What a decoder of vital signs holds: buffers made once, and what the last slice left to be asked for.
#pragma once

#include "document.hpp"
#include "message.hpp"

namespace vitals {

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
    vitals::Document document;
    /// Room for a slice of `slice_capacity` messages, all of them rejected or all with an origin.
    ptrdiff_t slice_capacity = 0;
    vitals::Rejection *rejections = nullptr;
    vitals::Origin *origins = nullptr;
    uint8_t *texts = nullptr;
    ptrdiff_t texts_used = 0;
    vs_outcome outcome = {};
};
