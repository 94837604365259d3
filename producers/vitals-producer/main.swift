internal import Glibc
internal import ProducerSupport
internal import Service

let end = ProducerProgram.run(
    commandLine: CommandLine.arguments, environment: HostProcess.environment)
ProducerProgram.write(end.complaint, to: 2)
ProducerProgram.write(end.output, to: 1)
exit(end.code)
