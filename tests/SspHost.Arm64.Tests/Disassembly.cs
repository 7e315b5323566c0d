// The arm64 program as objdump takes it apart: instructions by address, and which of them compute with one number or with several.
using System.Globalization;

namespace SspHost.Arm64.Tests;

/// <summary>One instruction.</summary>
/// <param name="Function">The function it belongs to.</param>
/// <param name="Target">Where it branches to; 0: no branch to a fixed place.</param>
internal readonly record struct Instruction(string Function, string Mnemonic, string Operands, ulong Target)
{
    private static readonly HashSet<string> Arithmetic = ["fadd", "fsub", "fmul", "fdiv", "fmadd", "fmsub", "fnmadd", "fnmsub", "fmla", "fmls", "fnmul", "fmin",
        "fmax", "fminnm", "fmaxnm", "fsqrt", "fabd", "frecpe", "frsqrte", "frecps", "frsqrts"];

    /// <summary>Arithmetic on four floats or two doubles at once.</summary>
    public bool IsVector => Arithmetic.Contains(Mnemonic) && (Operands.Contains(".4s", StringComparison.Ordinal) || Operands.Contains(".2d", StringComparison.Ordinal));

    /// <summary>Arithmetic on a single float or double.</summary>
    public bool IsScalar => Arithmetic.Contains(Mnemonic) && !IsVector;

    /// <summary>Leaves the straight line within its function (a call does not).</summary>
    public bool IsBranch => Target != 0 && Mnemonic != "bl";
}

/// <summary>The whole program, read once.</summary>
internal static class Disassembly
{
    private static readonly Lazy<Dictionary<ulong, Instruction>> LazyAll = new(Read);

    public static Dictionary<ulong, Instruction> All => LazyAll.Value;

    private static Dictionary<ulong, Instruction> Read()
    {
        var all = new Dictionary<ulong, Instruction>();
        var function = "";
        foreach (var line in ArmKernels.Run("aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", ArmKernels.Image).Split('\n'))
        {
            if (line.EndsWith(">:", StringComparison.Ordinal))
            {
                function = line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..^2];
                continue;
            }

            // "  45dfc8:	fdiv	s24, s24, s23"
            var parts = line.Split('\t');
            if (parts.Length < 2 || !parts[0].EndsWith(':')) continue;
            if (!ulong.TryParse(parts[0].AsSpan().Trim().TrimEnd(':'), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var address)) continue;
            var operands = parts.Length > 2 ? parts[2] : "";
            all[address] = new Instruction(function, parts[1].Trim(), operands, Target(parts[1], operands));
        }

        Assert.True(all.Count > 10_000, "objdump printed no program");
        return all;
    }

    private static ulong Target(string mnemonic, string operands)
    {
        if (mnemonic[0] is not ('b' or 'c' or 't') || mnemonic is "br" or "blr" or "bic" or "bsl" or "bif" or "bit" or "bfi" or "bfxil") return 0;
        var last = operands.Split('<')[0].Split(',')[^1].Trim();
        return ulong.TryParse(last, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var target) && operands.Contains('<', StringComparison.Ordinal) ? target : 0;
    }
}
