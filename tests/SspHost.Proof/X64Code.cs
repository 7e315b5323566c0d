// x86-64: instructions by Iced, branches by relocation or displacement, switches by the shape the compiler gives them.
using System.Globalization;
using Iced.Intel;

namespace SspHost.Proof;

/// <summary>Reads x86-64 code.</summary>
internal sealed class X64Code : ICodeReader
{
    private const uint Pc32 = 2, Plt32 = 4, GotPcRel = 9, GotPcRelX = 41, RexGotPcRelX = 42, Absolute64 = 1;

    private readonly InstructionInfoFactory _info = new();
    private readonly NasmFormatter _formatter = new();
    private readonly StringOutput _text = new();

    public List<Flow> Read(Image image, Function function)
    {
        var flows = new List<Flow>();
        var code = Decode(function);
        var starts = new HashSet<ulong>(code.Count);
        foreach (var i in code) starts.Add(i.IP);
        var labels = new List<(ulong From, ulong To)>();
        foreach (var instruction in code)
        {
            if (ReadBranch(image, function, instruction, labels) is { } flow) flows.Add(flow);
        }

        ReadIndirect(image, function, code, starts, labels, flows);
        foreach (var (from, to) in labels)
        {
            if (!starts.Contains(to)) flows.Add(new Flow(FlowKind.Unknown, from, null, null, "a jump into the middle of an instruction"));
        }

        return flows;
    }

    private static List<Instruction> Decode(Function function)
    {
        var code = function.Code;
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(code.Span.ToArray()));
        decoder.IP = function.Start;
        var list = new List<Instruction>((int)function.Size / 4);
        while (decoder.IP < function.End)
        {
            decoder.Decode(out var instruction);
            list.Add(instruction);
            if (instruction.IsInvalid) break; // what follows could be anything; reported when it is read
        }

