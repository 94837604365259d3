internal import Service

/// A producer program from its command line to its exit code.
public enum ProducerProgram {
    /// The producer that the first word of the command line, the path it was called by, names; one file under several
    /// names saves the container image 8 MB a producer. Under any other name it is `vitals-producer`.
    public static func run(commandLine: [String], environment: [String: String]) -> ProgramEnd {
        let arguments = Array(commandLine.dropFirst())
        let name = commandLine.first?.split(separator: "/").last.map(String.init)
        if name == ProducerSettings.duplicateVitals.program {
            return runDuplicateVitals(arguments: arguments, environment: environment)
        }
        if name == ProducerSettings.patientFlow.program {
            return runPatientFlow(arguments: arguments, environment: environment)
        }
        return runVitals(arguments: arguments, environment: environment)
    }

    /// `vitals-producer`; to be called on the main thread, before any other thread runs.
    public static func runVitals(arguments: [String], environment: [String: String]) -> ProgramEnd {
        run(.vitals, ProducerSettings.vitals, arguments, environment)
    }

    /// `duplicate-vitals-producer`; as above.
    public static func runDuplicateVitals(arguments: [String], environment: [String: String]) -> ProgramEnd {
        run(.duplicateVitals, ProducerSettings.duplicateVitals, arguments, environment)
    }

    /// `patient-flow-producer`; as above.
    public static func runPatientFlow(arguments: [String], environment: [String: String]) -> ProgramEnd {
        run(.patientFlow, ProducerSettings.patientFlow, arguments, environment)
    }

    /// Longest time from a stop signal to the end: the flush's eight seconds and some.
    private static let stopPatience: Duration = .seconds(12)

    private static func run(
        _ program: RunPlan.Program, _ catalog: SettingsCatalog, _ arguments: [String], _ environment: [String: String]
    ) -> ProgramEnd {
        let settings: ResolvedSettings
        let plan: RunPlan
        do throws(SettingsError) {
            switch try catalog.interpret(arguments: arguments, environment: environment) {
            case .show(let text): return ProgramEnd(code: 0, output: text.hasSuffix("\n") ? text : text + "\n")
            case .run(let resolved): settings = resolved
            }
            // 53 bits, so that a reader of the JSON line gets the seed back exactly.
            plan = try RunPlan(
                program, settings, now: WallClock.nowMilliseconds(), randomSeed: .random(in: 0..<(1 << 53)))
        } catch {
            return ProgramEnd(code: 2, complaint: "\(catalog.program): \(error)\n")
        }
        StopSignal.blockBeforeThreads()
        HostProcess.limitArenas()
        return end(of: settings, plan, program: catalog.program)
    }

    /// Runs the plan on a thread of its own while the main thread waits for signals.
    private static func end(of settings: ResolvedSettings, _ plan: RunPlan, program: String) -> ProgramEnd {
        let log = Log(
            level: LogLevel(name: settings.string("LOG_LEVEL")) ?? .info,
            format: LogFormat(rawValue: settings.string("LOG_FORMAT")) ?? .text)
        let stop = StopFlag()
        let run = ProducerRun(program: program, settings: settings, plan: plan, log: log, stop: stop)
        let isJSON = settings.flag("json")
        let outcome = Locked<ProgramEnd?>(nil)
        let thread: ServiceThread
        do throws(SystemError) {
            thread = try ServiceThread(name: "producer") {
                let end = ProgramEnd(of: run, isJSON: isJSON)
                outcome.withLock { $0 = end }
                // The main thread waits for a signal; this is how it learns of the natural end.
                StopSignal.requestStop()
            }
        } catch {
            return ProgramEnd(code: 1, complaint: "\(program): \(error)\n")
        }
        _ = StopSignal.wait()
        stop.set()
        let hasEnded = thread.join(within: stopPatience)
        log.flush()
        if hasEnded, let end = outcome.withLock({ $0 }) { return end }
        return ProgramEnd(code: 1, complaint: "\(program): did not end in time; its counts are unknown\n")
    }
}

/// How a program ends: what it prints, and its exit code.
public struct ProgramEnd: Sendable {
    /// 0: everything was delivered; 1: not everything; 2: the command line or a setting is wrong.
    public let code: Int32
    /// For standard output.
    public let output: String
    /// For standard error, one line; empty when all is well.
    public let complaint: String

    init(code: Int32, output: String = "", complaint: String = "") {
        self.code = code
        self.output = output
        self.complaint = complaint
    }

    fileprivate init(of run: ProducerRun, isJSON: Bool) {
        do throws(ProducerRun.Failure) {
            let report = try run.run()
            let cause = report.result.obstacle ?? "messages were not delivered in time"
            let text = isJSON ? report.json() : report.text()
            let complaint = report.isComplete ? "" : "\(run.program): \(cause)\n"
            // Standard output has the messages then.
            let isOutputTaken = run.plan.output == "-"
            self.init(
                code: report.isComplete ? 0 : 1, output: isOutputTaken ? "" : text,
                complaint: isOutputTaken ? text + complaint : complaint)
        } catch {
            self.init(code: 1, complaint: "\(run.program): \(error.message)\n")
        }
    }
}
