// arm64: instructions have one width, so branches are found by their bits. Everything else cannot change where control goes.
using System.Buffers.Binary;
using System.Globalization;

namespace SspHost.Proof;

/// <summary>Reads arm64 code. Encodings: Arm Architecture Reference Manual for A-profile, C4.1.</summary>
internal sealed class Arm64Code : ICodeReader
{
    private const uint Jump26 = 282, Call26 = 283;

    public List<Flow> Read(Image image, Function function)
    {
        var flows = new List<Flow>();
        var code = function.Code.Span;
        if (function.Start % 4 != 0 || code.Length % 4 != 0)
        {
            flows.Add(new Flow(FlowKind.Unknown, function.Start, null, null, "code that is not made of whole instructions"));
            return flows;
        }

        var words = new uint[code.Length / 4];
        for (var i = 0; i < words.Length; i++) words[i] = BinaryPrimitives.ReadUInt32LittleEndian(code[(i * 4)..]);
        if (!TryRead(image, function, words, DataBegins(words), flows))
        {
            flows.Clear();
            _ = TryRead(image, function, words, words.Length, flows); // something leads there, so it is code
        }

        return flows;
    }

    // The compiler puts a method's constants and tables behind its code. They begin at the lowest place that an instruction before it loads from.
    private static int DataBegins(uint[] words)
    {
        var begin = words.Length;
        for (var i = 0; i < begin; i++)
        {
            var w = words[i];
            long to;
            if ((w & 0x3B000000) == 0x18000000) to = i + Signed(w, 19, 5); // ldr literal
            else if ((w & 0x9F000000) == 0x10000000 && i + 1 < begin && IsLoadFrom(words[i + 1], w & 31)) to = i + Signed(w, 19, 5); // adr, ldr
            else continue;
            if (to > i && to < begin && IsEnd(words[to - 1])) begin = (int)to;
        }

        return begin;
    }

    // ldr of any width with a register or a constant for offset.
    private static bool IsLoadFrom(uint w, uint register) =>
        (w >> 5 & 31) == register && ((w & 0x3B200C00) == 0x38200800 || (w & 0x3B000000) == 0x39000000) && (w >> 22 & 3) != 0;

    // Control does not pass: b, ret, br, brk; a call that does not return; filling.
    private static bool IsEnd(uint w) =>
        (w & 0x7C000000) == 0x14000000 || (w & 0xFFFFFC1F) is 0xD65F0000 or 0xD61F0000 || (w & 0xFFE0001F) == 0xD4200000 || w is 0 or 0xD503201F;

    private static bool TryRead(Image image, Function function, uint[] words, int end, List<Flow> flows)
    {
        var labels = new HashSet<int>();
        for (var i = 0; i < end; i++) ReadDirect(image, function, words[i], i, labels, flows);
        var switches = new List<(int Guard, int Jump)>();
        for (var i = 0; i < end; i++) ReadRegister(function, words, end, i, labels, switches, flows);
        foreach (var (guard, jump) in switches)
        {
            for (var i = guard + 1; i <= jump; i++)
                if (labels.Contains(i)) flows.Add(new Flow(FlowKind.Indirect, At(function, jump), null, null, "br: a switch that something jumps into"));
        }

        return !labels.Any(l => l >= end);
    }

    private static ulong At(Function function, int index) => function.Start + ((ulong)index * 4);

    private static void ReadDirect(Image image, Function function, uint w, int index, HashSet<int> labels, List<Flow> flows)
    {
        var at = At(function, index);
        if (w >> 16 == 0 && w != 0)
        {
            flows.Add(new Flow(FlowKind.Unknown, at, null, null, "bytes that are no instruction"));
            return;
        }

        if ((w & 0xFFE0001F) == 0xD4000001)
        {
            flows.Add(new Flow(FlowKind.Direct, at, null, "instruction:syscall", "svc"));
            return;
        }

        if (w >> 24 == 0xD4 && (w & 0xFFE0001F) != 0xD4200000) // brk is a trap; the others leave for the hypervisor or the debugger
        {
            flows.Add(new Flow(FlowKind.Unknown, at, null, null, $"{w:x8}: an exception of another kind than a trap"));
            return;
        }

        long distance;
        string text;
        if ((w & 0x7C000000) == 0x14000000) (distance, text) = (Signed(w, 26, 0), w >> 31 == 0 ? "b" : "bl");
        else if ((w & 0xFF000000) == 0x54000000) (distance, text) = (Signed(w, 19, 5), "b.cond");
        else if ((w & 0x7E000000) == 0x34000000) (distance, text) = (Signed(w, 19, 5), "cbz");
        else if ((w & 0x7E000000) == 0x36000000) (distance, text) = (Signed(w, 14, 5), "tbz");
        else return;

        var inside = (ulong)((long)at + (distance * 4));
        Flow? flow;
        var r = function.Home.RelocationAt(function.Section, at);
        var relocations = function.Home.Relocations(function.Section);
        if (r < relocations.Length && relocations[r].Offset == at)
        {
            flow = relocations[r].Type is Jump26 or Call26
                ? Branch.Linked(image, function, at, relocations[r], relocations[r].Addend, text, out inside)
                : new Flow(FlowKind.Unknown, at, null, null, $"{text}: relocation of type {relocations[r].Type}");
        }
        else
        {
            flow = Branch.Near(image, function, at, inside, text);
        }

        if (flow is { } leaves) flows.Add(leaves);
        else if (inside % 4 == 0) _ = labels.Add((int)((inside - function.Start) / 4));
        else flows.Add(new Flow(FlowKind.Unknown, at, null, null, "a jump into the middle of an instruction"));
    }

