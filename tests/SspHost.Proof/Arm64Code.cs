// arm64: instructions have one width, so branches are found by their bits. Everything else cannot change where control goes.
using System.Buffers.Binary;
using System.Globalization;

namespace SspHost.Proof;

/// <summary>Reads arm64 code. Encodings: Arm Architecture Reference Manual for A-profile, C4.1.</summary>
internal sealed class Arm64Code : ICodeReader
{
    private const uint AdrpRelocation = 275, AddRelocation = 277, Jump26 = 282, Call26 = 283;

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
        var labels = new HashSet<int>();
        for (var i = 0; i < words.Length; i++) ReadDirect(image, function, words[i], i, labels, flows);
        var switches = new List<(int Guard, int Jump)>();
        for (var i = 0; i < words.Length; i++) ReadRegister(image, function, words, i, labels, switches, flows);
        foreach (var (guard, jump) in switches)
        {
            for (var i = guard + 1; i <= jump; i++)
                if (labels.Contains(i)) flows.Add(new Flow(FlowKind.Indirect, At(function, jump), null, null, "br: a switch that something jumps into"));
        }

        return flows;
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

    private static void ReadRegister(Image image, Function function, uint[] words, int index, HashSet<int> labels, List<(int Guard, int Jump)> switches, List<Flow> flows)
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
                if (TrySwitch(image, function, words, index, labels, out var guard)) switches.Add((guard, index));
                else flows.Add(new Flow(FlowKind.Indirect, at, null, null, $"br x{register}: a jump to a register"));
                return;
            default:
                flows.Add(new Flow(FlowKind.Unknown, at, null, null, $"{w:x8}: a branch to a register of another kind"));
                return;
        }
    }

    // RyuJIT:  cmp wI, #n / b.hi past / [mov wJ, wI] / adrp xT, table / add xT, xT, :lo12:table / ldr wA, [xT, xJ, lsl #2] / adr xB, function /
    //          add xA, xA, xB / br xA
    private static bool TrySwitch(Image image, Function function, uint[] words, int jump, HashSet<int> labels, out int guard)
    {
        guard = jump - 1;
        if (jump < 7) return false;
        var target = words[jump] >> 5 & 31;
        var add = words[jump - 1];
        if ((add & 0xFFE0FC00) != 0x8B000000 || (add & 31) != target) return false;
        var adr = words[jump - 2];
        if ((adr & 0x9F000000) != 0x10000000) return false;
        var (left, right) = (add >> 5 & 31, add >> 16 & 31);
        if (!((left == target && right == (adr & 31)) || (right == target && left == (adr & 31))) || (adr & 31) == target) return false;
        var load = words[jump - 3];
        if ((load & 0xFFE01C00) != 0xB8601800 || (load & 31) != target || (load >> 13 & 7) is not (2 or 3)) return false; // uxtw or lsl, scaled
        var (table, index) = (load >> 5 & 31, load >> 16 & 31);
        var (low, page) = (words[jump - 4], words[jump - 5]);
        if ((low & 0xFFC00000) != 0x91000000 || (low & 31) != table || (low >> 5 & 31) != table) return false;
        if ((page & 0x9F000000) != 0x90000000 || (page & 31) != table) return false;
        if (!TryRelocation(function, At(function, jump - 5), AdrpRelocation, out var of) || !TryRelocation(function, At(function, jump - 4), AddRelocation, out var ofLow)
            || of.Symbol != ofLow.Symbol || of.Addend != ofLow.Addend) return false;

        guard = jump - 6;
        if (index != table && (words[guard] & 0xFFE0FFE0) == 0x2A0003E0 && (words[guard] & 31) == index) // mov wJ, wI
        {
            index = words[guard] >> 16 & 31;
            guard--;
        }

        guard--;
        if (guard < 0 || (words[guard + 1] & 0xFF00001F) != 0x54000008) return false; // b.hi
        var compare = words[guard];
        if ((compare & 0xFFC0001F) != 0x7100001F || (compare >> 5 & 31) != index) return false;
        var count = (compare >> 10 & 0xFFF) + 1;

        var data = image.Resolve(function.Home, of.Symbol, of.Addend);
        if (data.Section is not { IsWritable: false } section || !ReferenceEquals(function.Home.Sections[section.Index], section)) return false;
        var first = function.Home.RelocationAt(section.Index, data.Offset);
        var relocations = function.Home.Relocations(section.Index);
        if (first < relocations.Length && relocations[first].Offset < data.Offset + (count * 4)) return false;
        var immediate = Signed(adr, 19, 5) * 4;
        var from = (ulong)((long)At(function, jump - 2) + immediate + (adr >> 29 & 3));
        for (ulong k = 0; k < count; k++)
        {
            var to = from + section.Data.U32(data.Offset + (k * 4));
            if (!function.Contains(to) || to % 4 != 0) return false;
            _ = labels.Add((int)((to - function.Start) / 4));
        }

        return true;
    }

    private static bool TryRelocation(Function function, ulong at, uint type, out ElfRelocation relocation)
    {
        var all = function.Home.Relocations(function.Section);
        var r = function.Home.RelocationAt(function.Section, at);
        relocation = r < all.Length ? all[r] : default;
        return r < all.Length && relocation.Offset == at && relocation.Type == type;
    }

    private static long Signed(uint word, int bits, int shift)
    {
        var value = (long)(word >> shift & ((1u << bits) - 1));
        return value << (64 - bits) >> (64 - bits);
    }
}
