// Which function of libasound each pointer holds that the engine calls: what the list says of it is compared with the code itself.
using System.Text.RegularExpressions;
using Iced.Intel;

namespace SspHost.Proof.Tests;

[Collection("engine")]
public sealed partial class NativeCallsTests
{
    private const string Statics = "__NONGCSTATICSSspHost_Engine_SspHost_Engine_Audio_AlsaLibrary";

    /// <summary>
    /// The proof counts indirect calls and cannot tell one from another of the same number. Those of libasound can be told: each is called through
    /// a field of AlsaLibrary, and TryLoad fills the fields in the order of its lines.
    /// </summary>
    [Fact]
    public void The_functions_of_libasound_a_method_calls_are_the_ones_its_line_names()
    {
        var image = Objects.EngineImage;
        if (image.Machine != Machine.X64) return; // the same sources; the code is read on one machine
        var source = File.ReadAllText(Path.Combine(Objects.Root, "src/SspHost.Engine/Audio/AlsaLibrary.cs"));
        var names = Found().Matches(source).Select(static m => m.Groups["name"].Value).ToList();
        var (stores, _) = Cells(image, Assert.Single(image.Functions, static f => f.Name == "SspHost.Engine.Audio.AlsaLibrary.TryLoad"));
        Assert.Equal(names.Count, stores.Count);
        var held = stores.Zip(names).ToDictionary(static p => p.First, static p => "native:" + p.Second);

        var verdict = Walk.Prove(image, Rules.Open(Objects.List));
        var rules = Rules.Open(Objects.List).Calls.FindAll(static r => r.Targets.Exists(static t => t.StartsWith("native:", StringComparison.Ordinal)));
        Assert.NotEmpty(rules);
        var wrong = new List<string>();
        foreach (var rule in rules)
        {
            foreach (var function in verdict.Reached.Where(f => rule.Caller.Matches(f.Name)))
            {
                var calls = Cells(image, function).Calls.ConvertAll(c => c is { } at && held.TryGetValue(at, out var name) ? name : "unknown");
                var (made, listed) = (string.Join(' ', calls.Distinct().Order(StringComparer.Ordinal)), string.Join(' ', rule.Targets.Order(StringComparer.Ordinal)));
                if (made != listed || calls.Count != rule.Count) wrong.Add($"line {rule.Line}: {function.Name} makes {calls.Count}: {made}; listed {rule.Count}: {listed}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    // Offsets of the fields a function stores pointers to, in order, and of those it calls through; null: called through something else.
    private static (List<long> Stores, List<long?> Calls) Cells(Image image, Function function)
    {
        var (stores, calls) = (new List<long>(), new List<long?>());
        var (bases, cells) = (new Dictionary<Register, long>(), new Dictionary<Register, long>());
        var (keptBases, keptCells) = (new Dictionary<ulong, long>(), new Dictionary<ulong, long>()); // in the frame, by displacement
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(function.Code.Span.ToArray()), function.Start);
        while (decoder.IP < function.End)
        {
            var i = decoder.Decode();
            if (i.FlowControl is FlowControl.IndirectCall or FlowControl.IndirectBranch)
            {
                if (i.FlowControl == FlowControl.IndirectBranch) continue;
                if (i.Op0Kind == OpKind.Register) calls.Add(cells.TryGetValue(i.Op0Register, out var at) ? at : null);
                else calls.Add(InFrame(i) ? Known(keptCells, i.MemoryDisplacement64) : Field(i));
            }

            if (i.FlowControl is FlowControl.IndirectCall or FlowControl.Call)
            {
                foreach (var lost in new[] { Register.RAX, Register.RCX, Register.RDX, Register.RSI, Register.RDI, Register.R8, Register.R9, Register.R10, Register.R11 })
                {
                    _ = bases.Remove(lost);
                    _ = cells.Remove(lost);
                }

                continue;
            }

            if (i.Mnemonic == Mnemonic.Mov && i.Op0Kind == OpKind.Memory && InFrame(i))
            {
                Keep(keptBases, i.MemoryDisplacement64, i.Op1Kind == OpKind.Register ? Known(bases, i.Op1Register) : null);
                Keep(keptCells, i.MemoryDisplacement64, i.Op1Kind == OpKind.Register ? Known(cells, i.Op1Register) : null);
                continue;
            }

            if (i.Mnemonic == Mnemonic.Mov && i.Op0Kind == OpKind.Memory && i.Op1Kind == OpKind.Register && i.MemorySize == MemorySize.UInt64
                && Field(i) is { } into) stores.Add(into);
            if (i.OpCount == 0 || i.Op0Kind != OpKind.Register || i.Mnemonic is Mnemonic.Cmp or Mnemonic.Test or Mnemonic.Push) continue;
            var target = i.Op0Register.GetFullRegister();
            long? isBase = null, isCell = null;
            if (i.Mnemonic == Mnemonic.Lea && i.IsIPRelativeMemoryOperand) isBase = StaticsAt(image, function, i);
            else if (i.Mnemonic == Mnemonic.Mov && i.Op1Kind == OpKind.Memory && InFrame(i))
            {
                isBase = Known(keptBases, i.MemoryDisplacement64);
                isCell = Known(keptCells, i.MemoryDisplacement64);
            }
            else if (i.Mnemonic == Mnemonic.Mov && i.Op1Kind == OpKind.Memory) isCell = Field(i);
            else if (i.Mnemonic == Mnemonic.Mov && i.Op1Kind == OpKind.Register) (isBase, isCell) = (Known(bases, i.Op1Register), Known(cells, i.Op1Register));
            Keep(bases, target, isBase);
            Keep(cells, target, isCell);
        }

        return (stores, calls);

        static bool InFrame(in Instruction i) => i.MemoryBase is Register.RBP or Register.RSP && i.MemoryIndex == Register.None;

        static long? Known<T>(Dictionary<T, long> of, T key) where T : notnull => of.TryGetValue(key, out var at) ? at : null;

        static void Keep<T>(Dictionary<T, long> of, T key, long? value) where T : notnull
        {
            if (value is { } at) of[key] = at;
            else _ = of.Remove(key);
        }

        long? Field(in Instruction i) => i.IsIPRelativeMemoryOperand ? StaticsAt(image, function, i)
            : bases.TryGetValue(i.MemoryBase, out var from) ? from + (long)i.MemoryDisplacement64 : null;
    }

    // How far behind the beginning of the fields an instruction points, or null.
    private static long? StaticsAt(Image image, Function function, in Instruction i)
    {
        var all = function.Home.Relocations(function.Section);
        var at = function.Home.RelocationAt(function.Section, i.IP);
        if (at >= all.Length || all[at].Offset >= i.NextIP) return null;
        return image.Resolve(function.Home, all[at].Symbol, 0).Symbol == Statics ? all[at].Addend + (long)(i.NextIP - all[at].Offset) : null;
    }

    [GeneratedRegex(@"^\s+\w+ = \(delegate\*.*library\.Find\(""(?<name>\w+)\\0""u8\);", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Found();
}
