internal import PatientFlow
internal import Postgres
internal import WaitTime

// What predictors say and are, as rows.
extension FlowSQL {
    /// The model that makes forecasts; another one gets another name.
    private static let forecastVersion = "counts-1"

    /// The stored state of a facility's predictor.
    static let models = "SELECT sector_id, kind, state FROM gold.model_state WHERE facility_id = $1"

    private static let predictionColumns = [
        "visit_id", "facility_id", "prediction_ts", "kind", "sector_id", "acuity", "predicted_minutes", "lower50",
        "upper50", "lower80", "upper80", "lower90", "upper90", "model_version", "explanation",
    ]

    private static let forecastColumns =
        ["facility_id", "sector_id", "prediction_ts"]
        + ["arrivals", "occupancy"].flatMap { what in
            FlowPredictor.horizons.flatMap { hours in
                ["", "_lower90", "_upper90"].map { "predicted_\(what)_h\(hours)\($0)" }
            }
        } + ["model_version"]

    private static let modelColumns = ["facility_id", "sector_id", "kind", "version", "state"]

    static let copyPredictions = copy("stage_wait_prediction", predictionColumns)
    static let copyForecasts = copy("stage_sector_forecast", forecastColumns)
    static let copyModels = copy("stage_model_state", modelColumns)

    // What was said stays: events that retention has dropped and that are read again say nothing new.
    static let storePredictions = """
        INSERT INTO gold.wait_prediction (\(predictionColumns.joined(separator: ", "))) \
        SELECT \(predictionColumns.joined(separator: ", ")) FROM stage_wait_prediction ON CONFLICT DO NOTHING
        """
    static let storeForecasts = """
        INSERT INTO gold.sector_forecast (\(forecastColumns.joined(separator: ", "))) \
        SELECT \(forecastColumns.joined(separator: ", ")) FROM stage_sector_forecast ON CONFLICT DO NOTHING
        """
    static let storeModels = """
        INSERT INTO gold.model_state (\(modelColumns.joined(separator: ", "))) \
        SELECT \(modelColumns.joined(separator: ", ")) FROM stage_model_state \
        ON CONFLICT (facility_id, sector_id, kind) DO UPDATE SET version = excluded.version, state = excluded.state
        """

    private static func copy(_ table: String, _ columns: [String]) -> String {
        "COPY \(table) (\(columns.joined(separator: ", "))) FROM STDIN (FORMAT binary)"
    }

    /// States from a binary result.
    static func states(_ result: borrowing ResultSet) -> [StoredState] {
        var states: [StoredState] = []
        for row in 0..<result.rowCount {
            states.append(
                StoredState(
                    sector: result.text(row, 0), kind: result.text(row, 1),
                    bytes: unsafe result.withBytes(row, 2) { unsafe Array($0) }))
        }
        return states
    }

    /// Predicted waits as COPY data.
    static func predictions(_ foresights: [FacilityForesight]) -> [UInt8] {
        var rows = CopyRows()
        for foresight in foresights {
            for wait in foresight.told.waits {
                let prediction = wait.prediction
                rows.begin(columns: predictionColumns.count)
                rows.add(wait.visitID)
                rows.add(foresight.facility.text)
                rows.add(time: prediction.timestamp)
                rows.add(wait.occasion == .arrival ? "arrival" : "refresh")
                rows.add(wait.sector)
                rows.add(smallint: prediction.acuity)
                rows.add(double: prediction.predictedMinutes)
                for interval in prediction.intervals {
                    rows.add(double: interval.lowerBound)
                    rows.add(double: interval.upperBound)
                }
                rows.add(WaitPrediction.modelVersion)
                // Those of a refresh can be read off the arrival's and the model's state; most rows are refreshes.
                if wait.occasion == .arrival { rows.add(json: prediction.explanation) } else { rows.addNull() }
            }
        }
        return rows.finished()
    }

    /// Forecasts as COPY data.
    static func forecasts(_ foresights: [FacilityForesight]) -> [UInt8] {
        var rows = CopyRows()
        for foresight in foresights {
            for forecast in foresight.told.forecasts {
                rows.begin(columns: forecastColumns.count)
                rows.add(foresight.facility.text)
                rows.add(forecast.sector)
                rows.add(time: forecast.timestamp)
                for count in forecast.arrivals + forecast.occupancy {
                    rows.add(double: count.expected)
                    rows.add(double: count.lower90)
                    rows.add(double: count.upper90)
                }
                rows.add(forecastVersion)
            }
        }
        return rows.finished()
    }

    /// States as COPY data.
    static func models(_ foresights: [FacilityForesight]) -> [UInt8] {
        var rows = CopyRows()
        for foresight in foresights {
            for state in foresight.states {
                rows.begin(columns: modelColumns.count)
                rows.add(foresight.facility.text)
                rows.add(state.sector)
                rows.add(state.kind.rawValue)
                rows.add(bigint: foresight.version)
                rows.add(bytes: state.bytes)
            }
        }
        return rows.finished()
    }
}
