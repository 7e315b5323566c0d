// ssp: the command line. Every command is one file in Commands/; what went wrong is one line on standard error.
using System.CommandLine;
using SspHost.Abi.Link;
using SspHost.Commands;
using SspHost.Configuration;
using SspHost.Patching;
using SspHost.Remote;

try
{
    var parsed = CommandTree.Build().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
    if (CommandTree.Unclear(parsed) is { } unclear)
    {
        Console.Error.WriteLine("ssp: " + unclear);
        return CommandTree.CodeOfUnclear(parsed);
    }

    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (Exception e) when (e is CommandException or ConfigurationException or PatchException or IOException or InvalidDataException or UnauthorizedAccessException
    or EngineGoneException or EngineTakenException or EngineTimeoutException or EngineRefusedException or ControlRefusedException)
{
    Console.Error.WriteLine("ssp: " + e.Message);
    return 1;
}
