// The journal: whatever happens to the process or the file, every acknowledged edit comes back.
using System.Text;

namespace SspHost.Patching.Tests;

public sealed class JournalTests
{
    [Fact]
    public void A_session_comes_back_with_its_patch_and_its_undo()
    {
        using var folder = new TestFolder();
        var states = new List<Patch>();
        using (var session = Session(folder["j"]))
        {
            Assert.False(session.Recovered);
            states.Add(session.Current);
            var random = new Random(1);
            for (var i = 0; i < 100; i++)
            {
                var sequence = session.Sequence;
                _ = session.Apply(TestModules.RandomEdit(random, session.Current));
                if (session.Sequence != sequence) states.Add(session.Current); // else refused, or it changed nothing
            }

            Assert.Null(session.Undo());
            Assert.True(session.WaitDurable(TimeSpan.FromSeconds(120)));
            Assert.Equal(session.Sequence, session.DurableSequence);
        }

        for (var again = 0; again < 2; again++)
        {
            using var session = Session(folder["j"]);
            Assert.True(session.Recovered);
            Assert.Null(session.Recovery);
            Assert.Equal(states[^2], session.Current);
            Assert.Null(session.Redo());
            Assert.Equal(states[^1], session.Current);
            for (var i = states.Count - 2; i >= 0; i--)
            {
                Assert.Null(session.Undo());
                Assert.Equal(states[i], session.Current);
            }

            for (var i = 1; i < states.Count - 1; i++) Assert.Null(session.Redo());
        }
    }

    [Fact]
    public void A_journal_cut_at_any_byte_gives_its_longest_whole_part()
    {
        var (bytes, states, ends) = Written();
        for (var n = 0; n <= bytes.Length; n++)
        {
            var records = JournalFormat.Read(bytes.AsSpan(0, n), out var valid);
            Assert.Equal(ends.Count(e => e <= n), records.Count);
            Assert.Equal(records.Count == 0 ? 0 : ends[records.Count - 1], valid);
            var (patch, _, used) = Recovery.Replay(records);
            Assert.Equal(records.Count, used);
            Assert.Equal(records.Count == 0 ? null : states[records.Count - 1], patch);
        }
    }

    [Fact]
    public void A_journal_with_any_byte_changed_gives_what_stands_before_it()
    {
        var (bytes, states, ends) = Written();
        var random = new Random(9);
        for (var n = 0; n < bytes.Length; n++)
        {
            var changed = bytes.ToArray();
            changed[n] ^= (byte)random.Next(1, 256);
            var records = JournalFormat.Read(changed, out _);

            // Upper and lower case hexadecimal mean the same: such a change is none.
            var harmless = char.ToLowerInvariant((char)changed[n]) == char.ToLowerInvariant((char)bytes[n]) && records.Count == ends.Count;
            var line = ends.Count(e => e <= n);
            Assert.Equal(harmless ? ends.Count : line, records.Count);
            Assert.Equal(records.Count == 0 ? null : states[records.Count - 1], Recovery.Replay(records).Patch);
        }
    }

    [Fact]
    public void Lines_doubled_swapped_or_left_out_end_the_valid_part()
    {
        var (bytes, _, ends) = Written();
        byte[] Line(int i) => bytes[(i == 0 ? 0 : ends[i - 1])..ends[i]];
        var lines = Enumerable.Range(0, ends.Count).Select(Line).ToList();
        for (var i = 1; i + 1 < lines.Count; i++)
        {
            Assert.Equal(i + 1, Count([.. lines[..(i + 1)], lines[i], .. lines[(i + 1)..]]));
            Assert.Equal(i, Count([.. lines[..i], lines[i + 1], lines[i], .. lines[(i + 2)..]]));
            Assert.Equal(i, Count([.. lines[..i], .. lines[(i + 1)..]]));
        }

        static int Count(List<byte[]> lines) => JournalFormat.Read(lines.SelectMany(l => l).ToArray(), out _).Count;
    }

