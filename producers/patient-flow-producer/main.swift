internal import Glibc
internal import ProducerSupport
internal import Service

let end = ProducerProgram.runPatientFlow(
    arguments: Array(CommandLine.arguments.dropFirst()), environment: HostProcess.environment)
ProducerProgram.write(end.complaint, to: 2)
ProducerProgram.write(end.output, to: 1)
exit(end.code)
