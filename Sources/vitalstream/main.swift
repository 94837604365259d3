internal import Service

// Signals are blocked before the first thread starts; the rest lives in files of its own, since closures written here
// would belong to the main actor and trap as C callbacks on other threads.
HostProcess.limitArenas()
StopSignal.blockBeforeThreads()
HostProcess.exit(Program.run(arguments: Array(CommandLine.arguments.dropFirst())))
