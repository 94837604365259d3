# Built where the Swift image is, run where librdkafka is new: there is no Swift image on trixie, and bookworm's
# librdkafka 2.0.2 cannot log in to Kafka 4 with SCRAM. The program built against 2.0.2 runs unchanged on 2.8.0.
FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        g++ pkg-config librdkafka-dev libpq-dev libsimdjson-dev libmicrohttpd-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Package.swift ./
COPY Sources Sources
COPY sql sql
COPY producers producers
COPY Tests Tests
# The commit that --version names; the image is built without the repository's history.
ARG COMMIT=unknown
ENV VITALSTREAM_COMMIT=$COMMIT
RUN swift build -c release --static-swift-stdlib --product vitalstream \
    && swift build -c release --static-swift-stdlib --product vitals-producer \
    && swift build -c release --static-swift-stdlib --product duplicate-vitals-producer \
    && mkdir -p /out/bin /out/lib \
    && for program in vitalstream vitals-producer duplicate-vitals-producer; do \
        strip -o "/out/bin/$program" ".build/release/$program" || exit 1; done \
    # trixie has a newer simdjson under another name; this one comes along.
    && cp -a "$(dirname "$(ldconfig -p | sed -n 's/.*libsimdjson.so.14 .*=> //p' | head -n 1)")"/libsimdjson.so.14* /out/lib/

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates librdkafka1 libpq5 libmicrohttpd12t64 zlib1g libstdc++6 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
COPY --from=build /out/lib/ /usr/local/lib/
COPY --from=build /out/bin/ /usr/local/bin/
RUN ldconfig

ARG COMMIT=unknown
LABEL org.opencontainers.image.title="VitalStream" \
      org.opencontainers.image.description="Vital signs from Kafka, exactly once into PostgreSQL" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$COMMIT"

# A number, so that orchestrators can see that it is not root. Nothing is written to the file system.
USER 10001:10001
# A crash would print registers and stack: nobody's heart rate belongs there.
ENV SWIFT_BACKTRACE=enable=no
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["vitalstream", "healthcheck"]
ENTRYPOINT ["vitalstream"]
CMD ["serve"]
