internal import Service

/// From the command line to an exit code.
enum Program {
    /// Runs what the arguments ask for.
    /// - Returns: 0 only on success; 2 when the command line or a setting is wrong.
    static func run(arguments: [String]) -> Int32 {
        let invocation: Invocation
        do throws(SettingsError) {
            invocation = try ProductSettings.catalog.interpret(
                arguments: arguments, environment: HostProcess.environment)
        } catch {
            Console.writeError("vitalstream: \(error)")
            return 2
        }
        switch invocation {
        case .show(let text):
            Console.write(text)
            return 0
        case .run(let settings):
            return run(settings)
        }
    }

    private static func run(_ settings: ResolvedSettings) -> Int32 {
        switch settings.command {
        case "serve": ServeCommand.run(settings)
        case "migrate": MigrateCommand.run(settings)
        case "check": CheckCommand.run(settings)
        case "demo": DemoCommand.run(settings)
        case "broker": BrokerCommand.run(settings)
        case "healthcheck": HealthcheckCommand.run(settings)
        case "verify": VerifyCommand.run(settings)
        case "offsets list": OffsetsListCommand.run(settings)
        case "offsets set": OffsetsSetCommand.run(settings)
        case "dead-letter list": DeadLetterListCommand.run(settings)
        case "dead-letter show": DeadLetterShowCommand.run(settings)
        case "dead-letter retry": DeadLetterRetryCommand.run(settings)
        case "partitions": PartitionsCommand.run(settings)
        case "retention": RetentionCommand.run(settings)
        case "evaluate": EvaluateCommand.run(settings)
        default:
            preconditionFailure("a declared command that nothing runs")
        }
    }

    /// The log that the settings ask for.
    static func log(_ settings: ResolvedSettings) -> Log {
        Log(
            level: LogLevel(name: settings.string("LOG_LEVEL")) ?? .info,
            format: LogFormat(rawValue: settings.string("LOG_FORMAT")) ?? .text)
    }
}
