// The symbol file against the tools that everybody believes, and against files that nobody should.
using System.Globalization;
using SspHost.Diagnostics.Symbols;

namespace SspHost.Tests.Symbols;

public sealed class SymbolTableTests
{
    [Theory]
    [InlineData("-gdwarf-5")]
    [InlineData("-gdwarf-4")]
    [InlineData("-gdwarf-5", "-gz")]
    [InlineData("-gdwarf-4", "-gz", "-O2")]
    [InlineData("-gdwarf-5", "-O2", "-g1")]
    [InlineData("-gdwarf-3", "-gstrict-dwarf")]
    public void Every_address_of_a_library_has_the_function_and_the_line_that_addr2line_and_nm_say(params string[] flags)
    {
        using var library = new CompiledLibrary(flags);
        var image = ElfImage.Open(library.FileName);
        var table = SymbolMaker.FromImage(image);
        var functions = CompiledLibrary.Tool("nm", ["-S", "--defined-only", library.FileName]).Split('\n').Select(l => l.Split(' '))
            .Where(l => l.Length == 4 && l[2] is "t" or "T").Select(l => (Start: Convert.ToUInt64(l[0], 16), Bytes: Convert.ToUInt64(l[1], 16), Name: l[3])).ToList();
        var addresses = functions.SelectMany(f => Enumerable.Range(0, (int)f.Bytes).Select(i => f.Start + (ulong)i)).ToList();
        Assert.True(addresses.Count > 60);
        var told = CompiledLibrary.Tool("addr2line", ["-e", library.FileName], addresses.Select(a => a.ToString("x", CultureInfo.InvariantCulture))).Split('\n');
        for (var i = 0; i < addresses.Count; i++)
        {
            var place = table.Find(addresses[i] - image.Base);
            Assert.Contains(functions, f => f.Name == place.Function && addresses[i] - f.Start == place.Offset);
            Assert.Equal(told[i].Split(" (")[0], $"/_/{place.File}:{place.Line}");
        }
    }

    [Fact]
    public void A_table_that_was_written_reads_back_the_same_and_knows_its_image()
    {
        using var library = new CompiledLibrary("-gdwarf-5");
        var image = ElfImage.Open(library.FileName);
        var table = SymbolMaker.FromImage(image);
        var read = SymbolTable.Read(table.Write(), "it");
        Assert.Equal((table.FunctionCount, table.LineCount), (read.FunctionCount, read.LineCount));
        Assert.Equal(image.BuildId, read.BuildId);
        Assert.Contains(Convert.ToHexStringLower(image.BuildId), CompiledLibrary.Tool("readelf", ["-n", library.FileName]), StringComparison.Ordinal);
        for (ulong a = 0; a < image.End - image.Base; a += 3) Assert.Equal(table.Find(a), read.Find(a));
        Assert.Equal(default, read.Find(ulong.MaxValue));
    }

    [Fact]
    public void A_stripped_library_still_names_what_it_exports()
    {
        using var library = new CompiledLibrary("-s", "-O2");
        var image = ElfImage.Open(library.FileName);
        Assert.Throws<InvalidDataException>(() => SymbolMaker.FromImage(image));
        var table = SymbolMaker.FromLibrary(image);
        var third = CompiledLibrary.Tool("nm", ["-D", library.FileName]).Split('\n').Select(l => l.Split(' ')).Single(l => l.Length == 3 && l[2] == "third");
        Assert.Equal(new Place("third", 2, null, 0), table.Find(Convert.ToUInt64(third[0], 16) + 2 - image.Base));
    }

    [Fact]
    public void A_damaged_or_cut_image_is_one_clear_error_and_never_a_crash_or_a_hang()
    {
        foreach (var flags in new[] { new[] { "-gdwarf-5" }, ["-gdwarf-4", "-gz"] })
        {
            using var library = new CompiledLibrary(flags);
            var sound = File.ReadAllBytes(library.FileName);
            var random = new Random(4);
            var refused = 0;
            for (var round = 0; round < 1500; round++)
            {
                var damaged = (byte[])sound.Clone();
                if (round % 3 == 0) Array.Resize(ref damaged, random.Next(damaged.Length));
                for (var n = random.Next(1, 40); n > 0 && damaged.Length > 0; n--)
                {
                    // Headers and debug information, where damage counts.
                    var at = random.Next(2) == 0 ? random.Next(damaged.Length) : Math.Max(0, damaged.Length - 1 - random.Next(4000));
                    damaged[round % 2 == 0 ? Math.Min(at, random.Next(1, 800)) : at] = random.Next(4) switch { 0 => 0, 1 => 255, _ => (byte)random.Next(256) };
                }

                refused += Refused(() => SymbolTable.Read(SymbolMaker.FromImage(new ElfImage(damaged, "damaged")).Write(), "made").Find(4000));
                refused += Refused(() => SymbolMaker.FromLibrary(new ElfImage(damaged, "damaged")).Find(4000));
            }

            Assert.InRange(refused, 500, 3000);
        }
    }

    [Fact]
    public void A_damaged_or_cut_symbol_file_is_one_clear_error_and_never_a_crash()
    {
        using var library = new CompiledLibrary("-gdwarf-5");
        var sound = SymbolMaker.FromImage(ElfImage.Open(library.FileName)).Write();
        var random = new Random(5);
        for (var cut = 0; cut < sound.Length; cut++) Assert.Equal(1, Refused(() => SymbolTable.Read(sound[..cut], "cut").Find(0)));
        for (var round = 0; round < 5000; round++)
        {
            var damaged = (byte[])sound.Clone();
            for (var n = random.Next(1, 9); n > 0; n--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            _ = Refused(() =>
            {
                var table = SymbolTable.Read(damaged, "damaged");
                for (ulong a = 0; a < 8192; a += 64) _ = table.Find(a);
                return default;
            });
        }
    }

    private static int Refused(Func<Place> read)
    {
        try
        {
            _ = read();
            return 0;
        }
        catch (InvalidDataException e)
        {
            Assert.DoesNotContain('\n', e.Message);
            return 1;
        }
    }
}
