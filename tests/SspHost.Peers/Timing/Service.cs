// A server of somebody else's that runs beside a measurement: started, waited for, ended by its own process id.
using System.Diagnostics;
using System.Text;

namespace SspHost.Peers.Timing;

internal sealed class Service : IDisposable
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);
    private readonly StringBuilder _said = new();
    private readonly Process _process;

    private Service(Process process) => _process = process;

    public int Pid => _process.Id;

    /// <summary>Starts a server and waits until <paramref name="ready"/> says yes; throws <see cref="PeerException"/> where it ends before or never is.</summary>
    public static Service Start(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, Func<Service, bool> ready)
    {
        if (Tool.Find(command[0]) == null) throw new PeerException($"{command[0]} is not there");
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var argument in command.Skip(1)) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var service = new Service(Process.Start(start)!);
        service._process.OutputDataReceived += (_, e) => service.Hear(e.Data);
        service._process.ErrorDataReceived += (_, e) => service.Hear(e.Data);
        service._process.BeginOutputReadLine();
        service._process.BeginErrorReadLine();
        for (var i = 0; i < 1200; i++)
        {
            if (service._process.HasExited)
            {
                var why = $"{Path.GetFileName(command[0])} ended with {service._process.ExitCode}: {Tool.Short(service.Said.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "")}";
                service.Dispose();
                throw new PeerException(why);
            }

            if (ready(service)) return service;
            Thread.Sleep(50);
        }

        service.Dispose();
        throw new PeerException($"{Path.GetFileName(command[0])} was not ready within a minute");
    }

    /// <summary>All that it wrote so far.</summary>
    public string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _ = Tool.Signal(_process.Id, 15);
            if (!_process.WaitForExit(Farewell))
            {
                _process.Kill();
                _ = _process.WaitForExit(Farewell);
            }
        }

        _process.Dispose();
    }

    private void Hear(string? line)
    {
        lock (_said) _said.Append(line).Append('\n');
    }
}
