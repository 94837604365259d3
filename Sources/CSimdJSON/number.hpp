// Numbers of JSON text: the grammar of RFC 8259 section 6, and their exact value as double or 64-bit integer.
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>

namespace vitals {

/// A number token that follows the grammar.
struct Number {
    const uint8_t *begin;
    const uint8_t *end;
    uint64_t mantissa;  ///< all digits as one integer; meaningful when `exact`
    int64_t exponent;   ///< value = mantissa * 10^exponent; meaningful when `exact`
    bool negative;
    bool exact;  ///< at most 19 significant digits, so that `mantissa` did not overflow
};

inline bool is_digit(uint8_t c) { return static_cast<uint8_t>(c - '0') < 10; }

/// Whether a number, `true`, `false` or `null` may end before this byte. (simdjson's first stage does not report a
/// quote or a control character that touches a scalar, so the end must be judged here.)
inline bool ends_scalar(uint8_t c) {
    return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// Exponents beyond this are all the same: the digits of a message (at most 2^30) cannot bring them back.
constexpr int64_t exponent_bound = int64_t{1} << 40;

/// Reads the part after `e` or `E`; `at` stands behind the letter and moves to the first byte after the number.
inline bool read_exponent(const uint8_t *&at, int64_t &exponent) {
    const bool negative = *at == '-';
    if (negative || *at == '+') { ++at; }
    if (!is_digit(*at)) { return false; }
    int64_t value = 0;
    while (is_digit(*at)) {
        if (value < exponent_bound) { value = value * 10 + (*at - '0'); }
        ++at;
    }
    exponent += negative ? -value : value;
    return true;
}

/// Reads a number that starts at `at`; false when it breaks the grammar. The text is followed by at least one byte
/// that no number contains (the padding).
[[gnu::always_inline]] inline bool read_number(const uint8_t *at, Number &number) {
    number.begin = at;
    number.negative = *at == '-';
    if (number.negative) { ++at; }
    const uint8_t *digits = at;
    uint64_t mantissa = 0;
    while (is_digit(*at)) { mantissa = mantissa * 10 + static_cast<uint64_t>(*at++ - '0'); }
    auto count = at - digits;
    if (count == 0 || (*digits == '0' && count > 1)) { return false; }
    int64_t exponent = 0;
    if (*at == '.') {
        const uint8_t *fraction = ++at;
        while (is_digit(*at)) { mantissa = mantissa * 10 + static_cast<uint64_t>(*at++ - '0'); }
        if (at == fraction) { return false; }
        exponent = fraction - at;
        count += at - fraction;
    }
    number.exact = count <= 19;
    if ((*at | 0x20) == 'e' && !read_exponent(++at, exponent)) { return false; }
    number.end = at;
    number.mantissa = mantissa;
    number.exponent = exponent;
    return ends_scalar(*at);
}

/// What the digits of a number say when there are too many for `mantissa`, or when powers of ten matter.
struct Digits {
    bool zero = true;
    int64_t first_power = 0;  ///< power of ten of the first digit that is not 0
    int64_t last_power = 0;   ///< power of ten of the last digit that is not 0
    uint64_t significant = 0; ///< the digits from first to last; meaningful when there are at most 19
};

/// Looks at the digits one by one. Linear in the length of the number; not on the common path.
inline Digits scan_digits(const Number &number) {
    Digits found;
    int64_t integer_digits = 0;
    int64_t exponent = 0;
    int64_t place = 0;
    bool in_fraction = false;
    int64_t first = 0;
    int64_t last = 0;
    for (const uint8_t *at = number.begin + (number.negative ? 1 : 0); at < number.end; ++at) {
        if (*at == '.') { in_fraction = true; continue; }
        if (!is_digit(*at)) {
            read_exponent(++at, exponent);
            break;
        }
        if (!in_fraction) { ++integer_digits; }
        if (*at != '0') {
            if (found.zero) { first = place; }
            found.zero = false;
            // Bounded: once the gap reaches 20 digits the result is not used, and unsigned arithmetic wraps.
            for (int64_t gap = found.significant == 0 ? 1 : (place - last > 20 ? 20 : place - last); gap > 0; --gap) {
                found.significant *= 10;
            }
            found.significant += static_cast<uint64_t>(*at - '0');
            last = place;
        }
        ++place;
    }
    found.first_power = integer_digits - 1 - first + exponent;
    found.last_power = integer_digits - 1 - last + exponent;
    return found;
}

/// The nearest double; infinity when there is none. Never -0: two spellings of zero must not look like two values.
[[gnu::always_inline]] inline double as_double(const Number &number) {
    static constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    constexpr uint64_t exact_integers = uint64_t{1} << 53;
    double value;
    if (number.exact && number.mantissa <= exact_integers && number.exponent >= -22 && number.exponent <= 22) {
        // Both factors are exact doubles, so one rounding gives the nearest double (Clinger 1990, fast path).
        value = static_cast<double>(number.mantissa);
        value = number.exponent < 0 ? value / powers[-number.exponent] : value * powers[number.exponent];
        value = number.negative ? -value : value;
    } else {
        const auto *begin = reinterpret_cast<const char *>(number.begin);
        const auto *end = reinterpret_cast<const char *>(number.end);
        value = 0;
        if (std::from_chars(begin, end, value).ec == std::errc::result_out_of_range) {
            // The library says "out of range" for too large and for too small alike.
            const Digits digits = scan_digits(number);
            const bool large = !digits.zero && digits.first_power > 0;
            const double magnitude = large ? std::numeric_limits<double>::infinity() : 0;
            value = number.negative ? -magnitude : magnitude;
        }
    }
    return value + 0.0;  // -0 + 0 = 0
}

enum class IntegerKind { integer, fraction, too_large };

/// The exact integer, also when it is written with a fraction of zeros or an exponent (1.7e12).
inline IntegerKind as_integer(const Number &number, int64_t &value) {
    constexpr auto largest = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    uint64_t magnitude = number.mantissa;
    if (!number.exact || number.exponent != 0) {
        const Digits digits = scan_digits(number);
        if (digits.zero) {
            value = 0;
            return IntegerKind::integer;
        }
        if (digits.last_power < 0) { return IntegerKind::fraction; }
        if (digits.first_power > 18) { return IntegerKind::too_large; }
        magnitude = digits.significant;
        for (int64_t power = digits.last_power; power > 0; --power) { magnitude *= 10; }
    }
    if (magnitude > largest) { return IntegerKind::too_large; }
    value = number.negative ? -static_cast<int64_t>(magnitude) : static_cast<int64_t>(magnitude);
    return IntegerKind::integer;
}

}  // namespace vitals
