import Service

// In a file of its own, since closures written here would belong to the main actor. Ctrl-C ends it, and its children
// with it.
HostProcess.exit(LaboratoryProgram.run(Array(CommandLine.arguments.dropFirst())))
