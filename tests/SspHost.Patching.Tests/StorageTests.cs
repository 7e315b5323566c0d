// Storage under fire: the process killed at any moment, on a disk that fails and on one that fills up; no acknowledged edit is lost.
using System.Diagnostics;
using System.Globalization;

namespace SspHost.Patching.Tests;

public sealed class StorageTests(Xunit.Abstractions.ITestOutputHelper output)
{
    // SSP_KILLS=500: as many for each test, and not only for the first, whose children need no library between them and the disk.
    private static readonly int Kills = int.TryParse(Environment.GetEnvironmentVariable("SSP_KILLS"), NumberStyles.None, CultureInfo.InvariantCulture, out var kills) ? kills : 0;

    // The child waits for the disk after every few edits, half a second at most: what it can have done beyond the last acknowledgement is little,
    // and a patch that it comes by much later is no excuse.
    // (A disk that fails lets it wait in vain.)
    private const int MostWaits = 4, MostWaitsInVain = 200;

    private int _acknowledged, _rewritten, _troubles;

    [Fact]
    public void A_process_killed_at_any_moment_loses_no_acknowledged_edit()
    {
        var runs = Fire(500, seconds: int.MaxValue, least: 500, (folder, random) =>
        {
            // Most are short, for there to be many; some live long enough for their journal to be rewritten.
            var acknowledgements = random.Next(0, random.Next(8) == 0 ? 50 : 4);
            return new Child(folder["j"], random.Next()).Until(c => c.Acknowledgements >= acknowledgements).Killed(random.Next(0, 12));
        });
        Assert.True(_acknowledged > 2 * runs, $"{_acknowledged} acknowledged edits in {runs} runs: the test sees too little");
        Assert.True(_rewritten > 0, "no journal was rewritten: the test sees too little");
    }

    [CompilerFact]
    public void A_disk_that_fails_now_and_then_and_the_process_killed_on_it_lose_no_acknowledged_edit()
    {
        using var disk = new FailingDisk();
        var runs = Fire(80, seconds: 4, least: 8, (folder, random) =>
        {
            var acknowledgements = random.Next(2, 20);
            return new Child(folder["j"], random.Next(), disk.Preload(folder.Path, permille: 20 + random.Next(250), random.Next()))
                .Until(c => c.Acknowledgements >= acknowledgements).Killed(random.Next(0, 12));
        }, mostWaits: MostWaitsInVain);
        Assert.True(_acknowledged > runs, $"{_acknowledged} acknowledged edits in {runs} runs: the test sees too little");
    }

    [CompilerFact]
    public void The_plug_pulled_at_any_moment_loses_no_acknowledged_edit_though_nothing_stays_that_was_not_flushed()
    {
        using var disk = new FailingDisk();
        var runs = Fire(
            80,
            seconds: 4,
            least: 8,
            (folder, random) =>
            {
                foreach (var name in (string[])["disk", "plug", "after"]) Directory.CreateDirectory(folder[name]);
                // Some stop at a journal that was written anew: the next flush would hide that it was not flushed.
                var stops = random.Next(2) == 0;
                var acknowledgements = random.Next(2, 40);
                (string, string)[] environment = [.. disk.Preload(folder["disk"], permille: 0, random.Next()), ("SSP_FAIL_PLUG", folder["plug"])];
                if (stops) environment = [.. environment, (JournalChild.StopsWhenRewritten, "1")];
                var child = new Child(folder["disk/j"], random.Next(), environment).Until(c => stops ? c.Rewritten : c.Acknowledgements >= acknowledgements).Killed(random.Next(0, 12));
                Replug(folder["plug"], folder["after"]);
                return child;
            },
            journal: "after/j");
        Assert.True(_acknowledged > runs, $"{_acknowledged} acknowledged edits in {runs} runs: the test sees too little");
    }

