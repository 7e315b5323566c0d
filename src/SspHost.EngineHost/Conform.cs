// ssp-engine conform FILE: the conformance suite over a library of modules, rule by rule.
using System.Globalization;
using System.Text.Json;
using SspHost.Conformance;
using SspHost.Engine.Loading;
using SspHost.Engine.Threads;

namespace SspHost.EngineHost;

/// <summary>Prints what is broken and how; leaves with 1 where something is.</summary>
internal static class Conform
{
    public static int Run(string[] args)
    {
        var json = args is [_, "--json"];
        if (args is not [_] && !json)
        {
            Console.Error.WriteLine("usage: ssp-engine conform FILE [--json]");
            return 2;
        }

        if (OpenLibrary.Open(args[0], args[0], out var refusal) is not { } library)
        {
            Console.Error.WriteLine($"{args[0]}: {refusal}");
            return 1;
        }

        _ = FlushToZero.Enable(); // as on the threads that will play it
        Subjects.Add(library.Descriptors, library.Entries);
        var broken = new List<(string Module, string Rule, string Why)>();
        foreach (var d in library.Descriptors)
        {
            foreach (var (rule, attempt) in Rules.All)
            {
                try
                {
                    attempt(d.Id);
                }
                catch (ConformanceException e)
                {
                    broken.Add((d.Id, rule, e.Message));
                }
            }
        }

        if (json) Write(library, broken);
        else Say(library, broken);
        return broken.Count == 0 ? 0 : 1;
    }

    private static void Say(OpenLibrary library, List<(string Module, string Rule, string Why)> broken)
    {
        foreach (var (module, rule, why) in broken) Console.WriteLine($"{module}: broken: {rule}: {why}");
        foreach (var d in library.Descriptors)
        {
            var failed = broken.Count(b => b.Module == d.Id);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{d.Id}: {Rules.All.Count - failed} of {Rules.All.Count} rules kept"));
        }
    }

    private static void Write(OpenLibrary library, List<(string Module, string Rule, string Why)> broken)
    {
        using var output = Console.OpenStandardOutput();
        using var w = new Utf8JsonWriter(output);
        w.WriteStartObject();
        w.WriteNumber("rules", Rules.All.Count);
        w.WriteStartArray("modules");
        foreach (var d in library.Descriptors)
        {
            w.WriteStartObject();
            w.WriteString("module", d.Id);
            w.WriteStartArray("broken");
            foreach (var (_, rule, why) in broken.Where(b => b.Module == d.Id))
            {
                w.WriteStartObject();
                w.WriteString("rule", rule);
                w.WriteString("why", why);
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteEndObject();
    }
}
