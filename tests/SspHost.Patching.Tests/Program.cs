// Started by the test runner this is nothing; started by a test it is the child that edits until it is killed.
namespace SspHost.Patching.Tests;

internal static class Program
{
    private static int Main(string[] args) => args is ["journal", var path, var seed, var retry] ? JournalChild.Run(path, int.Parse(seed), int.Parse(retry)) : 0;
}

/// <summary>Edits a journaled session without end, and says after which edit everything was on disk; "T" and a line where the disk refuses.</summary>
internal static class JournalChild
{
    /// <summary>Set in the environment: it says "R" and does nothing more once what was acknowledged is a journal written anew.</summary>
    public const string StopsWhenRewritten = "SSP_JOURNAL_STOPS";

    public static int Run(string path, int seed, int retryMs)
    {
        using var session = PatchSession.Start(new PatchSessionOptions
        {
            Modules = TestModules.Index, Sink = new FakeSink(), Start = Patch.Empty, JournalPath = path, JournalGrowth = 4_000, JournalDepth = 10,
            JournalRetry = TimeSpan.FromMilliseconds(retryMs),
        });
        var random = new Random(seed);
        using var output = Console.OpenStandardOutput();
        output.Write("ready\n"u8);
        var length = 0L;
        for (var i = 0; ; i++)
        {
            Step(session, random);
            if (random.Next(4) != 0) continue;
            if (session.WaitDurable(TimeSpan.FromSeconds(0.5)))
            {
                output.Write(System.Text.Encoding.ASCII.GetBytes($"{i}\n"));
                var now = File.Exists(path) ? new FileInfo(path).Length : 0; // nothing was done yet
                if (now < length && Environment.GetEnvironmentVariable(StopsWhenRewritten) is not null)
                {
                    output.Write("R\n"u8);
                    Thread.Sleep(Timeout.Infinite);
                }

                length = now;
            }
            else if (session.Trouble is { } trouble) output.Write(System.Text.Encoding.UTF8.GetBytes($"T{trouble}\n"));
        }
    }

    /// <summary>One action, the same for the same state and random numbers: the parent does them again to know what was.</summary>
    public static void Step(PatchSession session, Random random)
    {
        switch (random.Next(12))
        {
            case 0: _ = session.Undo(); break;
            case 1: _ = session.Redo(); break;
            case 2: session.BeginGesture(); break;
            case 3: session.EndGesture(); break;
            default: _ = session.Apply(TestModules.RandomEdit(random, session.Current)); break;
        }
    }
}