        return list;
    }

    // Everything but indirect calls and jumps, which need to know the labels.
    private Flow? ReadBranch(Image image, Function function, in Instruction i, List<(ulong From, ulong To)> labels)
    {
        if (i.IsInvalid) return new Flow(FlowKind.Unknown, i.IP, null, null, "bytes that are no instruction");
        switch (i.FlowControl)
        {
            case FlowControl.Next when i.Code is Code.Syscall or Code.Sysenter:
                return new Flow(FlowKind.Direct, i.IP, null, "instruction:syscall", "syscall");
            case FlowControl.Next or FlowControl.Return or FlowControl.IndirectBranch or FlowControl.IndirectCall:
                return null;
            case FlowControl.Exception: // ud2: a trap of the compiler's, reached by no path it knows of
                return null;
            case FlowControl.Interrupt when i.Code == Code.Int3:
                return null;
            case FlowControl.Call when i.Code is Code.Syscall or Code.Sysenter:
                return new Flow(FlowKind.Direct, i.IP, null, "instruction:syscall", "syscall");
            case FlowControl.Call or FlowControl.UnconditionalBranch or FlowControl.ConditionalBranch when i.Op0Kind == OpKind.NearBranch64:
                break;
            default:
                return new Flow(FlowKind.Unknown, i.IP, null, null, Format(i));
        }

        if (TryRelocation(function, i, out var relocation))
        {
            if (relocation.Type is not (Pc32 or Plt32)) return new Flow(FlowKind.Unknown, i.IP, null, null, $"{Format(i)}: relocation of type {relocation.Type}");
            var linked = Branch.Linked(image, function, i.IP, relocation, relocation.Addend + (long)(i.NextIP - relocation.Offset), Format(i), out var inside);
            if (linked == null) labels.Add((i.IP, inside));
            return linked;
        }

        var near = Branch.Near(image, function, i.IP, i.NearBranchTarget, Format(i));
        if (near == null) labels.Add((i.IP, i.NearBranchTarget));
        return near;
    }

    private void ReadIndirect(Image image, Function function, List<Instruction> code, HashSet<ulong> starts, List<(ulong From, ulong To)> labels, List<Flow> flows)
    {
        var switches = new List<(int Guard, int Jump)>();
        for (var n = 0; n < code.Count; n++)
        {
            var i = code[n];
            if (i.FlowControl is not (FlowControl.IndirectBranch or FlowControl.IndirectCall)) continue;
            if (TryRelocation(function, i, out var relocation) && i.IsIPRelativeMemoryOperand)
            {
                flows.Add(ThroughCell(image, function, i, relocation));
            }
            else if (i.FlowControl == FlowControl.IndirectBranch && TrySwitch(image, function, code, n, starts, labels, out var guard))
            {
                switches.Add((guard, n));
            }
            else
            {
                flows.Add(new Flow(FlowKind.Indirect, i.IP, null, null, $"{Format(i)}: {Describe(image, function, code, n)}"));
            }
        }

        // A guard counts only if nothing jumps in behind it.
        foreach (var (guard, jump) in switches)
        {
            if (labels.Exists(l => l.To > code[guard].IP && l.To <= code[jump].IP))
                flows.Add(new Flow(FlowKind.Indirect, code[jump].IP, null, null, $"{Format(code[jump])}: a switch that something jumps into"));
        }
    }

    // call [rip + X]: X may be an entry of the linker's table or a constant; else nobody knows what it holds when it is called.
    private Flow ThroughCell(Image image, Function function, in Instruction i, ElfRelocation relocation)
    {
        var text = Format(i);
        var addend = relocation.Addend + (long)(i.NextIP - relocation.Offset);
        if (relocation.Type is GotPcRel or GotPcRelX or RexGotPcRelX)
        {
            var linked = Branch.Linked(image, function, i.IP, relocation, addend, text, out _);
            return linked ?? new Flow(FlowKind.Unknown, i.IP, null, null, text);
        }

        var cell = image.Resolve(function.Home, relocation.Symbol, addend);
        if (cell.Section is { IsWritable: false } section && function.Home.Sections.Contains(section))
        {
            var at = function.Home.RelocationAt(section.Index, cell.Offset);
            var all = function.Home.Relocations(section.Index);
            if (at < all.Length && all[at].Offset == cell.Offset && all[at].Type == Absolute64)
            {
                var to = image.Resolve(function.Home, all[at].Symbol, all[at].Addend);
                if (to.Function != null || to.External != null) return new Flow(FlowKind.Direct, i.IP, to.Function, to.External, text);
            }
        }

        return new Flow(FlowKind.Indirect, i.IP, null, null, $"{text}: through the cell {Names.Readable(cell.Symbol ?? "without a name")}");
    }

    private static bool TryRelocation(Function function, in Instruction i, out ElfRelocation relocation)
    {
        var all = function.Home.Relocations(function.Section);
        var at = function.Home.RelocationAt(function.Section, i.IP);
        var found = at < all.Length && all[at].Offset < i.NextIP;
        relocation = found ? all[at] : default;
        return found;
    }

    // RyuJIT:  cmp I, n / ja past / lea T, [table] / mov A, dword [T + I*4] / lea B, [function] / add A, B / jmp A
    private bool TrySwitch(Image image, Function function, List<Instruction> code, int jump, HashSet<ulong> starts, List<(ulong From, ulong To)> labels, out int guard)
    {
        guard = 0;
        if (code[jump].Op0Kind != OpKind.Register || jump < 5) return false;
        var target = code[jump].Op0Register;
        var add = DefinedBefore(code, jump, target);
        if (add < 0 || code[add].Code is not (Code.Add_rm64_r64 or Code.Add_r64_rm64) || code[add].Op1Kind != OpKind.Register) return false;
        var load = DefinedBefore(code, add, target);
        var @base = DefinedBefore(code, add, code[add].Op1Register);
        if (load < 0 || @base < 0 || code[load].Code != Code.Mov_r32_rm32 || code[load].Op1Kind != OpKind.Memory) return false;
        var entry = code[load];
        if (entry.MemoryIndexScale != 4 || entry.MemoryDisplacement64 != 0 || entry.MemoryIndex == Register.None) return false;
        if (code[@base].Code != Code.Lea_r64_m || !code[@base].IsIPRelativeMemoryOperand || TryRelocation(function, code[@base], out _)) return false;
        var from = code[@base].IPRelativeMemoryAddress;
        if (!function.Contains(from)) return false;
        var lea = DefinedBefore(code, load, entry.MemoryBase);
        if (lea < 0 || code[lea].Code != Code.Lea_r64_m || !TryRelocation(function, code[lea], out var relocation)) return false;
        var table = image.Resolve(function.Home, relocation.Symbol, relocation.Addend + (long)(code[lea].NextIP - relocation.Offset));
        if (table.Section is not { IsWritable: false } data) return false;
        if (!TryBound(code, load, entry.MemoryIndex, out var count, out guard) || count > 65536) return false;

        if (table.Offset > (ulong)data.Data.Length || (ulong)count * 4 > (ulong)data.Data.Length - table.Offset) return false;
        var first = function.Home.RelocationAt(data.Index, table.Offset);
        var relocations = function.Home.Relocations(data.Index);
        if (first < relocations.Length && relocations[first].Offset < table.Offset + ((ulong)count * 4)) return false;
        for (ulong k = 0; k < (ulong)count; k++)
        {
            var to = from + data.Data.U32(table.Offset + (k * 4));
            if (!function.Contains(to) || !starts.Contains(to)) return false;
            labels.Add((code[jump].IP, to));
        }

        return true;
    }

    // How many values the index can have: from the comparison that guards the table, or from a mask.
    private bool TryBound(List<Instruction> code, int before, Register index, out uint count, out int guard)
    {
        count = 0;
        var above = false;
        Instruction? stored = null; // the index was fetched from this place on the stack, which is what was compared
        index = index.GetFullRegister();
        for (guard = before - 1; guard >= Math.Max(0, before - 16); guard--)
        {
            var i = code[guard];
            if (i.Code is Code.Ja_rel8_64 or Code.Ja_rel32_64)
            {
                above = true;
                continue;
            }

            if (i.FlowControl != FlowControl.Next) return false;
            var flags = i.RflagsModified != RflagsBits.None;
            if (flags && above)
            {
                if (i.Mnemonic != Mnemonic.Cmp || !IsImmediate(i.Op1Kind) || i.GetImmediate(1) > 65535) return false;
                var same = stored is { } fetched
                    ? i.Code is Code.Cmp_rm32_imm8 or Code.Cmp_rm32_imm32 && IsSameLocal(i, fetched)
                    : i.Op0Kind == OpKind.Register && i.Op0Register.GetSize() >= 4 && i.Op0Register.GetFullRegister() == index;
                if (!same) return false;
                count = (uint)i.GetImmediate(1) + 1;
                return true;
            }

            if (stored != null)
            {
                if (i.Op0Kind == OpKind.Memory || Writes(i, Register.RBP) || Writes(i, Register.RSP)) return false; // it may have been overwritten
                continue;
            }

            if (!Writes(i, index)) continue;
            if (i.Code == Code.Mov_r32_rm32 && i.Op1Kind == OpKind.Memory && i.MemoryBase is Register.RBP or Register.RSP && i.MemoryIndex == Register.None)
            {
                stored = i;
            }
            else if (i.Code is Code.Mov_r32_rm32 or Code.Mov_rm32_r32 && i.Op1Kind == OpKind.Register)
            {
                index = i.Op1Register.GetFullRegister();
            }
            else if (i.Mnemonic == Mnemonic.And && IsImmediate(i.Op1Kind) && i.GetImmediate(1) <= 65535)
            {
                count = (uint)i.GetImmediate(1) + 1;
                return true;
            }
            else
            {
                return false;
            }
        }

        return false;
    }

    private static bool IsSameLocal(in Instruction a, in Instruction b) =>
        a.Op0Kind == OpKind.Memory && a.MemoryBase == b.MemoryBase && a.MemoryIndex == Register.None && a.MemoryDisplacement64 == b.MemoryDisplacement64;

    private static bool IsImmediate(OpKind kind) => kind is OpKind.Immediate8 or OpKind.Immediate32 or OpKind.Immediate8to32 or OpKind.Immediate8to64 or OpKind.Immediate32to64;

    // The instruction that last wrote a register on the way straight down, or -1.
    private int DefinedBefore(List<Instruction> code, int before, Register register)
    {
        for (var n = before - 1; n >= Math.Max(0, before - 12); n--)
        {
            if (code[n].FlowControl != FlowControl.Next) return -1;
            if (Writes(code[n], register.GetFullRegister())) return n;
        }

        return -1;
    }

    private bool Writes(in Instruction i, Register full)
    {
        foreach (var used in _info.GetInfo(i).GetUsedRegisters())
        {
            if (used.Register.GetFullRegister() == full
                && used.Access is OpAccess.Write or OpAccess.ReadWrite or OpAccess.CondWrite or OpAccess.ReadCondWrite) return true;
        }

        return false;
    }

    // What kind of call it looks like: for the reader of the message, not for the proof.
    private string Describe(Image image, Function function, List<Instruction> code, int n)
    {
        var i = code[n];
        if (i.Op0Kind != OpKind.Memory)
        {
            var made = DefinedBefore(code, n, i.Op0Register);
            if (made >= 0 && TryRelocation(function, code[made], out var cell) && code[made].IsIPRelativeMemoryOperand)
                return $"through the cell {Names.Readable(Named(image, function, code[made], cell))}";
            return "a function pointer";
        }

        var pointer = i.MemoryBase;
        if ((long)i.MemoryDisplacement64 == -2) return "a function pointer that carries a generic context";
        var set = DefinedBefore(code, n, pointer);
        if (pointer is Register.R10 or Register.R11)
        {
            return set >= 0 && TryRelocation(function, code[set], out var cell)
                ? $"an interface call through {Names.Readable(Named(image, function, code[set], cell))}"
                : "an interface call";
        }

        for (var k = n - 1; k >= Math.Max(0, n - 6); k--)
        {
            if (code[k].Mnemonic == Mnemonic.Mov && code[k].Op0Register == Register.RDI && code[k].MemoryBase == pointer && code[k].MemoryDisplacement64 == 8
                && i.MemoryDisplacement64 == 0x20) return "a delegate";
        }

        return set >= 0 && code[set].Mnemonic == Mnemonic.Mov && code[set].Op1Kind == OpKind.Memory && code[set].MemoryDisplacement64 == 0
            ? $"a virtual call, entry {i.MemoryDisplacement64.ToString("x", CultureInfo.InvariantCulture)}h of the method table"
            : "a function pointer in memory";
    }

    private static string Named(Image image, Function function, in Instruction i, ElfRelocation relocation) =>
        image.Resolve(function.Home, relocation.Symbol, relocation.Addend + (long)(i.NextIP - relocation.Offset)).Symbol ?? "a cell without a name";

    private string Format(in Instruction i)
    {
        _formatter.Format(i, _text);
        return _text.ToStringAndReset();
    }
}
