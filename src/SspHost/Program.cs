// ssp: the command line. Every command is one file in Commands/; what went wrong is one line on standard error.
using System.CommandLine;
using System.CommandLine.Invocation;
using SspHost.Abi.Link;
using SspHost.Commands;
using SspHost.Configuration;
using SspHost.Patching;
using SspHost.Remote;

try
{
    var parsed = CommandTree.Build().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
    if (parsed.Action is ParseErrorAction unclear) unclear.ShowHelp = false; // one clear line; --help is there for the rest
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (Exception e) when (e is CommandException or ConfigurationException or PatchException or IOException or InvalidDataException or UnauthorizedAccessException
    or EngineGoneException or EngineTakenException or EngineTimeoutException or EngineRefusedException or ControlRefusedException)
{
    Console.Error.WriteLine("ssp: " + e.Message);
    return 1;
}