    // A folder as the disk has it once the power is back: a file that was never flushed is there, and empty.
    private static void Replug(string plug, string folder)
    {
        var names = Path.Combine(plug, "names");
        if (!File.Exists(names)) return;
        foreach (var line in File.ReadLines(names))
        {
            var (number, name) = line.Split(' ', 2) is [var a, var b] ? (a, b) : throw new InvalidDataException(line);
            var kept = Path.Combine(plug, number);
            if (File.Exists(kept)) File.Copy(kept, Path.Combine(folder, name));
            else File.WriteAllBytes(Path.Combine(folder, name), []);
        }
    }

    [CompilerFact]
    public void A_disk_that_is_full_is_said_in_one_line_and_when_there_is_room_again_everything_is_saved()
    {
        using var disk = new FailingDisk();
        Fire(6, seconds: 4, least: 3, (folder, random) =>
        {
            using (var room = File.Create(folder["room"])) room.SetLength(random.Next(300, 3000));
            var child = new Child(folder["j"], random.Next(), disk.Preload(folder.Path, permille: 0, 1, folder["room"])).Until(c => c.Trouble is not null);
            Assert.StartsWith($"{folder["j"]}: edits are not being saved: ", child.Trouble!, StringComparison.Ordinal);
            Interlocked.Increment(ref _troubles);
            using (var room = File.OpenWrite(folder["room"])) room.SetLength(1 << 30);
            var before = child.Acknowledgements;
            return child.Until(c => c.Acknowledgements > before + 3).Killed(random.Next(0, 12));
        }, mostWaits: MostWaitsInVain);
        Assert.True(_troubles >= 3);
    }

