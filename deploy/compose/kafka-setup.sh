#!/usr/bin/env bash
# One run after each `up`: topics, users and their rights in the broker of docker-compose.secure.yml. Runs in the
# broker's image, as the administrator (a certificate, no password), and changes nothing that is already so.
# Users cannot be made when the storage is formatted: the image formats it by itself, without any.
set -euo pipefail

readonly BROKER=kafka:19094 VITALS=vitals PATIENT_FLOW=patient-flow GROUP=vitalstream
readonly ADMIN=/etc/vitalstream/kafka-admin.properties

say() { echo "kafka-setup: $*"; }
# By class and not by script: images differ in which scripts they have.
tool() { java -Xmx128m -cp '/opt/kafka/libs/*' "$@" --bootstrap-server "$BROKER" --command-config "$ADMIN"; }

# The password goes by a file: a command line can be read by every process of the machine.
user() { # user NAME PASSWORD_FILE
    local file
    file=$(mktemp)
    printf 'SCRAM-SHA-512=password=%s\n' "$(<"$2")" >"$file"
    tool kafka.admin.ConfigCommand --alter --entity-type users --entity-name "$1" --add-config-file "$file"
    rm "$file"
}

rights() { # rights USER ARGUMENTS...
    tool org.apache.kafka.tools.AclCommand --add --allow-principal "User:$1" "${@:2}" >/dev/null
}

for _ in $(seq 120); do
    if (exec 3<>"/dev/tcp/${BROKER%:*}/${BROKER#*:}") 2>/dev/null; then break; fi
    sleep 1
done

for topic in "$VITALS" "$PATIENT_FLOW"; do
    tool org.apache.kafka.tools.TopicCommand --create --if-not-exists --topic "$topic"
done
# The service reads; the group it may join is its own, and `check` looks at the topics' settings.
rights vitalstream --operation Read --operation Describe --operation DescribeConfigs \
    --topic "$VITALS" --topic "$PATIENT_FLOW" --group "$GROUP"
# The producers write; idempotence comes with the right to.
rights vitals-producer --operation Write --operation Describe --topic "$VITALS" --topic "$PATIENT_FLOW"
# Users come last: whoever can log in finds everything there.
user vitalstream /run/secrets/kafka-service.password
user vitals-producer /run/secrets/kafka-producer.password
say "topics, rights and users are there"
