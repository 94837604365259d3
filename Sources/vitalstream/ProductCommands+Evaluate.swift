internal import Service

extension ProductCommands {
    /// `vitalstream evaluate`.
    static let evaluate = CommandDeclaration(
        "evaluate", summary: "Say how well waits, or hourly counts, would have been predicted: the service's code.",
        details: "Takes the events in order of time, predicts every arrival before it learns how it ended, and scores "
            + "the served waits of at most 720 minutes that began after the warm-up, next to simple predictors.\n"
            + "With --counts: an hourly series a column, forecast hour by hour, beside the same hour a week before and "
            + "its mean over eight weeks; up to three series at every hour up to 48 ahead, more at 1, 4 and 24.\n"
            + "Needs neither broker nor database; docs/prediction.md tells the method.",
        flags: [
            FlagDeclaration(
                "events", kind: .text(), valueName: "FILE",
                meaning: "Events as in the topic patient-flow, a JSON object a line, plain or gzip."),
            FlagDeclaration(
                "counts", kind: .text(), valueName: "FILE",
                meaning: "Hourly counts: a header, then time and counts separated by commas, plain or gzip."),
            FlagDeclaration(
                "warm-up", kind: .number(0...0.99), valueName: "SHARE", default: "0.6",
                meaning: "Share of the period that is learnt from and not scored."),
            FlagDeclaration(
                "predictions", kind: .text(), valueName: "OUT.csv",
                meaning: "Write a line for each arrival, the warm-up included."),
            FlagDeclaration("svg", kind: .text(), valueName: "OUT.svg", meaning: "Write a picture."),
            FlagDeclaration("json", meaning: "Print one JSON object."),
            FlagDeclaration("csv", meaning: "Print comma-separated values."),
        ],
        settings: [],
        examples: [
            CommandExample(
                "vitalstream evaluate --events flow.ndjson.gz --predictions predictions.csv --svg picture.svg",
                "on a hospital's own past"),
            CommandExample("vitalstream evaluate --counts arrivals.csv --warm-up 0.8", "on counts an hour"),
        ])
}
