// Objects that are cut short or damaged: one clear error or a verdict, never a crash, never without end.
namespace SspHost.Proof.Tests;

public sealed class DamagedObjectTests
{
    private const string Root = "ssp_*";

    private static readonly Lazy<byte[]> Library = new(static () => File.ReadAllBytes(Objects.Library));
    private static readonly Lazy<string> List = new(static () => string.Join('\n', File.ReadLines(Objects.List).Where(static l => l.StartsWith("forbid ", StringComparison.Ordinal))));

    [Fact]
    public void The_undamaged_library_is_read_and_its_calls_are_found()
    {
        var verdict = Prove(Library.Value);
        Assert.Contains(verdict.Findings, static f => f.What == "syscall" && f.Path[^1].Method == "ssp_gettid");
        Assert.Contains(verdict.Findings, static f => f.What == "clock_nanosleep");
    }

    [Fact]
    public void An_archive_cut_short_anywhere_is_one_error_or_fewer_members()
    {
        for (var length = 0; length < Library.Value.Length; length += 127) Judge(Library.Value[..length]);
    }

    [Fact]
    public void Objects_with_random_damage_give_an_error_or_a_verdict()
    {
        var random = new Random(20);
        for (var round = 0; round < 1500; round++)
        {
            var damaged = (byte[])Library.Value.Clone();
            for (var n = random.Next(1, 9); n > 0; n--)
            {
                var at = random.Next(damaged.Length);
                damaged[at] = random.Next(3) switch { 0 => (byte)random.Next(256), 1 => (byte)(damaged[at] ^ (1 << random.Next(8))), _ => 0xFF };
            }

            Judge(damaged);
        }
    }

    [Fact]
    public void Headers_with_every_byte_set_to_its_extremes_give_an_error_or_a_verdict()
    {
        // The first object of the archive, alone.
        var first = FirstObject();
        for (var at = 0; at < 64; at++)
        {
            foreach (var value in new byte[] { 0, 1, 0x7F, 0x80, 0xFF })
            {
                var damaged = (byte[])first.Clone();
                damaged[at] = value;
                Judge(damaged);
            }
        }
    }

    [Fact]
    public void An_image_that_was_linked_is_refused_and_so_is_a_text()
    {
        Assert.Contains("not relocatable", Assert.Throws<ProofException>(static () => Archive.Open("/bin/sh").ToList()).Message, StringComparison.Ordinal);
        Assert.Contains("is no ELF file", Assert.Throws<ProofException>(static () => Archive.Read(new Bytes("x.o", new byte[100]))).Message, StringComparison.Ordinal);
        Assert.Contains("no object file", Assert.Throws<ProofException>(static () => Archive.Read(new Bytes("x.o", default))).Message, StringComparison.Ordinal);
        Assert.Contains("/nowhere.o", Assert.Throws<ProofException>(static () => Archive.Open("/nowhere.o").ToList()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Code_that_is_no_instruction_fails_where_it_is_reached()
    {
        var damaged = FirstObject();
        var before = ElfObject.Read(new Bytes("x.o", damaged));
        var symbol = before.Symbols.First(s => s.IsFunction && s.Section != 0 && s.Size > 8 && before.Sections[s.Section].IsCode);
        // Offset of the section in the file: found by its content.
        var code = before.Sections[symbol.Section].Data.Span.ToArray();
        var at = damaged.AsSpan().IndexOf(code) + (int)symbol.Value;
        damaged[at] = 0x06; // push es: not in 64-bit code
        var verdict = Walk.Prove(new Image([ElfObject.Read(new Bytes("x.o", damaged))]), Rules.Parse("list", $"root {symbol.Name} -- test"));
        Assert.Contains(verdict.Findings, static f => f.Kind == "undecoded" && f.What.Contains("bytes that are no instruction", StringComparison.Ordinal));
    }

    private static byte[] FirstObject()
    {
        var file = Library.Value;
        var start = file.AsSpan().IndexOf("\u007fELF"u8);
        var rest = file.AsSpan(start);
        var size = int.Parse(System.Text.Encoding.ASCII.GetString(file, start - 12, 10).Trim(), System.Globalization.CultureInfo.InvariantCulture);
        return rest[..size].ToArray();
    }

    private static Verdict Prove(byte[] content) =>
        Walk.Prove(new Image(Archive.Read(new Bytes("lib.a", content))), Rules.Parse("list", $"root {Root} -- all of it\nroot on_fault -- and the handler\n{List.Value}"));

    private static void Judge(byte[] content)
    {
        try
        {
            _ = Prove(content);
        }
        catch (ProofException e)
        {
            Assert.Matches("^(lib.a|no objects)", e.Message);
            Assert.DoesNotContain('\n', e.Message);
        }
    }
}
