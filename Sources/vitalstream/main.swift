internal import Schema
internal import Service

// Signals are blocked before the first thread starts; the rest lives in files of its own, since closures written here
// would belong to the main actor and trap as C callbacks on other threads.
HostProcess.limitArenas()
// libpq's own default is the user's name. What a URL, a service file or the environment says stays.
HostProcess.setVariable("PGDATABASE", ifUnset: Schema.defaultDatabase)
StopSignal.blockBeforeThreads()
HostProcess.exit(Program.run(arguments: Array(CommandLine.arguments.dropFirst())))