    private static void ReadRegister(Function function, uint[] words, int end, int index, HashSet<int> labels, List<(int Guard, int Jump)> switches, List<Flow> flows)
    {
        var w = words[index];
        if (w >> 25 != 0x6B) return; // unconditional branch to a register
        var at = At(function, index);
        var register = (w >> 5 & 31).ToString(CultureInfo.InvariantCulture);
        switch (w & 0xFFFFFC1F)
        {
            case 0xD65F0000: // ret
                return;
            case 0xD63F0000:
                flows.Add(new Flow(FlowKind.Indirect, at, null, null, $"blr x{register}: a function pointer, a virtual call, an interface call or a delegate"));
                return;
            case 0xD61F0000:
                if (TrySwitch(function, words, end, index, labels, out var guard)) switches.Add((guard, index));
                else flows.Add(new Flow(FlowKind.Indirect, at, null, null, $"br x{register}: a jump to a register"));
                return;
            default:
                flows.Add(new Flow(FlowKind.Unknown, at, null, null, $"{w:x8}: a branch to a register of another kind"));
                return;
        }
    }

    // RyuJIT:  cmp wI, #n / b.hi past / [mov wJ, wI] / adr xT, table / ldr wA, [xT, xJ, lsl #2] / adr xB, function / add xA, xA, xB / br xA
    private static bool TrySwitch(Function function, uint[] words, int end, int jump, HashSet<int> labels, out int guard)
    {
        guard = jump - 1;
        if (jump < 6) return false;
        var target = words[jump] >> 5 & 31;
        var (add, @base, load, page) = (words[jump - 1], words[jump - 2], words[jump - 3], words[jump - 4]);
        if ((add & 0xFFE0FC00) != 0x8B000000 || (add & 31) != target) return false;
        if ((@base & 0x9F000000) != 0x10000000 || (@base & 31) == target) return false;
        var (left, right) = (add >> 5 & 31, add >> 16 & 31);
        if (!((left == target && right == (@base & 31)) || (right == target && left == (@base & 31)))) return false;
        if ((load & 0xFFE01C00) != 0xB8601800 || (load & 31) != target || (load >> 13 & 7) is not (2 or 3)) return false; // uxtw or lsl, times four
        var (table, index) = (load >> 5 & 31, load >> 16 & 31);
        if ((page & 0x9F000000) != 0x10000000 || (page & 31) != table || index == table) return false;

        guard = jump - 5;
        if ((words[guard] & 0xFFE0FFE0) == 0x2A0003E0 && (words[guard] & 31) == index) // mov wJ, wI
        {
            index = words[guard] >> 16 & 31;
            guard--;
        }

        if (guard < 1 || (words[guard] & 0xFF00001F) != 0x54000008) return false; // b.hi
        guard--;
        var compare = words[guard];
        if ((compare & 0xFFC0001F) != 0x7100001F || (compare >> 5 & 31) != index) return false;
        var count = (compare >> 10 & 0xFFF) + 1;
        var first = jump - 4 + Signed(page, 19, 5);
        var from = (long)At(function, jump - 2) + (Signed(@base, 19, 5) * 4) + (@base >> 29 & 3);
        if ((page >> 29 & 3) != 0 || first < end || first + count > words.Length) return false; // a table among the code is none
        for (var k = 0; k < count; k++)
        {
            var to = (ulong)(from + words[first + k]);
            if (!function.Contains(to) || to % 4 != 0) return false;
            _ = labels.Add((int)((to - function.Start) / 4));
        }

        return true;
    }

    private static long Signed(uint word, int bits, int shift)
    {
        var value = (long)(word >> shift & ((1u << bits) - 1));
        return value << (64 - bits) >> (64 - bits);
    }
}
