internal import Service

StopSignal.blockBeforeThreads(hangupToo: false)
HostProcess.exit(BenchProgram.run(Array(CommandLine.arguments.dropFirst())))
