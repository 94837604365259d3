// librdkafka (Debian: librdkafka-dev) with its mock cluster, and what Swift cannot import from it: the variadic
// rd_kafka_producev, and macros with casts. Nothing else belongs here.
#ifndef VITALSTREAM_CRDKAFKA_SHIM_H
#define VITALSTREAM_CRDKAFKA_SHIM_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

// RD_KAFKA_PARTITION_UA: let the partitioner choose.
static const int32_t vs_kafka_partition_any = RD_KAFKA_PARTITION_UA;
// RD_KAFKA_OFFSET_INVALID: "no offset known" in lists and watermarks.
static const int64_t vs_kafka_offset_invalid = RD_KAFKA_OFFSET_INVALID;

// Copies key and payload into librdkafka's queue. On success librdkafka owns `headers`, on failure the caller still
// does (rdkafka.h, rd_kafka_producev, RD_KAFKA_V_HEADERS). A timestamp of 0 means "now".
static inline rd_kafka_resp_err_t vs_kafka_produce(rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition,
                                                   const void *key, size_t key_length, const void *payload,
                                                   size_t payload_length, int64_t timestamp_milliseconds,
                                                   rd_kafka_headers_t *headers) {
    if (headers != NULL)
        return rd_kafka_producev(client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_length),
                                 RD_KAFKA_V_VALUE((void *)payload, payload_length),
                                 RD_KAFKA_V_TIMESTAMP(timestamp_milliseconds), RD_KAFKA_V_HEADERS(headers),
                                 RD_KAFKA_V_END);
    return rd_kafka_producev(client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_length),
                             RD_KAFKA_V_VALUE((void *)payload, payload_length),
                             RD_KAFKA_V_TIMESTAMP(timestamp_milliseconds), RD_KAFKA_V_END);
}

#endif
