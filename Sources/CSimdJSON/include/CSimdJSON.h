/* Vital signs from JSON text to 64-byte rows, a slice of messages per call; and patient-flow events, one per call.
 *
 * simdjson is C++ made of templates, which Swift cannot import; this header is all that Swift sees of it.
 * simdjson's first stage finds the structural characters and judges UTF-8; everything after that (the grammar of
 * every value, also of those that nobody reads, numbers, escapes, validation) is in this target, because simdjson's
 * on-demand front end leaves skipped values unjudged, and its DOM refuses whole documents for a number like 1e400. */
#ifndef VITALSTREAM_CSIMDJSON_H
#define VITALSTREAM_CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One accepted reading; the same layout as `Reading` of VitalSigns (checked when a SliceDecoder is made). */
typedef struct vs_reading {
    uint64_t patient_high; /* bytes 0..7 of the UUID, big-endian */
    uint64_t patient_low;  /* bytes 8..15 */
    int64_t time_ms;
    float values[6]; /* in the order of VS_FIELD_HEART_RATE...; absent = 0, never -0 */
    int64_t offset;
    int32_t origin; /* always 0 here: the database gives it */
    uint16_t partition;
    uint8_t presence;    /* bits 0..5 values, 6 consciousness, 7 supplemental oxygen */
    uint8_t categorical; /* bits 0..2: 1 A, 2 C, 3 V, 4 P, 5 U; bit 3: supplemental oxygen given */
} vs_reading;

/* One message as the log holds it; the same layout as `RawMessage` of VitalSigns. */
typedef struct vs_message {
    const void *_Nullable payload; /* may be NULL (a tombstone) */
    ptrdiff_t payload_length;
    const void *_Nullable key; /* may be NULL */
    ptrdiff_t key_length;
    int64_t offset;
    int64_t timestamp_ms; /* the broker's; negative when it has none */
    int32_t partition;    /* 0..65535 */
} vs_message;

/* Why a message was rejected; the order is the order in which reasons apply. Same values as `RejectReason`. */
enum {
    VS_EMPTY_PAYLOAD = 0,
    VS_OVERSIZE,
    VS_MALFORMED_JSON,
    VS_NOT_AN_OBJECT,
    VS_MISSING_FIELD,
    VS_WRONG_TYPE,
    VS_UNKNOWN_EVENT,
    VS_INVALID_PATIENT_ID,
    VS_INVALID_TIMESTAMP,
    VS_TIMESTAMP_IN_FUTURE,
    VS_TEMPERATURE_FAHRENHEIT_SUSPECTED,
    VS_OUT_OF_RANGE,
    VS_PRESSURE_INVERTED,
    VS_NO_VITAL_SIGN,
    VS_REASON_COUNT
};

/* What every decoder judges by. */
typedef struct vs_judging {
    ptrdiff_t max_message_bytes; /* 1..1 GiB */
    int64_t max_future_ms;       /* how far a timestamp may be ahead of the broker's; negative: not judged */
    int64_t latest_time_ms;      /* the greatest timestamp accepted */
} vs_judging;

/* What a decoder of vital signs is made with. */
typedef struct vs_options {
    vs_judging judging;
    double lowest[6];            /* values outside lowest..highest are rejected */
    double highest[6];
    double fahrenheit_lowest; /* a temperature in this range is taken for Fahrenheit */
    double fahrenheit_highest;
} vs_options;

/* What became of a slice. */
typedef struct vs_outcome {
    ptrdiff_t accepted;
    ptrdiff_t rejected;
    ptrdiff_t origins;        /* accepted readings that carry a facility, sector or device */
    int64_t unknown_fields;   /* fields of accepted messages that the format does not know */
    int64_t key_mismatches;   /* accepted messages whose Kafka key is not the patientId */
} vs_outcome;

/* Where an accepted reading comes from: unescaped UTF-8, NULL where the message has none. */
typedef struct vs_origin {
    ptrdiff_t reading_index;
    const uint8_t *_Nullable texts[3]; /* facility, sector, device */
    ptrdiff_t lengths[3];    /* bytes, 0..255 */
} vs_origin;

typedef struct vs_decoder vs_decoder;

