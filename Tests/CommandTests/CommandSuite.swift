import Testing

/// The commands for operators, each run as a program of its own against one fed world. One after the other: they start
/// services, and machines that run tests have other things to do.
@Suite(.serialized, .fedWorld) enum CommandSuite {}
