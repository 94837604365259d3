#!/usr/bin/python3
"""The floor of a latency: a consumer that writes nothing but the probes, one INSERT each, autocommit.

Usage: floor.py BOOTSTRAP TOPIC GROUP DATABASE_URL PROBE_KEY
Prints "ready" once it has its partitions; ends on SIGTERM.
Needs Debian's python3-confluent-kafka and python3-psycopg.
"""

import json
import signal
import sys

import confluent_kafka
import psycopg


def main():
    bootstrap, topic, group, url, probe = sys.argv[1:]
    probe = probe.encode()
    running = True

    def stop(*_):
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "latest", "enable.auto.commit": False}
    )
    consumer.subscribe([topic], on_assign=lambda *_: print("ready", flush=True))
    with psycopg.connect(url, autocommit=True) as connection:
        while running:
            message = consumer.poll(0.1)
            if message is None or message.error() or message.key() != probe:
                continue
            reading = json.loads(message.value())
            connection.execute(
                "INSERT INTO floor_probe VALUES (%s, to_timestamp(%s / 1000.0)) ON CONFLICT DO NOTHING",
                (reading["patientId"], reading["timestamp"]),
            )
    consumer.close()


if __name__ == "__main__":
    main()