    [Fact]
    public void Any_file_at_all_is_survived_said_and_kept()
    {
        using var folder = new TestFolder();
        var (bytes, states, ends) = Written();
        var random = new Random(2);
        var noise = new byte[3000];
        random.NextBytes(noise);
        foreach (var (file, patch, said) in new (byte[], Patch?, bool)[]
        {
            ([], null, false),
            (noise, null, true),
            (Encoding.ASCII.GetBytes("00000002 00000000 {}\n"), null, true),
            (bytes[..(ends[5] + 7)], states[5], false), // a line torn by a crash
            ([.. bytes[..ends[5]], .. noise], states[5], true),
            ([.. bytes, (byte)'\n'], states[^1], true),
        })
        {
            File.Delete(folder["j.damaged"]);
            File.WriteAllBytes(folder["j"], file);
            using (var session = Session(folder["j"]))
            {
                Assert.Equal(patch is not null, session.Recovered);
                Assert.Equal(patch ?? Patch.Empty, session.Current);
                Assert.Equal(said, session.Recovery is not null);
                Assert.Equal(said, File.Exists(folder["j.damaged"]));
                if (said) Assert.Equal(file, File.ReadAllBytes(folder["j.damaged"]));
                Assert.DoesNotContain('\n', session.Recovery ?? "");
                Assert.Null(session.Apply(new RenamePatch("after")));
            }

            using var next = Session(folder["j"]);
            Assert.Equal("after", next.Current.Name);
        }
    }

    [Fact]
    public void Edits_of_an_open_gesture_are_acknowledged_too_and_a_turning_knob_writes_little()
    {
        using var folder = new TestFolder();
        Patch last;
        using (var session = Session(folder["j"]))
        {
            Assert.Null(session.Apply(new AddModule(TestModules.Make("a", "osc"))));
            Assert.True(session.WaitDurable(TimeSpan.FromSeconds(120)));
            var before = new FileInfo(folder["j"]).Length;
            session.BeginGesture();
            for (var i = 0; i < 10_000; i++) Assert.Null(session.Apply(new SetParameter("a", "tune", i / 10_000f)));
            Assert.True(session.WaitDurable(TimeSpan.FromSeconds(120)));
            last = session.Current;
            Assert.InRange(new FileInfo(folder["j"]).Length - before, 1, 100_000); // 10,000 lines would be a megabyte
            var copy = File.ReadAllBytes(folder["j"]); // as a power cut would leave it
            Assert.Equal(last, Recovery.Replay(JournalFormat.Read(copy, out _)).Patch);
        }

        using var again = Session(folder["j"]);
        Assert.Equal(last, again.Current);
        Assert.Null(again.Undo());
        Assert.False(again.Current.Modules[0].Parameters.Contains("tune")); // the gesture is still one step
    }

