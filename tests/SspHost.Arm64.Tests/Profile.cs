// Which arm64 instructions a module executes for a frame, counted one by one: the emulator names every block of them that it runs.
using System.Globalization;

namespace SspHost.Arm64.Tests;

/// <summary>A loop that was executed.</summary>
/// <param name="Share">Part of the module's instructions that it makes up.</param>
internal sealed record HotLoop(string Function, ulong Start, ulong End, double Share, int Vector, int Scalar);

/// <summary>The instructions between two runs that differ in length only, so that start-up and loading cancel out.</summary>
internal sealed class Profile
{
    private const int Warm = 64, Short = 8, Long = 24;
    private readonly Dictionary<ulong, long> _counts;

    private Profile(Dictionary<ulong, long> counts) => _counts = counts;

    /// <summary>Instructions a frame, all four voices together.</summary>
    public double PerFrame => _counts.Values.Sum() / (double)((Long - Short) * ArmKernels.Quantum);

    public static Profile Take(int module)
    {
        var id = ArmKernels.Modules[module].Id;
        var score = ArmKernels.Score(module);
        var image = Path.Combine(ArmKernels.Folder, $"{id}.image");
        _ = ArmKernels.Run("qemu-aarch64-static", ArmKernels.Image, "save", ArmKernels.Write(in score), image, Text(Warm));
        var counts = Trace(id, image, Long);
        foreach (var (address, times) in Trace(id, image, Short)) counts[address] = counts.GetValueOrDefault(address) - times;
        File.Delete(image);
        return new Profile(counts.Where(static c => c.Value > 0).ToDictionary());
    }

    /// <summary>Innermost loops that make up at least this part of the whole.</summary>
    public IEnumerable<HotLoop> Loops(double share)
    {
        var total = (double)_counts.Values.Sum();
        var loops = new List<(ulong Start, ulong End)>();
        foreach (var address in _counts.Keys.Order())
        {
            if (!Disassembly.All.TryGetValue(address, out var i) || !i.IsBranch || i.Target > address) continue;
            if (!Disassembly.All.TryGetValue(i.Target, out var target) || target.Function != i.Function || !_counts.ContainsKey(i.Target)) continue;
            loops.Add((i.Target, address));
        }

        foreach (var (start, end) in loops)
        {
            if (loops.Exists(other => other != (start, end) && other.Start >= start && other.End <= end)) continue;
            var body = _counts.Where(c => c.Key >= start && c.Key <= end).ToList();
            var part = body.Sum(static c => c.Value) / total;
            if (part < share) continue;
            yield return new HotLoop(Disassembly.All[start].Function, start, end, part,
                body.Count(static c => Disassembly.All[c.Key].IsVector), body.Count(static c => Disassembly.All[c.Key].IsScalar));
        }
    }

    // A block of instructions is listed when it is translated, one "0x004008c0:  d503201f  nop" a line after "IN: name"; and whenever it runs, from its
    // first to its last, there is a line "Trace 0: 0x7f2f300e8440 [0000000001009331/000000000046b6ec/00000001/00000201] name".
    private static Dictionary<ulong, long> Trace(string id, string image, int quanta)
    {
        var log = Path.Combine(ArmKernels.Folder, $"{id}.trace");
        _ = ArmKernels.Run("qemu-aarch64-static", "-d", "in_asm,exec,nochain", "-D", log, ArmKernels.Image, "count", image, Text(quanta));
        var counts = new Dictionary<ulong, long>();
        var blocks = new Dictionary<ulong, Block>();
        var listed = new List<ulong>();
        foreach (var line in File.ReadLines(log))
        {
            if (line.StartsWith("Trace ", StringComparison.Ordinal))
            {
                var from = line.IndexOf('/', StringComparison.Ordinal) + 1;
                blocks[ulong.Parse(line.AsSpan(from, 16), NumberStyles.HexNumber, CultureInfo.InvariantCulture)].Runs++;
            }
            else if (line.StartsWith("0x", StringComparison.Ordinal))
            {
                listed.Add(ulong.Parse(line.AsSpan(2, line.IndexOf(':', StringComparison.Ordinal) - 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            }
            else if (line.Length == 0 && listed.Count > 0)
            {
                // The emulator may forget a block and cut it another way the next time.
                if (blocks.Remove(listed[0], out var before)) before.AddTo(counts);
                blocks.Add(listed[0], new Block([.. listed]));
                listed.Clear();
            }
        }

        foreach (var block in blocks.Values) block.AddTo(counts);
        File.Delete(log);
        return counts;
    }

    // Instructions that are run one after the other, from the first to the last.
    private sealed class Block(ulong[] addresses)
    {
        public long Runs { get; set; }

        public void AddTo(Dictionary<ulong, long> counts)
        {
            foreach (var address in addresses) counts[address] = counts.GetValueOrDefault(address) + Runs;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