/* Ends the process when there is no memory, as Swift itself does. */
vs_decoder *_Nonnull vs_decoder_create(const vs_options *_Nonnull options);
void vs_decoder_destroy(vs_decoder *_Nullable decoder);

/* Judges `count` messages; writes accepted ones to `readings` (room for `count`), in order. Reads no byte outside
 * the payloads and keys. Buffers grow to the largest slice seen, so that later slices allocate nothing; what a
 * message above 1 MiB needed is given back at the end of its slice. */
vs_outcome vs_decode_slice(
    vs_decoder *_Nonnull decoder, const vs_message *_Nullable messages, ptrdiff_t count,
    vs_reading *_Nullable readings);

/* Of the last slice; the index is checked by the caller. */
ptrdiff_t vs_rejection_message(const vs_decoder *_Nonnull decoder, ptrdiff_t index);
uint8_t vs_rejection_reason(const vs_decoder *_Nonnull decoder, ptrdiff_t index);

/* Writes the ASCII detail of a rejection (which fields, never a value) and returns its length. At most `capacity`
 * bytes are written; VS_DETAIL_CAPACITY is always enough. */
enum { VS_DETAIL_CAPACITY = 1024 };
ptrdiff_t vs_rejection_detail(
    const vs_decoder *_Nonnull decoder, ptrdiff_t index, uint8_t *_Nonnull text, ptrdiff_t capacity);

/* Of the last slice; the texts live until the next one. */
vs_origin vs_origin_at(const vs_decoder *_Nonnull decoder, ptrdiff_t index);

/* A text of a message: unescaped UTF-8, start NULL where the message has none. */
typedef struct vs_text {
    const uint8_t *_Nullable start;
    ptrdiff_t length; /* bytes, 1..255; 0 where there is none */
} vs_text;

/* What happened to a visit; same values as `FlowKind` of PatientFlow. */
enum {
    VS_ARRIVAL = 1,
    VS_TRIAGE,
    VS_TREATMENT_START,
    VS_TRANSFER,
    VS_DEPARTURE,
    VS_LEFT_WITHOUT_BEING_SEEN,
    VS_CANCELLED
};

/* One accepted event of the `patient-flow` topic. Its texts live until the decoder's next call. */
typedef struct vs_flow_event {
    uint64_t event_high; /* bytes 0..7 of the UUID, big-endian */
    uint64_t event_low;
    uint64_t patient_high; /* 0 when has_patient is 0 */
    uint64_t patient_low;
    int64_t time_ms;
    vs_text facility;
    vs_text sector;
    vs_text visit;
    vs_text to_sector;      /* of a transfer only */
    int64_t unknown_fields; /* fields that the format does not know */
    uint8_t has_patient;
    uint8_t kind;
    uint8_t acuity;       /* 1..5, 0 when absent */
    uint8_t key_mismatch; /* 1 when the Kafka key is not the facilityId */
} vs_flow_event;

typedef struct vs_flow_decoder vs_flow_decoder;

/* As for vitals: same grammar, same order of reasons, a buffer that grows; what a message above 1 MiB needed is given
 * back at the next one. */
vs_flow_decoder *_Nonnull vs_flow_decoder_create(const vs_judging *_Nonnull judging);
void vs_flow_decoder_destroy(vs_flow_decoder *_Nullable decoder);

/* Judges one message. Returns VS_REASON_COUNT when it was accepted and written to `event`, else the reason. */
uint8_t vs_flow_decode(
    vs_flow_decoder *_Nonnull decoder, const vs_message *_Nonnull message, vs_flow_event *_Nonnull event);

/* The detail of the last message, which was rejected; as vs_rejection_detail. */
ptrdiff_t vs_flow_rejection_detail(
    const vs_flow_decoder *_Nonnull decoder, uint8_t *_Nonnull text, ptrdiff_t capacity);

/* Asks the processor for a cache line that will be read soon. Any address will do. */
static inline void vs_prefetch(const void *_Nonnull address) { __builtin_prefetch(address); }

/* simdjson's version, as compiled against. Static memory. */
const char *_Nonnull vs_simdjson_version(void);

#ifdef __cplusplus
}
#endif
#endif