    [Fact]
    public void A_long_session_has_a_short_journal()
    {
        using var folder = new TestFolder();
        Patch last;
        using (var session = Session(folder["j"], growth: 2000, depth: 5))
        {
            var random = new Random(6);
            Assert.Null(session.Apply(new ReplacePatch(TestModules.Full(random, 5, 5))));
            for (var i = 0; i < 60; i++)
            {
                for (var k = 0; k < 20; k++) Assert.Null(session.Apply(new RenamePatch($"a name that takes some space {i} {k}")));
                Assert.True(session.WaitDurable(TimeSpan.FromSeconds(120)));
            }

            last = session.Current;
        }

        Assert.InRange(new FileInfo(folder["j"]).Length, 100, 20_000); // 1,200 lines of 90 bytes went through it
        Assert.Equal(["j"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
        using var again = Session(folder["j"]);
        Assert.Equal(last, again.Current);
        for (var i = 0; i < 5; i++) Assert.Null(again.Undo());
    }

    [Fact]
    public void An_undo_further_back_than_the_journal_reaches_comes_back_too()
    {
        using var folder = new TestFolder();
        for (var back = 0; back <= 40; back += 8)
        {
            var path = folder[$"j{back}"];
            Patch last;
            using (var session = Session(path, growth: 500, depth: 3))
            {
                for (var i = 0; i < 20; i++) Assert.Null(session.Apply(new RenamePatch($"a name that takes some space, number {i}")));
                Assert.True(session.WaitDurable(TimeSpan.FromSeconds(120)));
                for (var i = 0; i < 20; i++) Assert.Null(session.Apply(new RenamePatch($"a name that takes some space, again {i}")));
                Assert.True(session.WaitDurable(TimeSpan.FromSeconds(120))); // by now it was rewritten with three steps
                for (var i = 0; i < back; i++) Assert.Null(session.Undo());
                if (back == 24) Assert.True(session.WaitDurable(TimeSpan.FromSeconds(120)));
                for (var i = 0; i < back / 2; i++) Assert.Null(session.Redo());
                Assert.True(session.WaitDurable(TimeSpan.FromSeconds(120)));
                last = session.Current;
                Assert.Equal(last, Recovery.Replay(JournalFormat.Read(File.ReadAllBytes(path), out _)).Patch);
            }

            using var again = Session(path);
            Assert.Null(again.Recovery);
            Assert.Equal(last, again.Current);
        }
    }

    [Fact]
    public void A_disk_that_refuses_is_said_and_asked_again_and_nothing_is_lost()
    {
        using var folder = new TestFolder();
        File.WriteAllText(folder["way"], "a file where a folder should be");
        var path = Path.Combine(folder["way"], "journal");
        using (var session = Session(path))
        {
            Assert.Null(session.Apply(new RenamePatch("one")));
            Assert.False(session.WaitDurable(TimeSpan.FromMilliseconds(300)));
            Assert.True(SpinWait.SpinUntil(() => session.Trouble != null, 120_000));
            Assert.StartsWith($"{path}: edits are not being saved: ", session.Trouble, StringComparison.Ordinal);
            Assert.Equal("one", session.Current.Name);
            File.Delete(folder["way"]);
            Assert.Null(session.Apply(new RenamePatch("two")));
            Assert.True(session.WaitDurable(TimeSpan.FromSeconds(120)));
            Assert.Null(session.Trouble);
        }

        using var again = Session(path);
        Assert.Equal("two", again.Current.Name);
        Assert.Null(again.Undo());
        Assert.Equal("one", again.Current.Name);
    }

    private static PatchSession Session(string path, long growth = 1 << 20, int depth = 256) => PatchSession.Start(new PatchSessionOptions
    {
        Modules = TestModules.Index, Sink = new FakeSink(), Start = Patch.Empty, JournalPath = path, JournalGrowth = growth, JournalDepth = depth,
    });

    // A journal of every kind of record, the patch after each, and where each line ends.
    private static (byte[] Bytes, List<Patch> States, List<int> Ends) Written()
    {
        var random = new Random(4);
        var start = TestModules.Full(random, 3, 3);
        var states = new List<Patch> { start };
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        var chain = JournalFormat.Seed;
        var ends = new List<int>();
        void Add(JournalRecord record, Patch after)
        {
            JournalFormat.Write(buffer, record, ref chain);
            ends.Add(buffer.WrittenCount);
            if (record.Kind != JournalKind.Base) states.Add(after);
        }

        using var session = PatchSession.Start(new PatchSessionOptions { Modules = TestModules.Index, Sink = new FakeSink(), Start = Patch.Empty });
        Assert.Null(session.Apply(new ReplacePatch(start)));
        Add(JournalRecord.Base(start), start);
        var done = 0; // the replacement itself is the base
        for (var i = 0; i < 40; i++)
        {
            if (i % 7 == 5 && done > 0)
            {
                Assert.Null(session.Undo());
                Add(JournalRecord.Undo, session.Current);
                Assert.Null(session.Redo());
                Add(JournalRecord.Redo, session.Current);
                continue;
            }

            if (i % 7 == 3) session.BeginGesture();
            for (var k = 0; k < (i % 7 == 3 ? 3 : 1); k++)
            {
                var edit = TestModules.RandomEdit(random, session.Current);
                var next = PatchEdits.Apply(session.Current, edit, TestModules.Index, out _);
                if (edit is ReplacePatch || next is null || next.Equals(session.Current)) edit = new RenamePatch($"n{i}{k}");
                Assert.Null(session.Apply(edit));
                Add(k == 0 ? JournalRecord.Do([edit]) : JournalRecord.More([edit]), session.Current);
                done++;
            }

            if (i % 7 == 3) session.EndGesture();
        }

        return (buffer.WrittenSpan.ToArray(), states, ends);
    }
}
