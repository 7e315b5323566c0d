// ssp stop and ssp start: end the host that runs, or let it play again.
using System.CommandLine;
using SspHost.Abi.Link;
using SspHost.Remote;

namespace SspHost.Commands;

internal static class StopCommand
{
    private const int FadeFrames = 4800;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Command Build()
    {
        var command = new Command("stop", "Fade out and end the host that runs.");
        command.SetAction(_ => Stop());
        return command;
    }

    public static Command BuildStart()
    {
        var command = new Command("start", "Let the host that runs play, after it was stopped or after a patch took its engine down.");
        command.SetAction(_ =>
        {
            using var client = ControlClient.TryConnect(RuntimeDirectory.Locate(), Patience) ?? throw new CommandException("no host runs; ssp run starts one");
            client.Ask("start");
            Console.WriteLine("playing");
            return 0;
        });
        return command;
    }

    private static int Stop()
    {
        var runtime = RuntimeDirectory.Locate();
        var file = EngineFile.TryRead(runtime);
        using var engine = file != null ? EngineProcess.Open(file.Pid, file.Start) : null;
        using (var client = ControlClient.TryConnect(runtime, Patience))
        {
            if (client != null)
            {
                client.Ask("quit");
                if (engine != null && !engine.Wait((int)Patience.TotalMilliseconds)) throw new CommandException($"the engine (process {engine.Pid}) still runs after {Patience.TotalSeconds:0} s");
                Console.WriteLine("stopped");
                return 0;
            }
        }

        if (engine == null || engine.HasExited)
        {
            Console.WriteLine($"nothing runs in {runtime}");
            return 0;
        }

        // Its control process is gone: this one takes its place for a moment.
        using var link = EngineLink.Attach(runtime);
        link.Shutdown(FadeFrames);
        Console.WriteLine("stopped an engine that nobody controlled");
        return 0;
    }
}
