internal import Service

extension ProducerSettings {
    /// The settings of `patient-flow-producer`.
    static let patientFlow = SettingsCatalog(
        program: "patient-flow-producer", version: version,
        settings: settings(
            topic: SettingDeclaration(
                "PATIENT_FLOW_TOPIC", default: "patient-flow", kind: .name(mostBytes: 249),
                meaning: "Topic of the patient flow.")),
        command: CommandDeclaration(
            "", summary: "sends the patient flow of simulated emergency departments, or the lines of a file, to Kafka",
            details: """
                Simulates emergency departments moment by moment: arrivals by hour and weekday, triage, a queue in \
                which the more urgent go first, staff by shift, patients who lose patience, boarding for a ward bed, \
                wards, bad days. Events may come late, twice, in another order, or be taken back, in chosen shares. \
                The key is the facilityId. No event is sent before its time.
                With --output it writes the messages to a file, one JSON object a line, gzip if the name ends in .gz: \
                what vitalstream evaluate --events reads. Nothing is asked of a broker then.
                With --file it sends the lines of an NDJSON file, plain or gzip, as their timestamps say, --speed \
                times as fast; a line without a facilityId has an empty key.
                Ends with exact counts, of each kind of event and of what the service's ledger must therefore say, and \
                with code 0 only if every message was delivered. Ctrl-C and SIGTERM end it in the same way.
                """,
            flags: speed + limits + hospital + flowShares + flowFiles + output,
            examples: [
                CommandExample("patient-flow-producer", "three emergency departments in real time"),
                CommandExample("patient-flow-producer --speed 600 --days 7", "a week in 17 minutes, which ends now"),
                CommandExample(
                    "patient-flow-producer --days 365 --seed 7 --output year.ndjson.gz", "a year, for an evaluation"),
                CommandExample(
                    "patient-flow-producer --file events.ndjson.gz --speed 60", "recorded events, an hour a minute"),
            ]),
        foreignNames: serviceNames.union(["MAX_MESSAGE_BYTES", "VITALS_TOPIC"]))

    private static let speed = [
        FlagDeclaration(
            "speed", kind: .number(0...1_000_000), valueName: "N",
            meaning: "Seconds of event time a second; 1: real time; 0: as fast as they are taken. "
                + "Default: 1, or 0 with --file or --output."),
        FlagDeclaration(
            "days", kind: .number(0.001...36_500), valueName: "N", meaning: "End after so many days of event time."),
        FlagDeclaration(
            "start-time", kind: .text(), valueName: "TIME",
            meaning: "Where event time begins: now, 2026-01-31T09:00:00Z, or milliseconds since 1970. Default: now; "
                + "at speed 0 or over 1 so far back that the run ends now; with --output 2025-01-01T00:00:00Z."),
    ]

    private static let hospital = [
        FlagDeclaration(
            "facilities", kind: .integer(1...1_000), valueName: "N", default: "3", meaning: "Emergency departments."),
        FlagDeclaration(
            "arrivals-per-day", kind: .number(1...10_000), valueName: "N", default: "150",
            meaning: "Patients a day and facility, on average; the facilities differ."),
        FlagDeclaration(
            "utilization", kind: .number(0.3...1.2), valueName: "N", default: "0.9",
            meaning: "Part of the staffed places that the mean load takes; towards 1 waits grow without bound."),
        FlagDeclaration(
            "bad-days", kind: .number(0...1), valueName: "SHARE", default: "0.05",
            meaning: "Share of days with a third more patients, a quarter of the staff away, or late ward discharges."),
    ]

    private static let flowShares = [
        share("late", "0.005", "events sent 15 minutes to 4 hours of event time after they happened"),
        share("reordered", "0.01", "events sent just after a newer one of their facility"),
        share("duplicates", "0.01", "messages that repeat an earlier one, byte for byte"),
        share("cancelled", "0.01", "visits that are taken back"),
    ]

    private static let flowFiles = [
        FlagDeclaration("file", kind: .text(), valueName: "FILE", meaning: "Send the lines of this file."),
        FlagDeclaration(
            "repeat", kind: .integer(1...1_000_000), valueName: "N", default: "1",
            meaning: "With --file and no --speed: send the whole file so often."),
        FlagDeclaration("shuffle", meaning: "With --file and no --speed: mix all lines and repeats, in memory."),
        FlagDeclaration(
            "output", kind: .text(), valueName: "FILE",
            meaning: "Write to this file instead of the topic; -: standard output, with the counts on standard error."),
    ]
}
