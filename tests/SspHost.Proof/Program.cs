// The command: reads objects and a list, prints a verdict. Exit code 0 holds, 1 fails, 2 cannot be told.
using System.Globalization;

namespace SspHost.Proof;

/// <summary>dotnet run --project tests/SspHost.Proof -- OBJECT... --list FILE [--modules N] [--root PATTERN]... [--json] [--all]</summary>
internal static class Program
{
    private const string Usage = "usage: proof OBJECT... --list FILE [--modules N] [--root PATTERN]... [--json] [--all]";

    public static int Main(string[] arguments)
    {
        try
        {
            return Run(arguments);
        }
        catch (ProofException e)
        {
            Console.Error.WriteLine($"proof: {e.Message}");
            return 2;
        }
    }

    private static int Run(string[] arguments)
    {
        var objects = new List<string>();
        var roots = new List<Pattern>();
        string? list = null;
        int? modules = null;
        var (json, all) = (false, false);
        for (var i = 0; i < arguments.Length; i++)
        {
            string Value() => ++i < arguments.Length ? arguments[i] : throw new ProofException($"{arguments[^1]} needs a value. {Usage}");
            switch (arguments[i])
            {
                case "--list": list = Value(); break;
                case "--root": roots.Add(new Pattern(Value())); break;
                case "--modules":
                    if (!int.TryParse(Value(), NumberStyles.None, CultureInfo.InvariantCulture, out var n)) throw new ProofException($"--modules needs a number. {Usage}");
                    modules = n;
                    break;
                case "--json": json = true; break;
                case "--all": all = true; break;
                case ['-', ..]: throw new ProofException($"{arguments[i]} is no option. {Usage}");
                default: objects.Add(arguments[i]); break;
            }
        }

        if (objects.Count == 0 || list == null) throw new ProofException(Usage);
        var rules = Rules.Open(list);
        var image = new Image(objects.SelectMany(Archive.Open));
        var verdict = Walk.Prove(image, rules, roots.Count > 0 ? roots : null, modules);
        Console.Write(json ? Report.Json(verdict) + "\n" : Report.Text(verdict, all));
        return verdict.Holds ? 0 : 1;
    }
}
