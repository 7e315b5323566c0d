// An outside judge of what the control socket sends: python's jsonschema over protocol.schema.json, one process for all tests.
using System.Diagnostics;
using System.Text.Json;
using SspHost.Remote;

namespace SspHost.Tests;

/// <summary>The tests that share the judge.</summary>
[CollectionDefinition(Name)]
public sealed class ControlCollection : ICollectionFixture<SchemaValidator>
{
    public const string Name = "control";
}

/// <summary>
/// Judges lines. The schema that is published lets fields pass that it does not know, as clients must; here every object is closed first, so
/// that a field which the host sends and the schema does not describe is found.
/// </summary>
public sealed class SchemaValidator : IDisposable
{
    private const string Script = """
        import json, sys, jsonschema
        schema = json.loads(sys.stdin.readline())
        jsonschema.Draft202012Validator.check_schema(schema)
        def close(node):
            if isinstance(node, dict):
                if 'properties' in node: node.setdefault('additionalProperties', False)
                for value in node.values(): close(value)
            elif isinstance(node, list):
                for value in node: close(value)
        closed = json.loads(json.dumps(schema))
        close(closed)
        judges = {}
        def judge(ref, defs):
            key = (ref, defs is closed)
            if key not in judges:
                judges[key] = jsonschema.Draft202012Validator({'$schema': schema['$schema'], '$ref': '#/$defs/' + ref, '$defs': defs['$defs']})
            return judges[key]
        def numbers(value):
            raise ValueError('no JSON: ' + value)
        print('ready', flush=True)
        for line in sys.stdin:
            kind, command, text = json.loads(line)
            try:
                value = json.loads(text, parse_constant=numbers)
                defs = schema if kind == 'open' else closed
                ref = 'fromClient' if kind == 'client' else 'fromHost'
                error = jsonschema.exceptions.best_match(judge(ref, defs).iter_errors(value))
                if error is None and command and value.get('ok') is True:
                    error = jsonschema.exceptions.best_match(judge('results/$defs/' + command, defs).iter_errors(value['result']))
                answer = 'ok' if error is None else '/'.join(map(str, error.absolute_path)) + ': ' + error.message[:300]
            except ValueError as e:
                answer = str(e)
            print(answer.replace('\n', ' '), flush=True)
        """;

    private readonly Process? _python;

    public SchemaValidator()
    {
        if (!Works() && Environment.IsPrivilegedProcess) Run("apt-get", "install", "-y", "--no-install-recommends", "python3-jsonschema");
        if (!Works()) return;
        _python = Process.Start(new ProcessStartInfo("python3", ["-c", Script]) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        using var schema = JsonDocument.Parse(Protocol.Schema);
        _python.StandardInput.WriteLine(JsonSerializer.Serialize(schema.RootElement));
        _python.StandardInput.Flush();
        if (_python.StandardOutput.ReadLine() != "ready") throw new InvalidOperationException("protocol.schema.json is no JSON Schema");
    }

    /// <summary>Whether there is one: without Debian's python3-jsonschema, nothing is judged.</summary>
    public bool Exists => _python != null;

    /// <summary>What is wrong with a line of the host; null: nothing. <paramref name="command"/>: what it answers, or "".</summary>
    public string? Host(string line, string command = "") => Judge("host", command, line);

    /// <summary>The same by the schema as it is published.</summary>
    public string? HostAsPublished(string line, string command = "") => Judge("open", command, line);

    /// <summary>What is wrong with a line of a client; null: nothing.</summary>
    public string? Client(string line) => Judge("client", "", line);

    public void Dispose()
    {
        if (_python == null) return;
        _python.StandardInput.Close();
        _python.WaitForExit();
        _python.Dispose();
    }

    private string? Judge(string kind, string command, string line)
    {
        if (_python == null) return null;
        _python.StandardInput.WriteLine(JsonSerializer.Serialize(new[] { kind, command, line }));
        _python.StandardInput.Flush();
        var answer = _python.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the judge died");
        return answer == "ok" ? null : answer;
    }

    private static bool Works() => Run("python3", "-c", "from jsonschema import Draft202012Validator") == 0;

    private static int Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
            _ = process.StandardError.ReadToEndAsync();
            _ = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }
}
