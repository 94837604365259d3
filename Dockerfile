# Built where the Swift image is, run where librdkafka is new: there is no Swift image on trixie, and bookworm's
# librdkafka 2.0.2 cannot log in to Kafka 4 with SCRAM. The program built against 2.0.2 runs unchanged on 2.8.0.
FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates g++ pkg-config librdkafka-dev libpq-dev libsimdjson-dev libmicrohttpd-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Package.swift ./
COPY Sources Sources
COPY sql sql
COPY producers producers
# Nothing of these two is built, but the package names their folders.
COPY bench bench
COPY Tests Tests
# The commit that --version names; the image is built without the repository's history.
ARG COMMIT=unknown
# A producer is whichever it is called by; a file of its own for each would be 8 MB more.
RUN export VITALSTREAM_COMMIT="$COMMIT" && mkdir -p /out/bin /out/lib \
    && for program in vitalstream vitals-producer; do \
        swift build -c release --static-swift-stdlib --product "$program" \
        && strip -o "/out/bin/$program" ".build/release/$program" || exit 1; done \
    && ln -s vitals-producer /out/bin/duplicate-vitals-producer \
    && ln -s vitals-producer /out/bin/patient-flow-producer \
    # trixie has a newer simdjson under another name; this one comes along.
    && cp -a "$(dirname "$(ldconfig -p | sed -n 's/.*libsimdjson.so.14 .*=> //p' | head -n 1)")"/libsimdjson.so.14* /out/lib/ \
    # What comes along beside dpkg, for the bill of materials: distribution, package, version, architecture, source.
    && mkdir -p /out/share/vitalstream \
    && dpkg-query -W -f '12\t${Package}\t${Version}\t${Architecture}\t${source:Package}\n' libsimdjson14 ca-certificates \
        >/out/share/vitalstream/copied \
    && swift --version 2>/dev/null | sed -n 's/^Swift version \([^ ]*\).*/swift\t\1/p' >>/out/share/vitalstream/copied

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        librdkafka1 libpq5 libmicrohttpd12t64 zlib1g libstdc++6 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/*
# The public authorities alone: the package ca-certificates would bring the program openssl, 3 MB that nothing runs.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/lib/ /usr/local/lib/
COPY --from=build /out/share/ /usr/local/share/
COPY --from=build /out/bin/ /usr/local/bin/
RUN ldconfig

ARG COMMIT=unknown
LABEL org.opencontainers.image.title="VitalStream" \
      org.opencontainers.image.description="Vital signs from Kafka, exactly once into PostgreSQL" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.base.name="docker.io/library/debian:trixie-slim"

# A number, so that orchestrators can see that it is not root. Nothing is written to the file system.
USER 10001:10001
# A crash would print registers and stack: nobody's heart rate belongs there. The authorities are found without
# the links that the package openssl makes.
ENV SWIFT_BACKTRACE=enable=no SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
EXPOSE 8080
STOPSIGNAL SIGTERM
# The program gives an answer 4 s; this is above it, so that the cause is printed.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["vitalstream", "healthcheck"]
ENTRYPOINT ["vitalstream"]
CMD ["serve"]