    // Many children at once, each in a folder of its own, and what they leave held against what they had acknowledged. How many there were.
    private int Fire(int most, int seconds, int least, Func<TestFolder, Random, Child> kill, string journal = "j", int mostWaits = MostWaits)
    {
        var (next, done) = (0, 0);
        var until = Stopwatch.StartNew();
        var workers = Enumerable.Range(0, Math.Clamp(Environment.ProcessorCount, 1, 8)).Select(_ => Task.Factory.StartNew(
            () =>
            {
                while (true)
                {
                    var run = Interlocked.Increment(ref next) - 1;
                    if (run >= Math.Max(most, Kills) || (run >= least && Kills == 0 && until.Elapsed.TotalSeconds > seconds)) return;
                    using var folder = new TestFolder();
                    using var child = kill(folder, new Random(1000 + run));
                    HoldsWhatItAcknowledged(folder[journal], child, run, mostWaits);
                    Interlocked.Increment(ref done);
                    Interlocked.Add(ref _acknowledged, child.Last + 1);
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        Task.WaitAll(workers);
        output.WriteLine($"{done} kills in {until.Elapsed.TotalSeconds:F1} s, {_acknowledged} edits acknowledged");
        return done;
    }

    private void HoldsWhatItAcknowledged(string path, Child child, int run, int mostWaits)
    {
        using var recovered = PatchSession.Start(new PatchSessionOptions { Modules = TestModules.Index, Sink = new FakeSink(), Start = Patch.Empty, JournalPath = path });
        Assert.True(recovered.Recovery is null, $"run {run}: {recovered.Recovery}");

        // The same edits again: what came back is the state after one of them, not before the last acknowledged one, and so is what can
        // be undone. States may be alike (an edit and its opposite), so more than one place may have to be tried.
        var came = new List<Patch> { recovered.Current };
        while (recovered.CanUndo)
        {
            Assert.Null(recovered.Undo());
            came.Add(recovered.Current);
        }

        using var model = Model();
        var steps = new Random(child.Seed);
        var found = false;
        for (var (at, waits) = (0, 0); !found && waits < mostWaits; at++)
        {
            JournalChild.Step(model, steps);
            var waited = steps.Next(4) == 0;
            if (at >= child.Last && model.Current.Equals(came[0])) found = Matches(child.Seed, at, came);
            if (waited && at > child.Last) waits++;
        }

        Assert.True(found || child.Last < 0, $"run {run}, seed {child.Seed}: {child.Last} edits were acknowledged, and what came back is none of the states since");
    }

    private static PatchSession Model() => PatchSession.Start(new PatchSessionOptions { Modules = TestModules.Index, Sink = new FakeSink(), Start = Patch.Empty });

    private bool Matches(int seed, int at, List<Patch> came)
    {
        using var model = Model();
        var steps = new Random(seed);
        for (var i = 0; i <= at; i++)
        {
            JournalChild.Step(model, steps);
            _ = steps.Next(4);
        }

        for (var i = 1; i < came.Count; i++)
        {
            if (model.Undo() is not null || !model.Current.Equals(came[i])) return false;
        }

        if (model.CanUndo) Interlocked.Increment(ref _rewritten);
        return true;
    }

    /// <summary>This program, editing. What it says is read as far as a test wants, and after it was killed to the end.</summary>
    private sealed class Child : IDisposable
    {
        private readonly Process _process;

        public Child(string path, int seed, params (string Name, string Value)[] environment)
        {
            Seed = seed;
            var start = new ProcessStartInfo("dotnet", [typeof(StorageTests).Assembly.Location, "journal", path, $"{seed}", environment.Length > 0 ? "10" : "1000"])
            {
                RedirectStandardOutput = true, UseShellExecute = false,
            };
            start.Environment["DOTNET_TieredPGO"] = "0"; // it does not live long enough to need it
            foreach (var (name, value) in environment) start.Environment[name] = value;
            _process = Process.Start(start)!;
            Assert.Equal("ready", _process.StandardOutput.ReadLine());
        }

        public int Seed { get; }

        /// <summary>Number of the last edit that was on disk; -1: none.</summary>
        public int Last { get; private set; } = -1;

        public int Acknowledgements { get; private set; }

        public string? Trouble { get; private set; }

        /// <summary>Whether it stopped at a journal that was written anew.</summary>
        public bool Rewritten { get; private set; }

        public Child Until(Func<Child, bool> enough)
        {
            while (!enough(this)) Hear(_process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"the child of seed {Seed} has ended"));
            return this;
        }

        /// <summary>Killed some milliseconds from now: how fast the machine is makes no difference to what is tested.</summary>
        public Child Killed(int milliseconds)
        {
            Thread.Sleep(milliseconds);
            _process.Kill(); // SIGKILL
            var rest = _process.StandardOutput.ReadToEnd();
            _process.WaitForExit();
            foreach (var line in rest[..(rest.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries)) Hear(line);
            return this;
        }

        public void Dispose()
        {
            if (!_process.HasExited) _process.Kill();
            _process.Dispose();
        }

        private void Hear(string line)
        {
            if (line[0] == 'T')
            {
                Trouble = line[1..];
                return;
            }

            if (line == "R")
            {
                Rewritten = true;
                return;
            }

            Last = int.Parse(line, CultureInfo.InvariantCulture);
            Acknowledgements++;
        }
    }

    /// <summary>failing.c, compiled.</summary>
    private sealed class FailingDisk : IDisposable
    {
        private readonly TestFolder _folder = new();

        public FailingDisk()
        {
            var (code, output) = SchemaFactAttribute.Run(
                "cc", "-shared", "-fPIC", "-O1", Path.Combine(Repository.Root, "tests", "SspHost.Patching.Tests", "failing.c"), "-o", _folder["failing.so"], "-ldl", "-lpthread");
            Assert.True(code == 0, output);
        }

        public (string, string)[] Preload(string folder, int permille, int seed, string? room = null)
        {
            (string, string)[] all = [("LD_PRELOAD", _folder["failing.so"]), ("SSP_FAIL_DIR", folder), ("SSP_FAIL_SEED", $"{seed}")];
            if (permille > 0) all = [.. all, ("SSP_FAIL_PERMILLE", $"{permille}")];
            return room is null ? all : [.. all, ("SSP_FAIL_ROOM", room)];
        }

        public void Dispose() => _folder.Dispose();
    }
}

/// <summary>A fact that needs a C compiler.</summary>
internal sealed class CompilerFactAttribute : FactAttribute
{
    public CompilerFactAttribute()
    {
        if (SchemaFactAttribute.Run("cc", "--version").Code != 0) Skip = "needs a C compiler (apt-get install gcc libc6-dev)";
    }
}
